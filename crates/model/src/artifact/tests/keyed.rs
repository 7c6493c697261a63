//! Tables that give rows to ids: what is written, mapped and shared between versions.

use std::os::unix::fs::MetadataExt;

use super::*;
use crate::testing::{parsed, random_batch, ranker_of};
use crate::{Encoded, Gradients, StepKeys, TrainWorkspace};

const DECLARATION: &str = r#"
[fields]
user  = { side = "user", kind = "id", dim = 3, capacity = 40, forget_after = "64ms", admit_after = 2 }
liked = { side = "user", kind = "ids", shares = "user" }
tags  = { side = "item", kind = "ids", dim = 2, capacity = 30, weights = "w", pool = "sum", id_dropout = 0.2 }
topic = { side = "item", kind = "id", dim = 2, buckets = 7 }

[objectives]
click = { group = "g", loss = "binary", absent = 0 }

[model]
architecture = "shared-bottom"
shared = [4]

[score]
click = 1.0
"#;

/// A batch of ids in 0 to 60, each example 4 ms after the last.
fn batch(ranker: &Ranker, step: u64) -> Encoded {
    let mut batch = random_batch(ranker, 16, step + 1);
    batch.times = (0..16).map(|row| (step * 16 + row) as i64 * 4).collect();
    batch
}

/// A ranker that has met ids for 30 steps, its weights moved by its gradients.
fn learned() -> Ranker {
    let mut ranker = ranker_of(&parsed(DECLARATION), 3);
    let (mut work, mut gradients) = (TrainWorkspace::new(&ranker, 16), Gradients::new(&ranker));
    for step in 0..30 {
        let keys = StepKeys {
            seed: 1,
            pass: 0,
            step: 0,
            first_pass: true,
        };
        let batch = batch(&ranker, step);
        ranker.gradient(&batch, keys, &mut work, &mut gradients);
        for (table, gradient) in ranker.weights.tables.iter_mut().zip(&gradients.tables) {
            for (at, row) in gradient.rows().iter().enumerate() {
                let values = table.embedding.row_mut(*row).iter_mut();
                values
                    .zip(gradient.row(at))
                    .for_each(|(value, d)| *value -= 3.0 * d);
            }
        }
    }
    ranker
}

/// Encoded examples of ids that were met and of others.
fn judged(ranker: &Ranker) -> Encoded {
    let mut batches = batch(ranker, 29);
    batches.append(&batch(ranker, 77));
    batches
}

#[test]
fn a_published_table_predicts_what_the_learning_one_does_to_the_bit_mapped_or_read() {
    let ranker = learned();
    let (_dir, path) = written(&ranker);
    let mapped = read(&path).unwrap();
    let (_, files) = sealed::open(&path, KIND, |_| false).unwrap();
    let copied = from_published(&path, files).unwrap();
    let batch = judged(&ranker);
    let expected = ranker.predict(&batch, Positions::Missing);
    for back in [&mapped, &copied] {
        assert_eq!(back.predict(&batch, Positions::Missing), expected);
        for (table, published) in ranker.weights.tables.iter().zip(&back.weights.tables) {
            assert_eq!(table.rows_in_use(), published.rows_in_use());
        }
    }
    let in_use: Vec<usize> = ranker.weights.tables.iter().map(IdTable::rows_in_use).collect();
    assert!(in_use[0] > 5 && in_use[0] < 40 && in_use[1] == 30, "{in_use:?}");
    let of_new = ranker_of(ranker.spec(), 3).predict(&batch, Positions::Missing);
    assert_ne!(of_new, expected, "the tables say something");
}

#[test]
fn every_key_of_a_large_table_is_found_and_no_other() {
    let mut map = KeyMap::new(100_000, 1, None);
    map.begin_step();
    let hash = |id: u64| xxhash_rust::xxh3::xxh3_64(&id.to_le_bytes());
    // Beside hashes, keys that crowd at both ends.
    let keys = (0..20_000)
        .map(hash)
        .chain(1..3000)
        .chain(u64::MAX - 3000..=u64::MAX);
    let keys: Vec<u64> = keys.collect();
    for key in &keys {
        map.meet(*key, 0);
    }
    let embedding = nn::Embedding {
        weight: (0..map.rows()).map(|row| row as f32).collect(),
        rows: map.rows(),
        dim: 1,
    };
    let bytes = PublishedRows::tensors(&map, &embedding).to_bytes().unwrap();
    let rows = PublishedRows::of(Path::new("t"), Arc::new(FileBytes::Read(bytes)), 1).unwrap();
    assert_eq!(rows.len(), keys.len());
    for key in &keys {
        let row = rows.find(*key);
        let mut value = [0.0];
        let bags = nn::Bags {
            offsets: &[0, 1],
            rows: &[row],
            weights: &[],
        };
        rows.forward(bags, nn::Pool::Sum, nn::MatMut::new(&mut value, 1, 1));
        assert_eq!(value[0], map.find(*key) as f32);
    }
    for id in 20_000..40_000 {
        assert_eq!(rows.find(hash(id)), rows.new_row());
    }
    assert_eq!(
        [0, 3000, u64::MAX - 3001].map(|key| rows.find(key)),
        [rows.new_row(); 3]
    );
}

