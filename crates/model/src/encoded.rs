//! A batch of encoded examples: plain columns of numbers, which are selected from, appended to and learned from.

/// Ids of one embedded field over a batch, as row numbers; as keys where the table gives rows to ids ([`spec::Rows::Keyed`]).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EncodedIds {
    /// `[batch + 1]`: where each example's ids begin.
    pub offsets: Vec<u32>,
    /// Row numbers, before unseen rows are read as `new`; empty where there are keys.
    pub rows: Vec<u32>,
    /// The ids' 64-bit hashes, 0 for a missing one; empty where there are rows.
    pub keys: Vec<u64>,
    /// How much each id counts when they are pooled, within 1e12 on either side; empty: all count 1.
    pub weights: Vec<f32>,
}

/// A batch of encoded examples.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Encoded {
    /// Number of examples.
    pub len: usize,
    /// `[batch, dense width]`, within 1e12 on either side (squares within 1e24).
    pub dense: Vec<f32>,
    /// Per embedded field of the plan.
    pub ids: Vec<EncodedIds>,
    /// `[batch]`: cell of the crossed bias fields.
    pub cells: Vec<u32>,
    /// `[batch]`: position from 1, clipped at the spec's maximum; 0 = missing.
    pub positions: Vec<u32>,
    /// Per objective `[batch]`, as logged: a watch time is in its own unit; NaN = not observed.
    pub labels: Vec<Vec<f32>>,
    /// Per objective `[batch]`: how long the watched item is, in the label's unit, above 0; NaN = missing. Empty where the
    /// objective needs none.
    pub durations: Vec<Vec<f32>>,
    /// `[batch]`: how much each example counts in training; 1 where the log does not say.
    pub weights: Vec<f32>,
    /// `[batch]`: how probable it was that the impression was examined, `(0, 1]`, 1 where the log does not say; empty where the form
    /// of bias does not need it.
    pub propensities: Vec<f32>,
    /// `[batch]`: the examples' drop-out keys.
    pub keys: Vec<u64>,
    /// `[batch]`: hash of the person, for metrics within a person.
    pub users: Vec<u64>,
    /// `[batch]`: hash of the slate, for metrics within a slate; 0 = none.
    pub slates: Vec<u64>,
    /// `[batch]`: whether the item's place in its slate was drawn at random.
    pub shuffled: Vec<bool>,
    /// `[batch]`: times of the impressions, ms since 1970.
    pub times: Vec<i64>,
}

/// Writes the elements of `values` at `rows`; of a column that may be left out, nothing.
fn pick<T: Copy>(values: &[T], rows: &[u32], to: &mut Vec<T>) {
    to.clear();
    if !values.is_empty() {
        to.extend(rows.iter().map(|&row| values[row as usize]));
    }
}

/// The same for several columns.
fn pick_all(columns: &[Vec<f32>], rows: &[u32], to: &mut Vec<Vec<f32>>) {
    to.resize_with(columns.len(), Vec::new);
    for (values, to) in columns.iter().zip(to) {
        pick(values, rows, to);
    }
}

impl Encoded {
    /// How long the item is that `objective` is the watch time of; NaN = missing.
    pub(crate) fn duration(&self, objective: usize, row: usize) -> f32 {
        let durations = self
            .durations
            .get(objective)
            .and_then(|durations| durations.get(row));
        durations.copied().unwrap_or(f32::NAN)
    }

    /// The given rows, in that order.
    pub fn select(&self, rows: &[u32]) -> Encoded {
        let mut selected = Encoded::default();
        self.select_into(rows, &mut selected);
        selected
    }

    /// Writes the given rows, in that order, into `to`, whose room is kept.
    pub fn select_into(&self, rows: &[u32], to: &mut Encoded) {
        let width = self.dense.len().checked_div(self.len).unwrap_or(0);
        to.len = rows.len();
        to.dense.clear();
        for &row in rows {
            to.dense
                .extend_from_slice(&self.dense[row as usize * width..(row as usize + 1) * width]);
        }
        to.ids.resize_with(self.ids.len(), EncodedIds::default);
        for (ids, to) in self.ids.iter().zip(&mut to.ids) {
            ids.select_into(rows, to);
        }
        pick(&self.cells, rows, &mut to.cells);
        pick(&self.positions, rows, &mut to.positions);
        pick_all(&self.labels, rows, &mut to.labels);
        pick_all(&self.durations, rows, &mut to.durations);
        pick(&self.weights, rows, &mut to.weights);
        pick(&self.propensities, rows, &mut to.propensities);
        pick(&self.keys, rows, &mut to.keys);
        pick(&self.users, rows, &mut to.users);
        pick(&self.slates, rows, &mut to.slates);
        pick(&self.shuffled, rows, &mut to.shuffled);
        pick(&self.times, rows, &mut to.times);
    }

