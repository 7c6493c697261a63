//! Networks at a budget: widths at which an architecture costs a given number of multiplications.
//!
//! In: a declaration, an architecture, a budget. Out: the declaration's network, carried over to that architecture and scaled: all
//! widths in proportion, to multiples of 4, as near to the budget as they come.

use spec::{Architecture, Experts, Model, Spec, Subnetworks};

use super::network;
use crate::Plan;

/// Widths are multiples of it.
const UNIT: usize = 4;
/// Widest layer of a declaration.
const WIDEST: usize = 65536;
/// A network is at the budget within this share of it.
const NEAR: f64 = 0.01;
/// Experts or sub-networks of a network whose declaration has none.
const COUNT: usize = 8;
/// Width of a layer that the declaration has none of.
const WIDTH: usize = 64;

/// The network of `architecture` whose multiplications per candidate are nearest to `budget`. It has the layers of the declared one:
/// what lies between `shared` layers and towers becomes experts, sub-networks or further layers.
pub fn at_budget(spec: &Spec, architecture: Architecture, budget: u64) -> Model {
    let inputs = Plan::of(spec).width();
    let base = carried_over(&spec.model, architecture, spec.objectives.len());
    let mut probe = Spec {
        model: base.clone(),
        ..spec.clone()
    };
    let mut cost = |model: &Model| {
        probe.model.clone_from(model);
        let mut layers = Vec::new();
        network::add(&mut layers, &probe, inputs);
        layers.iter().map(|layer| layer.multiplications).sum::<u64>()
    };
    // The cost grows with the scale: halve the interval in which it passes the budget.
    let (mut low, mut high) = (0.0, WIDEST as f64);
    for _ in 0..64 {
        let middle = f64::midpoint(low, high);
        if cost(&scaled(&base, middle)) <= budget {
            low = middle;
        } else {
            high = middle;
        }
    }
    let candidates = [low, high].map(|scale| scaled(&base, scale));
    let mut best: Option<((bool, usize, u64), Model)> = None;
    for (changed, model) in candidates.iter().flat_map(neighbours) {
        let off = cost(&model).abs_diff(budget);
        let near = off as f64 <= NEAR * budget as f64;
        // At the budget the fewest changes of proportion win, before it the nearest.
        let rank = (!near, if near { changed } else { 0 }, off);
        if best.as_ref().is_none_or(|(of_best, _)| rank < *of_best) {
            best = Some((rank, model));
        }
    }
    best.map_or(base, |(_, model)| model)
}

/// The declared network as another architecture, with the same layers.
fn carried_over(model: &Model, architecture: Architecture, objectives: usize) -> Model {
    if model.architecture == architecture {
        return model.clone();
    }
    let Parts {
        mut shared,
        count,
        body,
        mut towers,
    } = parts(model, objectives);
    let (mut experts, mut subnetworks) = (None, None);
    match architecture {
        Architecture::SingleTask => towers = [shared.split_off(0), body, towers].concat(),
        Architecture::SharedBottom => shared.extend(body),
        Architecture::Omoe | Architecture::Mmoe | Architecture::Ple => {
            let ple = architecture == Architecture::Ple;
            experts = Some(Experts {
                count: if ple { 1 } else { count },
                shared: if ple {
                    count.saturating_sub(objectives).max(1)
                } else {
                    0
                },
                levels: 1,
                widths: body,
            });
        }
        Architecture::SnrTrans | Architecture::SnrAver => {
            let l0 = model.subnetworks.as_ref().map_or(1e-4, |nets| nets.l0);
            subnetworks = Some(Subnetworks {
                count,
                widths: body,
                l0,
            });
        }
    }
    Model {
        architecture,
        shared,
        experts,
        subnetworks,
        towers,
        gate_dropout: model.gate_dropout,
        input_dropout: model.input_dropout,
    }
}

/// What any network is made of: shared layers, so many experts or sub-networks of a body, towers.
struct Parts {
    shared: Vec<usize>,
    count: usize,
    body: Vec<usize>,
    towers: Vec<usize>,
}

fn parts(model: &Model, objectives: usize) -> Parts {
    let (mut shared, mut towers) = (model.shared.clone(), model.towers.clone());
    let (count, body) = match (&model.experts, &model.subnetworks) {
        (Some(experts), _) if experts.shared > 0 => (
            experts.count * objectives + experts.shared,
            experts.widths.clone(),
        ),
        (Some(experts), _) => (experts.count, experts.widths.clone()),
        (_, Some(nets)) => (nets.count, nets.widths.clone()),
        _ if model.architecture == Architecture::SingleTask && !towers.is_empty() => {
            (COUNT, vec![towers.remove(0)])
        }
        _ => (COUNT, vec![shared.pop().unwrap_or(WIDTH)]),
    };
    Parts {
        shared,
        count,
        body,
        towers,
    }
}