#[test]
fn a_checkpoint_keeps_who_has_which_row_and_goes_on_the_same() {
    let mut ranker = learned();
    let mut back = from_files(Path::new("c"), &to_files(&ranker).unwrap()).unwrap();
    let keys = StepKeys {
        seed: 1,
        pass: 0,
        step: 0,
        first_pass: true,
    };
    for step in 30..40 {
        let batch = batch(&ranker, step);
        for ranker in [&mut ranker, &mut back] {
            let (mut work, mut gradients) = (TrainWorkspace::new(ranker, 16), Gradients::new(ranker));
            ranker.gradient(&batch, keys, &mut work, &mut gradients);
        }
        assert_eq!(
            to_files(&back).unwrap(),
            to_files(&ranker).unwrap(),
            "step {step}"
        );
    }
}

#[test]
fn the_files_of_an_artifact_are_the_same_read_back_and_written_again() {
    let ranker = learned();
    let (_dir, path) = written(&ranker);
    let back = read(&path).unwrap();
    assert_eq!(published_files(&back).unwrap(), published_files(&ranker).unwrap());
    let message = to_files(&back).unwrap_err().to_string();
    assert!(message.contains("the table `user` is an artifact's"), "{message}");
}

#[test]
fn a_version_shares_the_files_that_did_not_change_with_the_one_before() {
    let ranker = learned();
    let (dir, path) = written(&ranker);
    let mut changed = ranker.clone();
    changed.weights.tables[1].embedding.weight[0] += 1.0;
    let next = dir.path().join("m-0002");
    write_after(Some(&path), &next, &changed, &serde_json::Value::Null).unwrap();
    let same = |name: &str| {
        let inode = |folder: &Path| fs::metadata(folder.join(name)).unwrap().ino();
        inode(&path) == inode(&next)
    };
    let shared = [
        "table-0.safetensors",
        "table-2.safetensors",
        "weights.safetensors",
        SCALERS,
        SPEC,
    ];
    assert_eq!(shared.map(same), [true; 5]);
    assert!(!same("table-1.safetensors") && !same("manifest.json"));
    fs::remove_dir_all(&path).unwrap();
    let batch = judged(&ranker);
    assert_eq!(
        read(&next).unwrap().predict(&batch, Positions::Missing),
        changed.predict(&batch, Positions::Missing),
        "what is shared outlives the version before"
    );
}

#[test]
fn a_damaged_file_of_the_version_before_is_written_again() {
    let ranker = learned();
    let (dir, path) = written(&ranker);
    let table = path.join("table-0.safetensors");
    let mut bytes = fs::read(&table).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&table, bytes).unwrap();
    let message = read(&path).unwrap_err().to_string();
    assert!(
        message.contains("table-0.safetensors` is damaged: blake3"),
        "{message}"
    );
    let next = dir.path().join("m-0002");
    write_after(Some(&path), &next, &ranker, &serde_json::Value::Null).unwrap();
    assert!(read(&next).is_ok());
}

#[test]
fn a_table_whose_keys_do_not_rise_or_whose_width_differs_is_refused() {
    let ranker = learned();
    let map = ranker.weights.tables[0].map().unwrap();
    let bytes = PublishedRows::tensors(map, &ranker.weights.tables[0].embedding)
        .to_bytes()
        .unwrap();
    let refusal = |bytes: Vec<u8>, dim| {
        let bytes = Arc::new(FileBytes::Read(bytes));
        PublishedRows::of(Path::new("t"), bytes, dim)
            .unwrap_err()
            .to_string()
    };
    let message = refusal(bytes.clone(), 4);
    assert!(message.contains("tensor `rows`"), "{message}");
    let mut file = TensorFile::from_bytes(Path::new("t"), &bytes).unwrap();
    let mut keys = file.u64s(Path::new("t"), "keys").unwrap();
    keys.swap(0, 1);
    file.add_u64("keys".to_owned(), keys.into_iter());
    let message = refusal(file.to_bytes().unwrap(), 3);
    assert!(message.contains("its keys do not rise"), "{message}");
}
