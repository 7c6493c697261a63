mod shuffled;

use std::sync::Arc;

use spec::Spec;

use super::html;
use crate::{
    Anatomy, Bin, CellCheck, Confounding, DebiasCheck, EpochMetrics, Evaluation, LayerUnits, Leak,
    ObjectiveCheck, ObjectiveMetrics, PositionCurve, PositionPoint, SlopeRange, Spread, TableFill, Traffic,
    TrainReport,
};

/// A declaration of `objectives`, with a shallow tower and a mixture.
fn spec(objectives: &[&str]) -> Arc<Spec> {
    let lines = objectives
        .iter()
        .map(|name| format!("\"{name}\" = {{ group = \"g\", loss = \"binary\", absent = 0 }}\n"));
    let text = format!(
        "[fields]\nuser = {{ side = \"user\", kind = \"id\", dim = 2, buckets = 8 }}\n\
         device = {{ side = \"context\", kind = \"id\", values = [\"a\", \"b\"], use = \"bias\" }}\n[objectives]\n{}\
         [model]\narchitecture = \"mmoe\"\nexperts = {{ count = 2, widths = [4] }}\n\
         [bias]\nfields = [\"position\", \"device\"]\ngroups = [\"g\"]\n[score]\n\"{}\" = 1.0\n",
        lines.collect::<String>(),
        objectives[0],
    );
    Arc::new(Spec::parse("ranker.toml", &text).unwrap_or_else(|mistakes| panic!("{mistakes}")))
}

fn metrics(name: &str, loss: f64) -> ObjectiveMetrics {
    ObjectiveMetrics {
        name: name.to_owned(),
        loss_name: "log loss".to_owned(),
        examples: 1000,
        positives: Some(300),
        mean_label: 0.3,
        loss: Some(loss),
        constant_loss: Some(0.6109),
        auc: Some(0.7123),
        gauc: None,
        calibration: Some(1.01),
        normalized_entropy: Some(loss / 0.6109),
        calibration_error: Some(f64::NAN),
        slate_auc: None,
        ndcg_10: None,
        equal_position_auc: None,
        xauc: None,
        mean_absolute_error: None,
        missing_auc: None,
        missing_slate_auc: None,
        missing_equal_position_auc: None,
        missing_calibration: None,
        shuffled_list_auc: Some(measure::ListAuc {
            auc: measure::Interval {
                mean: 0.6543,
                low: 0.61,
                high: 0.7,
            },
            slates: 1234,
        }),
    }
}

fn evaluation(names: &[&str], loss: f64) -> Evaluation {
    Evaluation {
        objectives: names.iter().map(|name| metrics(name, loss)).collect(),
    }
}

fn curve(objective: &str, cell: &str) -> PositionCurve {
    let point = |position: u32, rows| PositionPoint {
        position,
        rows,
        raw: (position != 2).then(|| -f64::from(position)),
        learned: -0.5 * f64::from(position),
    };
    PositionCurve {
        product: false,
        objective: objective.to_owned(),
        cell: cell.to_owned(),
        points: vec![
            point(1, 900),
            point(2, 700),
            point(3, 40),
            point(4, 30),
            point(6, 7),
        ],
    }
}

fn debias_check(names: &[&str]) -> DebiasCheck {
    let spread = |eta2| Spread {
        rows: 9_000,
        positions: 10,
        eta2,
        swap: Some(0.7512),
        slope: SlopeRange::at(eta2),
        verdict: Confounding::CannotTell,
    };
    DebiasCheck {
        rows: 9_000,
        verdict: Some(Confounding::CannotTell),
        problem: None,
        notes: vec!["a note <of> it".to_owned()],
        objectives: (names.iter())
            .map(|name| ObjectiveCheck {
                objective: (*name).to_owned(),
                all: spread(0.4561),
                cells: vec![CellCheck {
                    cell: "a".to_owned(),
                    spread: spread(0.7),
                }],
                shuffled: None,
            })
            .collect(),
        traffic: Traffic {
            slates: 900,
            slates_per_day: Some(450.0),
            shuffled: 0,
            needed: 2_000,
            days: Some(148.1),
        },
        summary: String::new(),
    }
}

