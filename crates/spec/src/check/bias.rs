//! `[bias]`: how the bias is taken out, and the fields that only the shallow tower may read.

use super::value::{choice_or, distinct, dropout_or, positive_or, single_or, whole_or};
use crate::raw::{self, Declaration, List, Scalar};
use crate::report::{At, Report};
use crate::{Bias, BiasForm, Field, Kind, Loss, Objective, ServePosition, Table, Use, suggestion};

/// Name of the built-in position in `fields`.
const POSITION: &str = "position";

/// Most cells of the cross: position x fields, each with its `missing` or `new`.
const CELLS: u128 = 1_000_000;

/// Most columns that position and cell are as inputs of the main tower.
const INPUTS: u128 = 4096;

/// Checks `[bias]` and the `use` of fields against it.
pub(super) fn check(
    declared: &Declaration,
    fields: &[Field],
    tables: &[Table],
    objectives: &[Objective],
    report: &Report,
) -> Option<Bias> {
    let Some(raw) = &declared.bias else {
        if !report.blames("bias") {
            left_out(declared, fields, None, report);
        }
        return None;
    };
    let mut bias = Bias {
        fields: Vec::new(),
        objectives: Vec::new(),
        max_position: u32::try_from(whole_or(&raw.max_position, 1, 10_000, 50, report)).unwrap_or(u32::MAX),
        position_dropout: dropout_or(&raw.position_dropout, 0.1, report),
        form: choice_or(&raw.form, &BiasForm::WORDS, BiasForm::Additive, report),
        output_dropout: dropout_or(&raw.output_dropout, 0.0, report),
        gradient_reversal: dropout_or(&raw.gradient_reversal, 0.0, report),
        adversarial: positive_or(&raw.adversarial, 0.1, report),
        propensity_clip: single_or(
            &raw.propensity_clip,
            |clip| clip >= 1.0,
            "a number from 1",
            20.0,
            report,
        ),
        serve_position: serve_position(&raw.serve_position, report),
        learning_rate_scale: positive_or(&raw.learning_rate_scale, 10.0, report),
    };
    match &raw.fields {
        None => report.missing(
            &raw.place,
            "fields",
            "expected `fields = [\"position\", ...]`, which are crossed",
        ),
        Some(list) => {
            left_out(declared, fields, Some(list), report);
            bias.fields = crossed(list, fields, report);
            cells(list, &bias, fields, tables, report);
        }
    }
    match &raw.groups {
        None => report.missing(
            &raw.place,
            "groups",
            "expected the groups of objectives that get a shallow logit",
        ),
        Some(list) => bias.objectives = grouped(list, &declared.objectives.entries, objectives, report),
    }
    fits_form(raw, &bias, objectives, report);
    Some(bias)
}

fn serve_position(typed: &Option<At<Scalar>>, report: &Report) -> ServePosition {
    let Some(at) = typed else {
        return ServePosition::default();
    };
    let found = match &at.value {
        Scalar::Text(word) if word == "missing" => return ServePosition::Missing,
        Scalar::Text(word) if word == "none" => return ServePosition::None,
        Scalar::Number(number) if *number == 1.0 => return ServePosition::First,
        Scalar::Text(word) => format!("`serve_position` is `{word}`"),
        Scalar::Number(number) => format!("`serve_position` is {number}"),
    };
    report.add(&at.place, found, "expected one of: `missing`, `none`, `1`");
    ServePosition::default()
}

/// Reports what the form cannot do with the objectives and keys that were declared.
fn fits_form(raw: &raw::Bias, bias: &Bias, objectives: &[Objective], report: &Report) {
    let Some(form) = raw.form.as_ref() else { return };
    let word = bias.form.word();
    if bias.form == BiasForm::Input
        && let (ServePosition::None, Some(at)) = (bias.serve_position, &raw.serve_position)
    {
        report.add(
            &at.place,
            "`serve_position` is `none`, and the position is an input of the main tower",
            "expected `missing` or `1` with `form = \"input\"`",
        );
    }
    if !bias.form.needs_probabilities() {
        return;
    }
    let sound = |objective: &&Objective| !report.blames(&format!("objectives.{}", objective.name));
    let biased = bias.objectives.iter().map(|&index| &objectives[index]);
    for objective in biased.filter(sound) {
        let why = if objective.loss != Loss::Binary {
            format!("its loss is `{}`", objective.loss.word())
        } else if let Some(given) = objective.given {
            format!("it has `given = \"{}\"`", objectives[given].name)
        } else if objective.keep_negatives < 1.0 {
            format!("it has `keep_negatives = {}`", objective.keep_negatives)
        } else {
            continue;
        };
        let help = "expected binary objectives without `given` and `keep_negatives`, of which every label is an impression's \
             probability: give the objective another group, or write `form = \"additive\"`";
        report.add(
            &form.place,
            format!(
                "`form` is `{word}`, and objective `{}` cannot be a product: {why}",
                objective.name
            ),
            help,
        );
    }
}

