//! `expect`: bounds that hold, that are missed, and that cannot be read.

use super::metrics;
use crate::fixture::{Feed, run};

#[test]
fn expect_holds_means_of_runs_against_bounds() {
    let feed = Feed::new();
    assert!(feed.train("a", &[]).status.success());
    assert!(feed.train("b", &["--seed", "1"]).status.success());
    let runs = [feed.text("a"), feed.text("b")];
    let expect = |bounds: &str| {
        std::fs::write(feed.path("expected.toml"), bounds).unwrap();
        run(&["expect", &feed.text("expected.toml"), &runs[0], &runs[1]])
    };

    let holds = expect(
        "[click]\nauc = { min = 0.6, max = 1 }\nloss = { max = 0.7 }\n[watch]\ncalibration = { min = 0.5 }\n",
    );
    assert!(
        holds.status.success(),
        "{}",
        String::from_utf8_lossy(&holds.stderr)
    );
    let table = String::from_utf8(holds.stdout).unwrap();
    let [a, b] = ["a", "b"].map(|run| {
        let report = std::fs::read(feed.path(run).join("metrics.json")).unwrap();
        metrics(&serde_json::from_slice(&report).unwrap(), "click")["auc"]
            .as_f64()
            .unwrap()
    });
    assert!(
        table.contains(&format!("{:.4}", (a + b) / 2.0)) && table.contains(&format!("{a:.4} {b:.4}")),
        "{table}"
    );
    assert_eq!(table.matches("holds").count(), 3, "{table}");

    let missed = expect("[click]\nauc = { min = 0.999 }\nloss = { min = 0 }\n");
    assert_eq!(missed.status.code(), Some(1));
    assert!(String::from_utf8(missed.stdout).unwrap().contains("MISSED"));
    let message = String::from_utf8(missed.stderr).unwrap();
    assert!(
        message.contains("click auc") && !message.contains("click loss"),
        "{message}"
    );

    for (bounds, says) in [
        ("[click]\naux = { min = 0.5 }\n", "no `aux` of `click`"),
        ("[like]\nauc = { min = 0.5 }\n", "no `auc` of `like`"),
        ("[watch]\nauc = { min = 0.5 }\n", "no `auc` of `watch`"),
        ("[click]\nauc = 0.7\n", "`click.auc` needs `min` or `max`"),
        (
            "[click]\nauc = { min = \"high\" }\n",
            "`click.auc.min` is no number",
        ),
        ("[click]\nauc = { min = 0.5, mx = 0.9 }\n", "unknown key `mx`"),
        ("click = 0.7\n", "`click` is no table"),
        ("[click]\n", "no bounds"),
        ("", "no bounds"),
        ("[click\n", "expected.toml"),
    ] {
        let unusable = expect(bounds);
        let message = String::from_utf8(unusable.stderr).unwrap();
        assert_eq!(unusable.status.code(), Some(2), "{bounds}: {message}");
        assert!(message.contains(says), "{message}");
    }
    std::fs::write(feed.path("expected.toml"), "[click]\nauc = { min = 0.5 }\n").unwrap();
    let nowhere = run(&["expect", &feed.text("expected.toml"), &feed.text("nowhere")]);
    assert_eq!(nowhere.status.code(), Some(2));
    assert!(
        String::from_utf8(nowhere.stderr)
            .unwrap()
            .contains(&feed.text("nowhere"))
    );
}
