use super::*;

fn files() -> Files {
    Files::from([
        ("a.bin".to_owned(), vec![1, 2, 3]),
        ("b.txt".to_owned(), b"text".to_vec()),
    ])
}

fn contents(files: &Files) -> Contents<'_> {
    let contents = files.iter().map(|(name, bytes)| (name.clone(), bytes.into()));
    contents.collect()
}

#[test]
fn what_was_written_is_read_back_and_may_be_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("deep/artifact");
    write(&path, "test", serde_json::json!({"n": 1}), &contents(&files())).unwrap();
    write(&path, "test", serde_json::json!({"n": 2}), &contents(&files())).unwrap();
    assert_eq!(
        read(&path, "test").unwrap(),
        (serde_json::json!({"n": 2}), files())
    );
    assert_eq!(
        fs::read_dir(path.parent().unwrap()).unwrap().count(),
        1,
        "nothing is left beside it"
    );
}

#[test]
fn any_flipped_byte_of_any_file_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("artifact");
    write(
        &path,
        "test",
        serde_json::json!({"examples": 10}),
        &contents(&files()),
    )
    .unwrap();
    for entry in fs::read_dir(&path).unwrap() {
        let file = entry.unwrap().path();
        let whole = fs::read(&file).unwrap();
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x10;
            if damaged[at].is_ascii_whitespace() && whole[at].is_ascii_whitespace() {
                continue;
            }
            fs::write(&file, &damaged).unwrap();
            assert!(read(&path, "test").is_err(), "byte {at} of {}", file.display());
        }
        fs::write(&file, &whole).unwrap();
    }
    assert!(read(&path, "test").is_ok());
}

#[test]
fn a_crash_between_the_two_renames_leaves_the_old_folder_readable() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("artifact");
    write(&path, "test", serde_json::json!(1), &contents(&files())).unwrap();
    fs::rename(&path, beside(&path, "old")).unwrap();
    assert_eq!(read(&path, "test").unwrap().0, serde_json::json!(1));
    write(&path, "test", serde_json::json!(2), &contents(&files())).unwrap();
    assert_eq!(read(&path, "test").unwrap().0, serde_json::json!(2));
    assert_eq!(
        fs::read_dir(dir.path()).unwrap().count(),
        1,
        "nothing is left beside it"
    );
}