fn widths_mut(model: &mut Model) -> impl Iterator<Item = &mut usize> {
    let experts = model.experts.iter_mut().flat_map(|experts| &mut experts.widths);
    let nets = model.subnetworks.iter_mut().flat_map(|nets| &mut nets.widths);
    model
        .shared
        .iter_mut()
        .chain(experts)
        .chain(nets)
        .chain(&mut model.towers)
}

fn scaled(model: &Model, scale: f64) -> Model {
    let mut model = model.clone();
    for width in widths_mut(&mut model) {
        let units = (*width as f64 * scale / UNIT as f64).round() as usize;
        *width = (units * UNIT).clamp(UNIT, WIDEST);
    }
    model
}

/// `model` and those that differ from it by a unit in some widths, each with how many differ.
fn neighbours(model: &Model) -> Vec<(usize, Model)> {
    let mut found = vec![(0, model.clone())];
    let count = widths_mut(&mut model.clone()).count();
    for at in 0..count.min(6) {
        for of in 0..found.len() {
            let (changed, before) = found[of].clone();
            let with = |change: fn(usize) -> usize| {
                let mut model = before.clone();
                if let Some(width) = widths_mut(&mut model).nth(at) {
                    *width = change(*width).clamp(UNIT, WIDEST);
                }
                (changed + 1, model)
            };
            let more = [
                with(|width| width + UNIT),
                with(|width| width.saturating_sub(UNIT)),
            ];
            found.extend(more);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Cost;
    use crate::testing::{every_network, parsed, spec_with};

    /// Widths of the size that rankers have.
    fn large(architecture: &str) -> String {
        let fields: String = (0..20)
            .map(|at| format!("f{at} = {{ side = \"item\", kind = \"id\", dim = 16, buckets = 100 }}\n"))
            .collect();
        let objectives: String = (0..4)
            .map(|at| format!("o{at} = {{ group = \"g\", loss = \"binary\", absent = 0 }}\n"))
            .collect();
        format!("[fields]\n{fields}[objectives]\n{objectives}[model]\n{architecture}\n[score]\no0 = 1.0\n")
    }

    #[test]
    fn every_architecture_is_found_within_a_percent_of_the_budget() {
        let declared = [
            "architecture = \"mmoe\"\nshared = [512]\nexperts = { count = 8, widths = [256, 128] }\ntowers = [64]",
            "architecture = \"shared-bottom\"\nshared = [1024, 512]\ntowers = [64]",
            "architecture = \"single-task\"\ntowers = [256, 64]",
            "architecture = \"snr-aver\"\nsubnetworks = { count = 4, widths = [128, 64] }\ntowers = [32]",
        ];
        for spec in declared.map(|model| parsed(&large(model))) {
            for architecture in Architecture::ALL {
                for budget in [430_000, 3_700_000, 6_100_000] {
                    let model = at_budget(&spec, architecture, budget);
                    let text = spec.text_with(&model).unwrap();
                    let found = parsed(&text);
                    assert_eq!(found.model.architecture, architecture);
                    let cost = Cost::of(&found).multiplications;
                    let off = cost.abs_diff(budget) as f64 / budget as f64;
                    assert!(off <= NEAR, "{architecture:?}, {budget}: {cost}\n{text}");
                    let mut model = found.model.clone();
                    assert!(
                        widths_mut(&mut model).all(|width| width.is_multiple_of(UNIT)),
                        "{text}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_declared_network_that_costs_the_budget_is_left_as_it_is() {
        let model = "architecture = \"mmoe\"\nshared = [256]\nexperts = { count = 8, widths = [128, 64] }\ntowers = [32]";
        let spec = parsed(&large(model));
        let cost = Cost::of(&spec).multiplications;
        assert_eq!(at_budget(&spec, Architecture::Mmoe, cost), spec.model);
    }

    #[test]
    fn a_budget_below_every_width_gives_the_least_network() {
        for model in every_network() {
            let spec = spec_with(model);
            for architecture in Architecture::ALL {
                let mut found = at_budget(&spec, architecture, 1);
                assert!(widths_mut(&mut found).all(|width| *width == UNIT), "{found:?}");
            }
        }
    }
}
