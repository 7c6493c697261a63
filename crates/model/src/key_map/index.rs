//! From keys to row numbers: a hash table of row numbers over the keys by row.

use hashbrown::HashTable;

use super::NO_ID;

/// Keys by row, and the row of each key.
#[derive(Debug, Clone, Default)]
pub(crate) struct KeyIndex {
    /// [`NO_ID`]: the row has no key.
    keys: Vec<u64>,
    /// Keys are hashes themselves.
    rows: HashTable<u32>,
}

/// Makes room for one value more by an eighth of what is there: a doubled list could be twice what was declared.
pub(crate) fn grow<T>(values: &mut Vec<T>) {
    if values.len() == values.capacity() {
        values.reserve_exact(values.len() / 8 + 64);
    }
}

impl PartialEq for KeyIndex {
    fn eq(&self, other: &KeyIndex) -> bool {
        self.keys == other.keys
    }
}

impl KeyIndex {
    /// One row without a key.
    pub(crate) fn with_new() -> KeyIndex {
        KeyIndex {
            keys: vec![NO_ID],
            rows: HashTable::new(),
        }
    }

    /// The index of `keys` by row; says which key has two rows.
    pub(crate) fn of(keys: Vec<u64>) -> Result<KeyIndex, String> {
        let mut index = KeyIndex::default();
        for key in keys {
            if key == NO_ID {
                index.keys.push(key);
            } else if index.find(key).is_some() {
                return Err(format!("the key {key:016x} is there twice"));
            } else {
                index.push(key);
            }
        }
        Ok(index)
    }

    /// No rows; the room stays.
    pub(crate) fn clear(&mut self) {
        self.keys.clear();
        self.rows.clear();
    }

    /// Rows, those without a key among them.
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    pub(crate) fn keys(&self) -> &[u64] {
        &self.keys
    }

    /// The row of `key`, which is not [`NO_ID`].
    pub(crate) fn find(&self, key: u64) -> Option<u32> {
        let is_it = |row: &u32| self.keys[*row as usize] == key;
        self.rows.find(key, is_it).copied()
    }

    /// Gives `key`, which has none, the next row.
    pub(crate) fn push(&mut self, key: u64) -> u32 {
        let row = self.keys.len() as u32;
        grow(&mut self.keys);
        self.keys.push(key);
        self.insert(row, key);
        row
    }

    /// Gives `key`, which has none, the row `row` without a key.
    pub(crate) fn reuse(&mut self, row: u32, key: u64) {
        self.keys[row as usize] = key;
        self.insert(row, key);
    }

    fn insert(&mut self, row: u32, key: u64) {
        let keys = &self.keys;
        self.rows.insert_unique(key, row, |row| keys[*row as usize]);
    }

    /// Takes the key of `row`.
    pub(crate) fn free(&mut self, row: u32) {
        let key = std::mem::replace(&mut self.keys[row as usize], NO_ID);
        if let Ok(entry) = self.rows.find_entry(key, |other| *other == row) {
            entry.remove();
        }
    }

    /// Bytes of `rows` keys and of the places of their index: a power of two, at most seven eighths full. Where keys come and go, the
    /// places of those that went count too until the table is made anew, which may double it.
    pub(crate) fn bytes(rows: u64, keys_go: bool) -> u64 {
        let places = (rows * 8).div_ceil(7).next_power_of_two();
        8 * rows + 5 * if keys_go { 2 * places } else { places }
    }
}