/// A report that has everything.
fn report(names: &[&str]) -> TrainReport {
    let epochs = (1..=3).map(|epoch| EpochMetrics {
        curve_moved: None,
        epoch,
        relative_loss: 1.0 / epoch as f64,
        validation: evaluation(names, 0.5 / epoch as f64),
        logistic_relative_loss: Some(0.9),
    });
    let bins = [0.1, 0.5].map(|predicted| Bin {
        predicted,
        observed: predicted * 1.1,
        examples: 500,
    });
    TrainReport {
        form: None,
        rows: [70_000, 10_000, 20_000],
        judged: 20_000,
        seed: 17,
        multiplications: 123_456,
        epochs: epochs.collect(),
        best_epoch: 2,
        means: vec![Some(0.31); names.len()],
        test: evaluation(names, 0.5),
        logistic: Some(evaluation(names, 0.52)),
        position_curves: (names.iter())
            .flat_map(|name| ["a", "b"].map(|cell| curve(name, cell)))
            .collect(),
        anchored_curves: (names.iter())
            .flat_map(|name| ["a", "b"].map(|cell| shuffled::anchored(name, cell)))
            .collect(),
        debias_check: Some(debias_check(names)),
        anatomy: Anatomy {
            gates: vec![vec![0.995, 0.005]; names.len()],
            polarised: vec![0.75; names.len()],
            layers: vec![LayerUnits {
                name: "shared layer 1".to_owned(),
                units: 10,
                dead: 1,
                active: 0.4,
            }],
            tables: ["user", "device"]
                .map(|name| TableFill {
                    name: name.to_owned(),
                    rows: 8,
                    admitted: 5,
                    waiting: 1,
                    refused: 0,
                })
                .to_vec(),
            calibration: vec![bins.to_vec(); names.len()],
        },
        leaks: Vec::new(),
        warnings: Vec::new(),
        alarms: Vec::new(),
    }
}

fn page(names: &[&str], change: impl FnOnce(&mut TrainReport)) -> String {
    let mut report = report(names);
    change(&mut report);
    html(&spec(names), &report)
}

/// The sections of a page, each with what it holds.
fn section<'a>(page: &'a str, id: &str) -> Option<&'a str> {
    let (_, rest) = page.split_once(&format!("<section id=\"{id}\">"))?;
    Some(rest.split_once("</section>")?.0)
}

/// Fails where a tag is not closed in its order.
fn assert_balanced(page: &str) {
    let mut open = Vec::new();
    for tag in page.split('<').skip(1) {
        let (tag, _) = tag
            .split_once('>')
            .unwrap_or_else(|| panic!("a tag without end: {tag}"));
        let name = tag.split([' ', '\n']).next().unwrap_or_default();
        if let Some(name) = name.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "closed out of order");
        } else if !tag.ends_with('/') && !["!DOCTYPE", "meta", "br"].contains(&name) {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "never closed: {open:?}");
}

/// Fails unless the page can be read without a network and runs nothing.
fn assert_alone(page: &str) {
    for word in [
        "http://",
        "https://",
        "<script",
        "src=",
        "@import",
        "url(",
        "<link",
        "javascript:",
    ] {
        assert!(!page.contains(word), "{word}");
    }
}

