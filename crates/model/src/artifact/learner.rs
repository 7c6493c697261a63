//! A table that gives rows to ids, as a checkpoint keeps it: its rows and all that decides which id gets which.

use std::path::Path;

use nn::Embedding;

use super::TensorFile;
use crate::key_map::KeyMapState;
use crate::{IdTable, KeyMap, ModelError};

/// Names of the generations of ids that wait.
const GENERATIONS: [&str; 2] = ["older", "newer"];

/// Adds the table `name`.
pub(super) fn add<'a>(file: &mut TensorFile<'a>, name: &str, map: &'a KeyMap, rows: &'a Embedding) {
    file.add_f32(
        format!("tables.{name}"),
        vec![rows.rows, rows.dim],
        rows.weight.as_slice(),
    );
    let keys = map.keys();
    file.add_numbers(format!("keys.{name}"), keys.len(), || keys.iter().copied());
    file.add_u64(format!("free.{name}"), map.free_rows().map(u64::from));
    for (generation, (keys, sightings)) in GENERATIONS.iter().zip(map.waiting_ids()) {
        let of = format!("waiting.{name}.{generation}");
        file.add_numbers(format!("{of}.keys"), keys.len(), || keys.iter().copied());
        file.add_u8(format!("{of}.sightings"), sightings);
    }
    let met = map.met().count();
    file.add_numbers(format!("met.{name}.rows"), met, || {
        map.met().map(|(row, _)| u64::from(row))
    });
    file.add_numbers(format!("met.{name}.ticks"), met, || {
        map.met().map(|(_, tick)| tick.cast_unsigned())
    });
    let state = [map.now().cast_unsigned(), map.refused()];
    file.add_u64(format!("now_and_refused.{name}"), state.into_iter());
}

/// The table `declared` of such a file, which goes on from there; `map` is its empty map, `path` names the file in errors.
pub(super) fn table(
    path: &Path,
    file: &TensorFile,
    declared: &spec::Table,
    map: KeyMap,
) -> Result<IdTable, ModelError> {
    let name = &declared.name;
    let misfit = |problem: String| ModelError::damaged(path, format!("the table `{name}` has {problem}"));
    let numbers = |tensor: String| file.u64s(path, &tensor);
    let rows_of = |tensor: String| -> Result<Vec<u32>, ModelError> {
        let rows = numbers(tensor)?
            .into_iter()
            .map(u32::try_from)
            .collect::<Result<_, _>>();
        rows.map_err(|_| misfit("a row number that is too large".to_owned()))
    };
    let waiting = |generation: &str| -> Result<(Vec<u64>, Vec<u8>), ModelError> {
        let keys = numbers(format!("waiting.{name}.{generation}.keys"))?;
        let sightings = format!("waiting.{name}.{generation}.sightings");
        let sightings = file.u8(path, &sightings, keys.len())?;
        Ok((keys, sightings))
    };
    let ticks = numbers(format!("met.{name}.ticks"))?
        .into_iter()
        .map(u64::cast_signed);
    let [now, refused] = numbers(format!("now_and_refused.{name}"))?[..] else {
        return Err(misfit("no time".to_owned()));
    };
    let state = KeyMapState {
        keys: numbers(format!("keys.{name}"))?,
        free: rows_of(format!("free.{name}"))?,
        waiting: [waiting(GENERATIONS[0])?, waiting(GENERATIONS[1])?],
        met: rows_of(format!("met.{name}.rows"))?
            .into_iter()
            .zip(ticks)
            .collect(),
        now: now.cast_signed(),
        refused,
    };
    let map = map.resume(state).map_err(misfit)?;
    let tensor = format!("tables.{name}");
    let rows = file.shape(path, &tensor)?.first().copied().unwrap_or_default();
    if rows < map.rows() || rows > map.most_rows() {
        return Err(misfit(format!("{rows} rows for {} of its map", map.rows())));
    }
    file.check_shape(path, &tensor, &[rows, declared.dim])?;
    let mut embedding = Embedding {
        weight: vec![0.0; rows * declared.dim],
        rows,
        dim: declared.dim,
    };
    file.fill_f32(path, &tensor, &mut embedding.weight)?;
    Ok(IdTable::keyed(embedding, declared.admit_after, map))
}
