use super::page;
use crate::{AnchoredCurve, AnchoredPoint};

pub(super) fn anchored(objective: &str, cell: &str) -> AnchoredCurve {
    AnchoredCurve {
        objective: objective.to_owned(),
        cell: cell.to_owned(),
        slates: 250,
        rows: 20,
        level: 0.1,
        slope: -0.812,
        slope_error: 0.1234,
        joint_slope: -1.4,
        weight: 0.75,
        points: [1, 2]
            .map(|position| AnchoredPoint {
                position,
                rows: 10,
                anchored: -0.5 * f64::from(position),
                joint: -0.7 * f64::from(position),
            })
            .to_vec(),
    }
}

#[test]
fn shuffled_slates_judge_and_anchor_and_where_there_are_none_the_page_says_how_to_get_them() {
    let missing = "no shuffled slates: set <code>[explore] shuffle = 0.02</code>";
    let shown = page(&["click"], |_| ());
    for said in [
        "On shuffled slates",
        "1,234",
        "0.6543",
        "0.6100 to 0.7000",
        "-0.812",
        "0.123",
    ] {
        assert!(shown.contains(said), "{said}");
    }
    assert!(!shown.contains(missing));
    let none = page(&["click"], |report| {
        report.test.objectives[0].shuffled_list_auc = None;
        report.anchored_curves.clear();
    });
    assert!(none.contains(missing) && !none.contains("On shuffled slates"));
    assert!(!none.contains("By shuffled slates alone"));
}
