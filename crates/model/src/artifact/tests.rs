mod keyed;
mod tensors;

use std::fs;
use std::path::PathBuf;

use safetensors::tensor::Dtype;

use super::*;
use crate::testing::{BOTTOMS, MIXTURES, every_network, random_batch, ranker_of, see_everything, spec_with};
use crate::{Positions, Scaler, Watch};

/// A ranker that is not as it began: rows seen, a scaler fitted, a shallow tower.
fn trained(model: &str) -> Ranker {
    let mut ranker = ranker_of(&spec_with(model), 9);
    ranker.weights.tables[0].sightings[2] = u8::MAX;
    for (at, weight) in ranker
        .weights
        .shallow
        .iter_mut()
        .flat_map(|s| &mut s.weight)
        .flatten()
        .enumerate()
    {
        *weight = at as f32 / 3.0;
    }
    let mut fitted = ranker.encoder.fitted().clone();
    let spec = ranker.spec().clone();
    fitted.scalers[spec.field("length").unwrap()] = Some(Scaler::Standard {
        mean: 0.1,
        deviation: 1.0 / 3.0,
    });
    fitted.scalers[spec.field("age").unwrap()] = Some(Scaler::Quantile {
        values: vec![-0.1, 1e-7],
        ranks: vec![0.3, 0.7],
    });
    Ranker {
        encoder: Encoder::new(spec, fitted),
        ..ranker
    }
}

fn written(ranker: &Ranker) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("m-0001");
    write(&path, ranker, &serde_json::json!({ "version": "m-0001" })).unwrap();
    (dir, path)
}

/// The message of the error that reading `files` gives.
fn refusal(files: &Files) -> String {
    from_files(Path::new("run/model"), files).unwrap_err().to_string()
}

#[test]
fn what_is_read_back_predicts_to_the_bit() {
    for model in every_network() {
        let ranker = trained(model);
        let (_dir, path) = written(&ranker);
        let back = read(&path).unwrap();
        assert_eq!(back.weights, ranker.weights);
        assert_eq!(back.encoder.scalers(), ranker.encoder.scalers());
        assert_eq!(**back.spec(), **ranker.spec());
        let batch = random_batch(&ranker, 50, 1);
        assert_eq!(
            back.predict(&batch, Positions::Logged),
            ranker.predict(&batch, Positions::Logged)
        );
    }
}

#[test]
fn the_same_ranker_gives_the_same_bytes() {
    let ranker = trained(MIXTURES[1]);
    assert_eq!(to_files(&ranker).unwrap(), to_files(&ranker.clone()).unwrap());
    let (_a, first) = written(&ranker);
    let (_b, second) = written(&ranker);
    for entry in fs::read_dir(&first).unwrap() {
        let name = entry.unwrap().file_name();
        assert_eq!(
            fs::read(first.join(&name)).unwrap(),
            fs::read(second.join(&name)).unwrap()
        );
    }
}

#[test]
fn a_flipped_byte_is_refused_with_the_path_of_its_file() {
    let ranker = trained(MIXTURES[1]);
    let (_dir, path) = written(&ranker);
    for entry in fs::read_dir(&path).unwrap() {
        let file = entry.unwrap().path();
        let whole = fs::read(&file).unwrap();
        for at in (0..whole.len()).step_by(1 + whole.len() / 20) {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x11;
            fs::write(&file, &damaged).unwrap();
            let message = read(&path).unwrap_err().to_string();
            assert!(
                message.contains(&file.display().to_string()),
                "byte {at}: {message}"
            );
        }
        fs::write(&file, &whole).unwrap();
    }
    assert!(read(&path).is_ok());
}

#[test]
fn a_missing_file_is_refused_with_its_path() {
    let (_dir, path) = written(&trained(BOTTOMS[0]));
    fs::remove_file(path.join(SCALERS)).unwrap();
    let message = read(&path).unwrap_err().to_string();
    assert!(
        message.contains(&path.join(SCALERS).display().to_string()),
        "{message}"
    );
    let nowhere = path.join("nowhere");
    assert!(read(&nowhere).unwrap_err().to_string().contains("nowhere"));
}

#[test]
fn a_tensor_of_another_shape_or_type_or_none_at_all_is_refused_by_name() {
    let files = to_files(&trained(MIXTURES[1])).unwrap();
    let changed = |change: &dyn Fn(&mut TensorFile)| {
        let mut tensors = TensorFile::from_bytes(Path::new(WEIGHTS), &files[WEIGHTS]).unwrap();
        change(&mut tensors);
        let mut files = files.clone();
        files.insert(WEIGHTS.to_owned(), tensors.to_bytes().unwrap());
        refusal(&files)
    };
    assert_eq!(
        changed(&|tensors| tensors.add_f32("towers.click.0.weight".to_owned(), vec![2, 3], &[0.0; 6])),
        "`run/model/weights.safetensors` is damaged: tensor `towers.click.0.weight` is [2, 3]; the declaration asks for [3, 3]; \
         restore the folder or train again"
    );
    // As many values, other rows and columns.
    let transposed = changed(&|tensors| tensors.add_f32("tables.user".to_owned(), vec![3, 6], &[0.0; 18]));
    assert!(
        transposed.contains("`tables.user` is [3, 6]; the declaration asks for [6, 3]"),
        "{transposed}"
    );
    let bytes = changed(&|tensors| {
        tensors.tensors.insert(
            "experts.1.0.weight".to_owned(),
            (Dtype::U8, vec![4, 3], tensor_file::Data::Held(vec![0; 12].into())),
        );
    });
    assert!(bytes.contains("`experts.1.0.weight` is U8 [4, 3]"), "{bytes}");
    let missing = changed(&|tensors| drop(tensors.tensors.remove("shallow.click")));
    assert!(missing.contains("tensor `shallow.click` is missing"), "{missing}");
    let short = changed(&|tensors| tensors.add_u8("sightings.user".to_owned(), vec![0; 5]));
    assert!(
        short.contains("`sightings.user` is U8 [5]; the declaration asks for 6 bytes"),
        "{short}"
    );
}