#[test]
fn the_page_is_balanced_and_needs_nothing_beside_it() {
    let many: Vec<String> = (0..60).map(|at| format!("objective_{at}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for names in [&["click"][..], &["click", "喜欢", "rare"], &many] {
        let page = page(names, |_| ());
        assert_balanced(&page);
        assert_alone(&page);
        assert!(!page.contains("could not be drawn") && page.contains("<svg"));
        for name in names {
            assert!(
                section(&page, "metrics").is_some_and(|metrics| metrics.contains(&format!("<b>{name}</b>")))
            );
        }
    }
}

#[test]
fn the_same_report_gives_the_same_bytes() {
    let names = ["click", "like"];
    assert_eq!(page(&names, |_| ()), page(&names, |_| ()));
    assert_ne!(page(&names, |_| ()), page(&names, |report| report.seed = 18));
}

#[test]
fn a_section_is_there_exactly_when_it_has_something_to_show() {
    let names = ["click", "like"];
    let sections = |page: &str| -> Vec<&str> {
        let all = super::SECTIONS.iter().map(|section| section.id);
        let held: Vec<&str> = all.filter(|id| section(page, id).is_some()).collect();
        for id in &held {
            assert!(
                page.contains(&format!("href=\"#{id}\"")),
                "{id} is not among the contents"
            );
        }
        assert_eq!(page.matches("href=").count(), held.len());
        held
    };
    let whole = [
        "metrics",
        "learning",
        "calibration",
        "experts",
        "units",
        "debias",
        "positions",
        "tables",
        "origin",
    ];
    assert_eq!(sections(&page(&names, |_| ())), whole);
    let without = |change: fn(&mut TrainReport), id: &str| {
        let rest: Vec<&str> = whole.into_iter().filter(|section| *section != id).collect();
        assert_eq!(sections(&page(&names, change)), rest);
    };
    without(|report| report.anatomy.gates.clear(), "experts");
    without(|report| report.debias_check = None, "debias");
    without(|report| report.anatomy.layers.clear(), "units");
    without(|report| report.anatomy.tables.clear(), "tables");
    without(
        |report| report.anatomy.calibration.iter_mut().for_each(Vec::clear),
        "calibration",
    );
    without(|report| report.position_curves.clear(), "positions");
    let bare = |report: &mut TrainReport| {
        report.anatomy = Anatomy::default();
        report.position_curves.clear();
        report.debias_check = None;
    };
    assert_eq!(sections(&page(&names, bare)), ["metrics", "learning", "origin"]);
}

#[test]
fn every_name_that_a_user_gives_is_escaped() {
    const HOSTILE: &str = "<img src=x onerror=\"alert(1)\">&'";
    let page = page(&["click"], |report| {
        let of = |evaluation: &mut Evaluation| evaluation.objectives[0].name = HOSTILE.to_owned();
        of(&mut report.test);
        report.logistic.iter_mut().for_each(of);
        report.position_curves.iter_mut().for_each(|curve| {
            curve.objective = HOSTILE.to_owned();
            curve.cell = format!("{}{HOSTILE}", curve.cell);
        });
        report.anchored_curves.iter_mut().for_each(|curve| {
            curve.objective = HOSTILE.to_owned();
            curve.cell = format!("{}{HOSTILE}", curve.cell);
        });
        report.anatomy.layers[0].name = HOSTILE.to_owned();
        report.anatomy.tables[0].name = HOSTILE.to_owned();
        report.leaks = vec![Leak {
            field: HOSTILE.to_owned(),
            objective: HOSTILE.to_owned(),
            auc: 0.97,
        }];
        report.alarms = vec![HOSTILE.to_owned()];
        report.warnings = vec![HOSTILE.to_owned()];
    });
    assert!(!page.contains("<img") && !page.contains("onerror=\""));
    assert!(page.matches("&lt;img src=x").count() > 10);
    assert_balanced(&page);
}

#[test]
fn the_declaration_is_shown_as_it_was_typed() {
    let text = "# what <b>we</b> rank & why\n";
    let spec = spec(&["click"]);
    let spec = Spec::parse("ranker.toml", &format!("{text}{}", spec.text))
        .unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let page = html(&spec, &report(&["click"]));
    let origin = section(&page, "origin").unwrap_or_default();
    assert!(origin.contains("# what &lt;b&gt;we&lt;/b&gt; rank &amp; why\n"));
    assert!(origin.contains("buckets = 8 }\n") && origin.contains("watchnext serve --model RUN"));
    assert!(origin.contains("--seed 17"));
}

#[test]
fn the_head_says_whether_the_model_may_be_served() {
    let names = ["click"];
    let fine = page(&names, |_| ());
    assert!(fine.contains("<b>No alarm</b>, no warning."));
    assert!(fine.contains("1 of 1 objective, and below a logistic regression"));

    let leak = |report: &mut TrainReport| {
        report.leaks = vec![Leak {
            field: "f".to_owned(),
            objective: "click".to_owned(),
            auc: 0.97,
        }];
        report.warnings = vec![report.leaks[0].to_string()];
    };
    let warned = page(&names, leak);
    assert!(warned.contains("<div class=\"warning\"><b>No alarm, but 1 warning</b>"));
    assert!(!warned.contains("class=\"alarm\""));
    assert_eq!(
        warned.matches("the field <code>f</code> alone predicts").count(),
        1
    );

    let alarmed = page(&names, |report| {
        report.alarms = (0..7).map(|at| format!("layer {at} is dead")).collect();
    });
    assert!(alarmed.contains("<div class=\"alarm\"><b>7 alarms: do not serve this model</b>"));
    assert!(
        alarmed.contains("layer 0 is dead")
            && alarmed.contains("layer 6 is dead")
            && alarmed.contains("2 more")
    );
    assert!(!alarmed.contains("No alarm"));
}

#[test]
fn a_metric_that_is_worse_than_a_baseline_is_marked() {
    let marked = |loss: f64| {
        page(&["click"], |report| report.test = evaluation(&["click"], loss))
            .matches("td class=\"worse\"")
            .count()
    };
    // Loss, loss / constant and NE, against the logistic regression's 0.52.
    assert_eq!([0.50, 0.52, 0.53].map(marked), [0, 0, 3]);
}

#[test]
fn numbers_that_do_not_exist_are_dashes_and_leave_gaps() {
    let page = page(&["click", "like"], |report| {
        let metrics = &mut report.test.objectives[1];
        (metrics.examples, metrics.loss, metrics.auc) = (0, None, None);
        metrics.normalized_entropy = Some(f64::INFINITY);
        report.means[1] = None;
        report.epochs[0].relative_loss = f64::NAN;
        report.epochs[1].validation.objectives[0].loss = None;
        report.anatomy.gates[0][1] = f64::NAN;
        report.anatomy.polarised[0] = f64::NAN;
        report.anatomy.calibration[0][0].examples = 0;
        report.anatomy.layers[0].units = 0;
        report.anatomy.tables[0].rows = 0;
        report.position_curves[0].points[0].learned = f64::NAN;
    });
    assert_balanced(&page);
    for word in ["NaN", "inf<", "could not be drawn"] {
        assert!(!page.contains(word), "{word}");
    }
    assert!(page.contains("<td>–</td>"));
}

#[test]
fn one_epoch_is_told_in_a_sentence_and_several_are_drawn() {
    let learning = |epochs: usize| {
        let page = page(&["click", "like"], |report| {
            report.epochs.truncate(epochs);
            report.best_epoch = 1;
        });
        section(&page, "learning").unwrap_or_default().to_owned()
    };
    assert!(learning(1).contains("1 epoch of at most") && !learning(1).contains("<svg"));
    // The mean, and loss and AUC by objective.
    assert_eq!(learning(3).matches("<svg").count(), 3);
    assert!(learning(3).contains("kept epoch"));
}

#[test]
fn dead_layers_unused_experts_and_rare_positions_are_named() {
    let page = page(&["click"], |report| report.anatomy.layers[0].dead = 5);
    assert!(section(&page, "units").is_some_and(|units| units.contains("<tr class=\"bad\">")));
    let experts = section(&page, "experts").unwrap_or_default();
    assert!(experts.contains("1 expert with less than 1 % of every mixture: 2."));
    assert!(experts.contains("<tr class=\"worse\">") && experts.contains("75.0 %"));
    let positions = section(&page, "positions").unwrap_or_default();
    assert!(positions.contains("3 to 4, 6</td><td>77</td>"), "{positions}");
    // Only the shallow tower reads `device`: its table has no rows to fill.
    assert!(
        section(&page, "tables")
            .is_some_and(|tables| tables.contains(">user<") && !tables.contains(">device<"))
    );
}

#[test]
fn a_crowd_of_cells_is_cut_to_those_with_the_most_rows() {
    let page = page(&["click"], |report| {
        report.position_curves = (0..11)
            .map(|cell| curve("click", &format!("cell {cell}")))
            .collect();
        report.position_curves[4].points[0].rows = 1;
    });
    let positions = section(&page, "positions").unwrap_or_default();
    let figures = positions
        .split("<div class=\"scroll\">")
        .next()
        .unwrap_or_default();
    assert!(figures.contains("3 other cells") && figures.contains("cell 7") && !figures.contains("cell 4<"));
}

#[test]
fn the_check_of_positions_says_its_verdict_its_numbers_and_what_to_collect() {
    let whole = page(&["click"], |_| ());
    let shown = section(&whole, "debias").unwrap();
    for says in [
        "<b>cannot tell</b>: positions and relevance cannot be told apart",
        "collect 2000 shuffled slates, about 149 days at your traffic of 450 slates a day",
        "0.456",
        "0.75 to 1.44",
        "0.75 to 1.58 or further",
        "a note &lt;of&gt; it.",
    ] {
        assert!(shown.contains(says), "`{says}` is not in {shown}");
    }
    let unknown = page(&["click"], |report| {
        let check = report.debias_check.as_mut().unwrap();
        (check.verdict, check.problem) = (None, Some("no row has a position".to_owned()));
        check.objectives.clear();
    });
    assert!(
        section(&unknown, "debias")
            .unwrap()
            .contains("<b>not known</b>: no row has a position.")
    );
}
