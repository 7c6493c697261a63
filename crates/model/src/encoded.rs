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
    /// `[batch]`: the examples' drop-out keys.
    pub keys: Vec<u64>,
    /// `[batch]`: hash of the person, for metrics within a person.
    pub users: Vec<u64>,
    /// `[batch]`: hash of the slate, for metrics within a slate; 0 = none.
    pub slates: Vec<u64>,
    /// `[batch]`: times of the impressions, ms since 1970.
    pub times: Vec<i64>,
}

/// The elements of `values` at `rows`.
fn pick<T: Copy>(values: &[T], rows: &[u32]) -> Vec<T> {
    rows.iter().map(|&row| values[row as usize]).collect()
}

/// The same of a column that may be left out.
fn pick_some(values: &[f32], rows: &[u32]) -> Vec<f32> {
    if values.is_empty() {
        Vec::new()
    } else {
        pick(values, rows)
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
        let width = self.dense.len().checked_div(self.len).unwrap_or(0);
        let mut dense = Vec::with_capacity(rows.len() * width);
        for &row in rows {
            dense.extend_from_slice(&self.dense[row as usize * width..(row as usize + 1) * width]);
        }
        Encoded {
            len: rows.len(),
            dense,
            ids: self.ids.iter().map(|ids| ids.select(rows)).collect(),
            cells: pick(&self.cells, rows),
            positions: pick(&self.positions, rows),
            labels: self.labels.iter().map(|labels| pick(labels, rows)).collect(),
            durations: self
                .durations
                .iter()
                .map(|values| pick_some(values, rows))
                .collect(),
            weights: pick(&self.weights, rows),
            keys: pick(&self.keys, rows),
            users: pick(&self.users, rows),
            slates: pick(&self.slates, rows),
            times: pick(&self.times, rows),
        }
    }

    /// Appends the rows of `more`, which must come from the same encoder.
    pub fn append(&mut self, more: &Encoded) {
        if self.len == 0 {
            *self = more.clone();
            return;
        }
        self.len += more.len;
        self.dense.extend_from_slice(&more.dense);
        for (ids, more) in self.ids.iter_mut().zip(&more.ids) {
            ids.append(more);
        }
        self.cells.extend_from_slice(&more.cells);
        self.positions.extend_from_slice(&more.positions);
        for (values, more) in [
            (&mut self.labels, &more.labels),
            (&mut self.durations, &more.durations),
        ] {
            for (values, more) in values.iter_mut().zip(more) {
                values.extend_from_slice(more);
            }
        }
        self.weights.extend_from_slice(&more.weights);
        self.keys.extend_from_slice(&more.keys);
        self.users.extend_from_slice(&more.users);
        self.slates.extend_from_slice(&more.slates);
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

    fn select(&self, rows: &[u32]) -> EncodedIds {
        let mut selected = EncodedIds::with_capacity(rows.len());
        for &row in rows {
            let bag = self.offsets[row as usize] as usize..self.offsets[row as usize + 1] as usize;
            if !self.weights.is_empty() {
                selected.weights.extend_from_slice(&self.weights[bag.clone()]);
            }
            if self.keys.is_empty() {
                selected.rows.extend_from_slice(&self.rows[bag]);
            } else {
                selected.keys.extend_from_slice(&self.keys[bag]);
            }
            selected.end_bag();
        }
        selected
    }

    fn append(&mut self, more: &EncodedIds) {
        let base = self.len() as u32;
        self.offsets
            .extend(more.offsets[1..].iter().map(|offset| base + offset));
        self.rows.extend_from_slice(&more.rows);
        self.keys.extend_from_slice(&more.keys);
        self.weights.extend_from_slice(&more.weights);
    }
}
