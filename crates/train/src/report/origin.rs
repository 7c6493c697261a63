//! How the model was made, and the commands that go on from here.

use maud::{Markup, html};
use spec::Spec;

use crate::TrainReport;

pub(super) fn body(spec: &Spec, report: &TrainReport) -> Option<Markup> {
    Some(html! {
        p {
            "The same declaration, files and seed give the same model, to the byte on a machine of the same kind. "
            code { "RUN" } " is the folder that this page lies in, where " code { "metrics.json" } " has its metrics for \
             programs; " code { "FILES" } " stands for a log, with " code { "--users" } " and " code { "--items" } " where it has \
             such tables."
        }
        pre {
            code {
                "# again\n"
                "watchnext train ranker.toml --data FILES --out RUN --seed " (report.seed) "\n\n"
                "# on other files, by the values of a field\n"
                "watchnext evaluate RUN --data FILES --by FIELD\n\n"
                "# rank with it\n"
                "watchnext serve --model RUN\n"
            }
        }
        details {
            summary { "The declaration, " code { "ranker.toml" } }
            pre { code { (spec.text) } }
        }
    })
}