    /// Makes room for `rows` examples like those of `like`, so that appending them moves nothing, or little.
    pub fn reserve_like(&mut self, like: &Encoded, rows: usize) {
        let room = |columns: usize| (columns * rows).div_ceil(like.len.max(1));
        self.dense.reserve_exact(room(like.dense.len()));
        self.ids.resize_with(like.ids.len(), EncodedIds::default);
        for (ids, like) in self.ids.iter_mut().zip(&like.ids) {
            ids.offsets.reserve_exact(rows + 1);
            // Bags differ in size; room that is not written to takes no memory.
            let room = |ids: usize| room(ids + ids / 4);
            ids.rows.reserve_exact(room(like.rows.len()));
            ids.keys.reserve_exact(room(like.keys.len()));
            ids.weights.reserve_exact(room(like.weights.len()));
        }
        for (columns, like) in [
            (&mut self.labels, &like.labels),
            (&mut self.durations, &like.durations),
        ] {
            columns.resize_with(like.len(), Vec::new);
            for (values, like) in columns.iter_mut().zip(like) {
                values.reserve_exact(room(like.len()));
            }
        }
        self.cells.reserve_exact(rows);
        self.positions.reserve_exact(rows);
        self.weights.reserve_exact(rows);
        self.propensities.reserve_exact(room(like.propensities.len()));
        self.keys.reserve_exact(rows);
        self.users.reserve_exact(rows);
        self.slates.reserve_exact(rows);
        self.shuffled.reserve_exact(rows);
        self.times.reserve_exact(rows);
    }

    /// Bytes of its columns.
    pub fn bytes(&self) -> u64 {
        let floats = self.labels.iter().chain(&self.durations).map(Vec::len);
        let words = self.dense.len() + self.cells.len() + self.positions.len() + self.weights.len();
        let words = words + self.propensities.len();
        let wide = self.keys.len() + self.users.len() + self.slates.len() + self.times.len();
        let of_ids = self
            .ids
            .iter()
            .map(|ids| 4 * (ids.offsets.len() + ids.rows.len() + ids.weights.len()) + 8 * ids.keys.len());
        (4 * (words + floats.sum::<usize>()) + 8 * wide + self.shuffled.len() + of_ids.sum::<usize>()) as u64
    }

    /// Appends the rows of `more`, which must come from the same encoder.
    pub fn append(&mut self, more: &Encoded) {
        self.len += more.len;
        self.dense.extend_from_slice(&more.dense);
        self.ids.resize_with(more.ids.len(), EncodedIds::default);
        for (ids, more) in self.ids.iter_mut().zip(&more.ids) {
            ids.append(more);
        }
        self.cells.extend_from_slice(&more.cells);
        self.positions.extend_from_slice(&more.positions);
        for (values, more) in [
            (&mut self.labels, &more.labels),
            (&mut self.durations, &more.durations),
        ] {
            values.resize_with(more.len(), Vec::new);
            for (values, more) in values.iter_mut().zip(more) {
                values.extend_from_slice(more);
            }
        }
        self.weights.extend_from_slice(&more.weights);
        self.propensities.extend_from_slice(&more.propensities);
        self.keys.extend_from_slice(&more.keys);
        self.users.extend_from_slice(&more.users);
        self.slates.extend_from_slice(&more.slates);
        self.shuffled.extend_from_slice(&more.shuffled);
        self.times.extend_from_slice(&more.times);
    }
}

impl EncodedIds {
    /// No example.
    pub(crate) fn with_capacity(examples: usize) -> EncodedIds {
        let mut offsets = Vec::with_capacity(examples + 1);
        offsets.push(0);
        EncodedIds {
            offsets,
            ..EncodedIds::default()
        }
    }

    /// What tells id `at` from others: its row or its key.
    pub fn number(&self, at: usize) -> u64 {
        if self.keys.is_empty() {
            u64::from(self.rows[at])
        } else {
            self.keys[at]
        }
    }

    /// Number of ids; each is a row or a key.
    pub(crate) fn len(&self) -> usize {
        self.rows.len().max(self.keys.len())
    }

    /// Ends an example: what was pushed to `rows` or `keys` since the last one is its bag.
    pub(crate) fn end_bag(&mut self) {
        self.offsets.push(self.len() as u32);
    }

    /// Makes each id that was pushed the bag of an example; nothing else ended a bag.
    pub(crate) fn end_bags_of_one(&mut self) {
        self.offsets = (0..=self.len() as u32).collect();
    }

    fn select_into(&self, rows: &[u32], to: &mut EncodedIds) {
        to.offsets.clear();
        to.offsets.push(0);
        to.rows.clear();
        to.keys.clear();
        to.weights.clear();
        for &row in rows {
            let bag = self.offsets[row as usize] as usize..self.offsets[row as usize + 1] as usize;
            if !self.weights.is_empty() {
                to.weights.extend_from_slice(&self.weights[bag.clone()]);
            }
            if self.keys.is_empty() {
                to.rows.extend_from_slice(&self.rows[bag]);
            } else {
                to.keys.extend_from_slice(&self.keys[bag]);
            }
            to.end_bag();
        }
    }

    fn append(&mut self, more: &EncodedIds) {
        let base = self.len() as u32;
        if self.offsets.is_empty() {
            self.offsets.push(0);
        }
        self.offsets
            .extend(more.offsets[1..].iter().map(|offset| base + offset));
        self.rows.extend_from_slice(&more.rows);
        self.keys.extend_from_slice(&more.keys);
        self.weights.extend_from_slice(&more.weights);
    }
}
