//! Row-major views of flat buffers. In: a slice and a shape. Out: rows, column blocks and row ranges of it, without a copy.

/// A matrix that is read: `rows` x `cols`, row `i` at `data[i * stride..][..cols]`.
#[derive(Clone, Copy, Debug)]
pub struct Mat<'a> {
    data: &'a [f32],
    rows: usize,
    cols: usize,
    stride: usize,
}

/// A matrix that is written: `rows` x `cols`, row `i` at `data[i * stride..][..cols]`; what lies between is left alone.
#[derive(Debug)]
pub struct MatMut<'a> {
    data: &'a mut [f32],
    rows: usize,
    cols: usize,
    stride: usize,
}

/// Values from the first of a matrix to its last.
fn span(rows: usize, cols: usize, stride: usize) -> usize {
    if rows == 0 || cols == 0 {
        0
    } else {
        (rows - 1) * stride + cols
    }
}

fn assert_shape(len: usize, rows: usize, cols: usize, stride: usize) {
    assert!(stride >= cols, "a stride of {stride} under rows of {cols} values");
    let span = span(rows, cols, stride);
    assert!(
        len >= span,
        "{len} values for a {rows} x {cols} matrix that spans {span}"
    );
}

fn assert_inside(what: &str, from: usize, count: usize, of: usize) {
    assert!(
        from <= of && count <= of - from,
        "{count} {what} from {from} of {of}"
    );
}

impl<'a> Mat<'a> {
    /// The first `rows * cols` values of `data`, rows without gaps. Panics if there are fewer.
    pub fn new(data: &'a [f32], rows: usize, cols: usize) -> Self {
        Self::strided(data, rows, cols, cols)
    }

    /// Rows of `cols` values, `stride` apart. Panics if `stride < cols` or `data` is too short.
    pub fn strided(data: &'a [f32], rows: usize, cols: usize, stride: usize) -> Self {
        assert_shape(data.len(), rows, cols, stride);
        Self {
            data,
            rows,
            cols,
            stride,
        }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Values in a row.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// Distance between the starts of two neighbouring rows, in values.
    pub fn stride(&self) -> usize {
        self.stride
    }

    /// Row `i`, `[cols]`.
    pub fn row(&self, i: usize) -> &'a [f32] {
        assert!(i < self.rows, "row {i} of {}", self.rows);
        if self.cols == 0 {
            return &[];
        }
        &self.data[i * self.stride..][..self.cols]
    }

    /// The columns `from..from + width`, `[rows, width]`.
    pub fn columns(&self, from: usize, width: usize) -> Mat<'a> {
        assert_inside("columns", from, width, self.cols);
        let data = &self.data[from.min(self.data.len())..];
        Mat::strided(data, self.rows, width, self.stride)
    }

    /// The rows `from..from + count`, `[count, cols]`.
    pub fn rows_range(&self, from: usize, count: usize) -> Mat<'a> {
        assert_inside("rows", from, count, self.rows);
        let start = (from * self.stride).min(self.data.len());
        Mat::strided(&self.data[start..], count, self.cols, self.stride)
    }

    /// From the first value; `product.rs` takes its pointer.
    pub(crate) fn data(&self) -> &'a [f32] {
        self.data
    }
}

impl<'a> MatMut<'a> {
    /// The first `rows * cols` values of `data`, rows without gaps. Panics if there are fewer.
    pub fn new(data: &'a mut [f32], rows: usize, cols: usize) -> Self {
        Self::strided(data, rows, cols, cols)
    }

    /// Rows of `cols` values, `stride` apart. Panics if `stride < cols` or `data` is too short.
    pub fn strided(data: &'a mut [f32], rows: usize, cols: usize, stride: usize) -> Self {
        assert_shape(data.len(), rows, cols, stride);
        Self {
            data,
            rows,
            cols,
            stride,
        }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Values in a row.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// Distance between the starts of two neighbouring rows, in values.
    pub fn stride(&self) -> usize {
        self.stride
    }

    /// The same matrix, to read.
    pub fn as_mat(&self) -> Mat<'_> {
        Mat::strided(self.data, self.rows, self.cols, self.stride)
    }

