//! A table that gives rows to ids, as an artifact holds it: keys in rising order, the row of each, the row of new ids.
//!
//! In: the bytes of its file, read or mapped. Out: which row an id has, and pooled rows. It is read in place, never copied whole.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use nn::{Bags, Embedding, MatMut, Pool};
use safetensors::tensor::{Dtype, SafeTensors};

use crate::artifact::TensorFile;
use crate::mapped::FileBytes;
use crate::{KeyMap, ModelError};

/// Keys this near to where an even spread puts one are searched first: a page of them.
const REACH: usize = 256;

/// Rows by key, sorted.
#[derive(Debug, Clone)]
pub struct PublishedRows {
    bytes: Arc<FileBytes>,
    /// Where `[rows]` keys, `[rows, dim]` values and the `[dim]` of `new` lie in `bytes`, little-endian.
    keys: Range<usize>,
    rows: Range<usize>,
    new: Range<usize>,
    dim: usize,
}

impl PartialEq for PublishedRows {
    fn eq(&self, other: &PublishedRows) -> bool {
        self.bytes() == other.bytes()
    }
}

impl PublishedRows {
    /// The file of a table that was trained: the rows of `map` in `table`, put in order as they are written.
    pub fn tensors<'a>(map: &'a KeyMap, table: &'a Embedding) -> TensorFile<'a> {
        let keys = map.keys();
        let mut rows: Vec<u32> = (0..keys.len() as u32)
            .filter(|row| keys[*row as usize] != crate::key_map::NO_ID)
            .collect();
        rows.sort_unstable_by_key(|row| keys[*row as usize]);
        let rows: Arc<[u32]> = rows.into();
        let mut file = TensorFile::default();
        file.add_rows("rows", table, rows.clone());
        file.add_f32(
            "new".to_owned(),
            vec![table.dim],
            table.row(crate::key_map::NEW_ROW),
        );
        let len = rows.len();
        let sorted = move || {
            (0..rows.len()).map({
                let rows = rows.clone();
                move |at| keys[rows[at] as usize]
            })
        };
        file.add_numbers("keys".to_owned(), len, sorted);
        file
    }

    /// The table in such a file of rows of width `dim`; `path` names it in errors.
    ///
    /// # Errors
    /// What of it is missing or does not fit.
    pub fn of(path: &Path, bytes: Arc<FileBytes>, dim: usize) -> Result<PublishedRows, ModelError> {
        let all = bytes.as_slice();
        let damaged = |message: String| ModelError::damaged(path, message);
        let (header, metadata) =
            SafeTensors::read_metadata(all).map_err(|error| damaged(error.to_string()))?;
        let start = header + size_of::<u64>();
        let tensor = |name: &str, dtype: Dtype, shape: &[Option<usize>]| {
            let info = metadata
                .info(name)
                .ok_or_else(|| damaged(format!("tensor `{name}` is missing")))?;
            let fits =
                |(found, expected): (&usize, &Option<usize>)| expected.is_none_or(|size| size == *found);
            if info.dtype != dtype
                || info.shape.len() != shape.len()
                || !info.shape.iter().zip(shape).all(fits)
            {
                let (found, shape_found) = (info.dtype, &info.shape);
                return Err(damaged(format!(
                    "tensor `{name}` is {found:?} {shape_found:?}; the declaration asks for {dtype:?} with rows of {dim}"
                )));
            }
            let (from, to) = info.data_offsets;
            Ok(start + from..start + to)
        };
        let keys = tensor("keys", Dtype::U64, &[None])?;
        let count = keys.len() / 8;
        let table = PublishedRows {
            rows: tensor("rows", Dtype::F32, &[Some(count), Some(dim)])?,
            new: tensor("new", Dtype::F32, &[Some(dim)])?,
            keys,
            dim,
            bytes: bytes.clone(),
        };
        if (1..count).any(|at| table.key(at - 1) >= table.key(at)) {
            return Err(damaged("its keys do not rise".to_owned()));
        }
        Ok(table)
    }

    /// The file's bytes.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.as_slice()
    }

    /// Rows of ids, without `new`.
    pub fn len(&self) -> usize {
        self.keys.len() / 8
    }

    /// Whether every id is new.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Values of a row.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Number of the `new` row.
    pub fn new_row(&self) -> u32 {
        self.len() as u32
    }

    fn key(&self, at: usize) -> u64 {
        let keys = &self.bytes()[self.keys.clone()];
        keys.as_chunks::<8>()
            .0
            .get(at)
            .map_or(u64::MAX, |key| u64::from_le_bytes(*key))
    }

    /// The row that `key` reads: its own, or `new`. Keys are hashes, so a key lies near where an even spread puts it.
    pub fn find(&self, key: u64) -> u32 {
        let count = self.len();
        let guess = ((u128::from(key) * count as u128) >> 64) as usize;
        let mut reach = REACH;
        let (mut low, mut high) = loop {
            let (low, high) = (guess.saturating_sub(reach), count.min(guess + reach));
            let not_before = low == 0 || self.key(low - 1) < key;
            if not_before && (high == count || self.key(high) > key) {
                break (low, high);
            }
            reach *= 8;
        };
        while low < high {
            let middle = low.midpoint(high);
            match self.key(middle).cmp(&key) {
                std::cmp::Ordering::Equal => return middle as u32,
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        self.new_row()
    }

    /// Writes row `row` to the end of `values`.
    fn push_row(&self, row: u32, values: &mut Vec<f32>) {
        let at = row as usize;
        let place = if at < self.len() {
            let start = self.rows.start + at * self.dim * 4;
            start..start + self.dim * 4
        } else {
            self.new.clone()
        };
        let bytes = &self.bytes()[place];
        values.extend(
            bytes
                .as_chunks::<4>()
                .0
                .iter()
                .map(|value| f32::from_le_bytes(*value)),
        );
    }

    /// The pooled rows of each bag, bit for bit as [`Embedding::forward`] gives. Shapes: B bags, output `[B, dim]`.
    pub fn forward(&self, bags: Bags, pool: Pool, output: MatMut) {
        let (first, last) = (bags.offsets[0], bags.offsets[bags.len()]);
        let read = first as usize..last as usize;
        let mut weight = Vec::with_capacity(read.len() * self.dim);
        for row in &bags.rows[read.clone()] {
            self.push_row(*row, &mut weight);
        }
        let offsets: Vec<u32> = bags.offsets.iter().map(|offset| offset - first).collect();
        let rows: Vec<u32> = (0..last - first).collect();
        let of_read = Bags {
            offsets: &offsets,
            rows: &rows,
            weights: bags.weights.get(read).unwrap_or_default(),
        };
        let table = Embedding {
            weight,
            rows: rows.len(),
            dim: self.dim,
        };
        table.forward(of_read, pool, output);
    }
}