/// Reports fields for the shallow tower that it does not list.
fn left_out(declared: &Declaration, fields: &[Field], list: Option<&At<List<String>>>, report: &Report) {
    for (raw, field) in declared.fields.entries.iter().zip(fields) {
        let listed = list.is_some_and(|list| list.value.iter().any(|at| at.value == field.name));
        let Some(at) = raw.usage.as_ref().filter(|_| field.usage != Use::Main && !listed) else {
            continue;
        };
        let message = match list {
            None => format!("`use` is `{}`, and there is no `[bias]`", at.value),
            Some(_) => format!(
                "`use` is `{}`, and `[bias] fields` lacks `{}`",
                at.value, field.name
            ),
        };
        let help = format!(
            "name it there, as `fields = [\"position\", \"{}\"]`, or leave `use` out",
            field.name
        );
        report.add(&at.place, message, help);
    }
}

fn crossed(list: &At<List<String>>, fields: &[Field], report: &Report) -> Vec<usize> {
    distinct(list, report);
    if list.value.iter().all(|at| at.value != POSITION) {
        report.add(
            &list.place,
            "`position` is not in `fields`",
            "expected it once: `fields = [\"position\", ...]`",
        );
    }
    let mut crossed = Vec::new();
    for at in list.value.iter().filter(|at| at.value != POSITION) {
        let path = format!("fields.{}", at.value);
        match fields.iter().position(|field| field.name == at.value) {
            None if report.blames(&path) => {}
            None => {
                let shallow = fields
                    .iter()
                    .filter(|field| field.usage != Use::Main)
                    .map(|field| field.name.as_str());
                let known: Vec<&str> = std::iter::once(POSITION).chain(shallow).collect();
                let help = suggestion::choose(
                    "`position` and fields with `use` of `bias` or `both`",
                    &at.value,
                    &known,
                );
                report.add(&at.place, format!("no field `{}`", at.value), help);
            }
            Some(index) if fields[index].usage == Use::Main => {
                if !report.blames(&format!("{path}.use")) {
                    let help = "write `use = \"bias\"` or `use = \"both\"` on the field";
                    report.add(
                        &at.place,
                        format!("the field `{}` is for the main tower only", at.value),
                        help,
                    );
                }
            }
            Some(index) => {
                if !crossed.contains(&index) {
                    crossed.push(index);
                }
            }
        }
    }
    crossed
}

fn cells(list: &At<List<String>>, bias: &Bias, fields: &[Field], tables: &[Table], report: &Report) {
    let mut cells = u128::from(bias.max_position) + 1;
    for field in &bias.fields {
        let field = &fields[*field];
        let Kind::Id { table, .. } = field.kind else {
            return;
        };
        if report.blames(&format!("fields.{}", field.name)) {
            return;
        }
        cells = cells.saturating_mul(tables.get(table).map_or(1, |table| table.len() as u128 + 1));
    }
    let positions = u128::from(bias.max_position) + 1;
    let inputs = positions + cells / positions;
    if bias.form == BiasForm::Input && inputs > INPUTS {
        report.add(
            &list.place,
            format!("position and cells of `fields` are {inputs} inputs of the main tower"),
            format!("expected at most {INPUTS} with `form = \"input\"`: cross fewer fields, or lower `max_position`"),
        );
    }
    if cells > CELLS {
        let help = format!("expected at most {CELLS}: cross fewer fields, or lower `max_position`");
        report.add(
            &list.place,
            format!("the cross of `fields` has {cells} cells"),
            help,
        );
    }
}

/// The objectives of the groups.
fn grouped(
    list: &At<List<String>>,
    declared: &[raw::Objective],
    objectives: &[Objective],
    report: &Report,
) -> Vec<usize> {
    distinct(list, report);
    if list.value.is_empty() {
        report.add(
            &list.place,
            "`groups` is empty",
            "expected a group of objectives, or no `[bias]`",
        );
    }
    let mut known: Vec<&str> = Vec::new();
    for objective in objectives.iter().filter(|objective| !objective.group.is_empty()) {
        if !known.contains(&objective.group.as_str()) {
            known.push(&objective.group);
        }
    }
    // Where an objective's group is blamed, the name may be right.
    let blamed = report.blames("objectives") && known.is_empty()
        || declared
            .iter()
            .any(|raw| report.blames(&raw.place.path_of("group")));
    for at in list
        .value
        .iter()
        .filter(|at| !known.contains(&at.value.as_str()) && !blamed)
    {
        let help = suggestion::choose("groups of objectives", &at.value, &known);
        report.add(
            &at.place,
            format!("no objective is in the group `{}`", at.value),
            help,
        );
    }
    let named = |objective: &Objective| list.value.iter().any(|at| at.value == objective.group);
    (0..objectives.len())
        .filter(|index| named(&objectives[*index]))
        .collect()
}