    /// The same matrix, lent for a shorter time.
    pub fn reborrow(&mut self) -> MatMut<'_> {
        MatMut::strided(self.data, self.rows, self.cols, self.stride)
    }

    /// Row `i`, `[cols]`.
    pub fn row_mut(&mut self, i: usize) -> &mut [f32] {
        assert!(i < self.rows, "row {i} of {}", self.rows);
        if self.cols == 0 {
            return &mut [];
        }
        &mut self.data[i * self.stride..][..self.cols]
    }

    /// The columns `from..from + width`, `[rows, width]`.
    pub fn columns_mut(&mut self, from: usize, width: usize) -> MatMut<'_> {
        assert_inside("columns", from, width, self.cols);
        let start = from.min(self.data.len());
        MatMut::strided(&mut self.data[start..], self.rows, width, self.stride)
    }

    /// The rows `from..from + count`, `[count, cols]`.
    pub fn rows_range_mut(&mut self, from: usize, count: usize) -> MatMut<'_> {
        assert_inside("rows", from, count, self.rows);
        let start = (from * self.stride).min(self.data.len());
        MatMut::strided(&mut self.data[start..], count, self.cols, self.stride)
    }

    /// Sets every value of the matrix to `value`.
    pub fn fill(&mut self, value: f32) {
        for i in 0..self.rows {
            self.row_mut(i).fill(value);
        }
    }

    /// From the first value; `product.rs` takes its pointer.
    pub(crate) fn data_mut(&mut self) -> &mut [f32] {
        self.data
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATA: [f32; 12] = [0.0, 1.0, 2.0, 3.0, 10.0, 11.0, 12.0, 13.0, 20.0, 21.0, 22.0, 23.0];

    #[test]
    fn a_view_reads_rows_column_blocks_and_row_ranges() {
        let mat = Mat::strided(&DATA, 3, 3, 4);
        assert_eq!((mat.rows(), mat.cols(), mat.stride()), (3, 3, 4));
        assert_eq!(mat.row(2), [20.0, 21.0, 22.0]);
        let block = mat.columns(1, 2).rows_range(1, 2);
        assert_eq!(
            (block.row(0), block.row(1)),
            (&[11.0, 12.0][..], &[21.0, 22.0][..])
        );
    }

    #[test]
    fn a_view_may_be_empty_in_either_direction_and_lie_at_the_end() {
        assert!(Mat::new(&[], 3, 0).row(2).is_empty());
        assert_eq!(Mat::new(&[], 0, 3).rows(), 0);
        let mat = Mat::new(&DATA, 3, 4);
        assert!(mat.columns(4, 0).row(2).is_empty());
        assert_eq!(mat.rows_range(3, 0).rows(), 0);
        // The last row of a strided matrix need not be followed by a gap.
        assert_eq!(Mat::strided(&DATA[..11], 3, 3, 4).row(2), [20.0, 21.0, 22.0]);
    }

    #[test]
    fn writing_through_a_view_leaves_the_rest_alone() {
        let mut data = DATA;
        let mut mat = MatMut::strided(&mut data, 2, 3, 4);
        mat.columns_mut(1, 2).fill(9.0);
        mat.rows_range_mut(1, 1).row_mut(0)[0] = 8.0;
        assert_eq!(mat.as_mat().row(1), [8.0, 9.0, 9.0]);
        assert_eq!(data[..8], [0.0, 9.0, 9.0, 3.0, 8.0, 9.0, 9.0, 13.0]);
        assert_eq!(data[8..], DATA[8..]);
    }

    #[test]
    #[should_panic(expected = "5 values for a 2 x 3 matrix that spans 6")]
    fn a_buffer_that_is_too_short_is_refused() {
        Mat::new(&DATA[..5], 2, 3);
    }

    #[test]
    #[should_panic(expected = "2 columns from 3 of 4")]
    fn columns_outside_the_matrix_are_refused() {
        Mat::new(&DATA, 3, 4).columns(3, 2);
    }
}
