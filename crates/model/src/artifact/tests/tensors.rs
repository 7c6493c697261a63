//! A file of tensors: as the library writes it, the same read from memory and from disk.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use safetensors::tensor::{Dtype, TensorView};

use crate::artifact::TensorFile;
use crate::sealed::Stored;

/// More values than are written at a time.
fn table() -> nn::Embedding {
    nn::Embedding {
        weight: (0..30_000u16).map(f32::from).collect(),
        rows: 10_000,
        dim: 3,
    }
}

fn file(table: &nn::Embedding) -> TensorFile<'_> {
    let mut file = TensorFile::default();
    file.add_f32("b".to_owned(), vec![2, 3], &table.weight[..6]);
    file.add_u8("a".to_owned(), vec![7; 5]);
    file.add_numbers("numbers".to_owned(), 9000, || 0..9000);
    file.add_rows("rows", table, (0..10_000).rev().collect());
    file
}

#[test]
fn a_file_is_the_one_that_the_library_writes() {
    let table = table();
    let floats = |values: &[f32]| {
        values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect::<Vec<u8>>()
    };
    let first = floats(&table.weight[..6]);
    let numbers: Vec<u8> = (0..9000u64).flat_map(u64::to_le_bytes).collect();
    let rows: Vec<u8> = (0..10_000).rev().flat_map(|row| floats(table.row(row))).collect();
    let views = [
        ("a", Dtype::U8, vec![5], &vec![7; 5]),
        ("b", Dtype::F32, vec![2, 3], &first),
        ("numbers", Dtype::U64, vec![9000], &numbers),
        ("rows", Dtype::F32, vec![10_000, 3], &rows),
    ];
    let views =
        views.map(|(name, dtype, shape, bytes)| (name, TensorView::new(dtype, shape, bytes).unwrap()));
    let expected = safetensors::serialize(views, None).unwrap();
    assert!(file(&table).to_bytes().unwrap() == expected);
}

#[test]
fn a_file_gives_the_same_values_from_memory_and_from_disk() {
    let table = table();
    let bytes = file(&table).to_bytes().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    fs::write(&path, &bytes).unwrap();
    for stored in [Stored::Bytes(&bytes), Stored::File(&path)] {
        let back = stored.tensors(&path).unwrap();
        let mut rows = vec![0.0; 30_000];
        back.fill_f32(&path, "rows", &mut rows).unwrap();
        assert!(rows.chunks(3).eq(table.weight.chunks(3).rev()));
        assert!(back.u64s(&path, "numbers").unwrap().into_iter().eq(0..9000));
        assert_eq!(back.u8(&path, "a", 5).unwrap(), [7; 5]);
        assert!(back.u8(&path, "a", 6).is_err());
        // Written again from where it lies.
        assert!(back.to_bytes().unwrap() == bytes);
    }
    fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    assert!(TensorFile::open(&path).is_err(), "cut short");
    assert!(TensorFile::open(Path::new("nowhere")).is_err());
    let shared: Arc<[u32]> = Arc::new([]);
    let mut empty = TensorFile::default();
    empty.add_rows("rows", &table, shared);
    assert!(TensorFile::from_bytes(&path, &empty.to_bytes().unwrap()).is_ok());
}
