//! The number of threads changes no bit of what is learned.

use crate::fixture::{Feed, RANKER, files};

#[test]
fn one_to_four_threads_write_the_same_bytes_in_both_precisions() {
    let feed = Feed::new();
    let mut of_precisions = Vec::new();
    for precision in ["f32", "bf16"] {
        let train = format!("[train]\nprecision = \"{precision}\"");
        let declaration = RANKER.replacen("[train]", &train, 1);
        assert!(declaration.contains(&train));
        feed.write("ranker.toml", &declaration);
        let run = |threads: u32| {
            let name = format!("{precision}-{threads}");
            let trained = feed.train(&name, &["--threads", &threads.to_string()]);
            let message = String::from_utf8_lossy(&trained.stderr).into_owned();
            assert!(trained.status.success(), "{message}");
            files(&feed.path(&name))
        };
        let alone = run(1);
        assert!(
            alone.keys().any(|file| file.starts_with("checkpoint/")),
            "{:?}",
            alone.keys()
        );
        for threads in 2..=4 {
            assert!(run(threads) == alone, "{threads} threads, {precision}");
        }
        of_precisions.push(alone);
    }
    assert!(
        of_precisions[0] != of_precisions[1],
        "bfloat16 changes what is learned"
    );
}