#[test]
fn a_declaration_that_no_longer_parses_is_refused_with_file_and_line() {
    let mut files = to_files(&trained(BOTTOMS[0])).unwrap();
    let text = String::from_utf8(files[SPEC].clone())
        .unwrap()
        .replace("\"binary\"", "\"binry\"");
    files.insert(SPEC.to_owned(), text.into_bytes());
    let message = refusal(&files);
    assert!(
        message.starts_with("run/model/ranker.toml:16: `loss` is `binry`"),
        "{message}"
    );
    files.insert(SPEC.to_owned(), vec![0xff, 0xfe]);
    assert!(
        refusal(&files).contains("`run/model/ranker.toml` is damaged"),
        "{}",
        refusal(&files)
    );
    files.remove(SPEC);
    assert!(refusal(&files).contains("ranker.toml"), "{}", refusal(&files));
}

#[test]
fn scalers_of_another_declaration_are_refused() {
    let ranker = trained(BOTTOMS[0]);
    let files = to_files(&ranker).unwrap();
    let with = |change: &dyn Fn(&mut crate::Scalers)| {
        let mut fitted = ranker.encoder.fitted().clone();
        change(&mut fitted.scalers);
        let mut files = files.clone();
        files.insert(SCALERS.to_owned(), serde_json::to_vec(&fitted).unwrap());
        refusal(&files)
    };
    let (user, age) = (0, ranker.spec().field("age").unwrap());
    assert!(with(&|scalers| drop(scalers.pop())).contains("10 scalers; the declaration has 11 fields"));
    assert!(with(&|scalers| scalers[age] = None).contains("the scaler of `age`"));
    assert!(with(&|scalers| scalers[age] = Some(Scaler::None)).contains("the scaler of `age`"));
    assert!(with(&|scalers| scalers[user] = Some(Scaler::None)).contains("the scaler of `user`"));
}

#[test]
fn watch_times_are_read_back_and_those_of_another_declaration_are_refused() {
    let ranker = crate::testing::fitted_to_times(&crate::testing::spec_of_times(), 3);
    let (_dir, path) = written(&ranker);
    let back = read(&path).unwrap();
    assert_eq!(back.encoder.fitted(), ranker.encoder.fitted());
    let batch = random_batch(&ranker, 50, 1);
    assert_eq!(
        back.predict(&batch, Positions::Missing),
        ranker.predict(&batch, Positions::Missing)
    );

    let files = to_files(&ranker).unwrap();
    let with = |change: &dyn Fn(&mut Vec<Option<Watch>>)| {
        let mut fitted = ranker.encoder.fitted().clone();
        change(&mut fitted.watch);
        let mut files = files.clone();
        files.insert(SCALERS.to_owned(), serde_json::to_vec(&fitted).unwrap());
        refusal(&files)
    };
    assert!(with(&|watch| drop(watch.pop())).contains("watch times of 3 objectives; the declaration has 4"));
    assert!(with(&|watch| watch[1] = None).contains("the watch times of `share`"));
    assert!(with(&|watch| watch.swap(1, 2)).contains("the watch times of `share`"));
    assert!(with(&|watch| watch[0] = watch[2].clone()).contains("the watch times of `click`"));
    assert!(
        with(&|watch| watch[2] = Some(Watch::Logistic { mean: 0.0 })).contains("the watch times of `odds`")
    );
    let falling = |watch: &mut Vec<Option<Watch>>| {
        if let Some(Watch::Quantile { groups, .. }) = &mut watch[3] {
            groups[0].knots.reverse();
        }
    };
    assert!(with(&falling).contains("the watch times of `rank`"));
    let unknown = String::from_utf8(files[SCALERS].clone())
        .unwrap()
        .replacen('{', "{\"more\":1,", 1);
    let mut files = files.clone();
    files.insert(SCALERS.to_owned(), unknown.into_bytes());
    assert!(
        refusal(&files).contains("unknown field `more`"),
        "{}",
        refusal(&files)
    );
}

#[test]
fn an_artifact_whose_fingerprint_is_not_its_declaration_s_is_refused() {
    let ranker = trained(BOTTOMS[0]);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("m");
    let about =
        serde_json::json!({ "encoding": "abc", "objectives": ranker.spec().objectives_fingerprint() });
    sealed::write(&path, KIND, about, &published(&ranker).unwrap()).unwrap();
    let message = read(&path).unwrap_err().to_string();
    assert!(message.contains("encoding fingerprint \"abc\""), "{message}");
}

#[test]
fn rows_that_were_seen_stay_seen() {
    let mut ranker = trained(BOTTOMS[0]);
    see_everything(&mut ranker);
    ranker.weights.tables[1].sightings[0] = 0;
    let (_dir, path) = written(&ranker);
    let back = read(&path).unwrap();
    let seen = |ranker: &Ranker| {
        ranker
            .weights
            .tables
            .iter()
            .map(|table| table.sightings.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(seen(&back), seen(&ranker));
}
