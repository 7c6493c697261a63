//! What the main tower costs, layer by layer, as its architecture executes it.
//!
//! A product reads its input and writes its output; a mixture or a route reads what experts or sub-networks gave and writes what
//! it made. The gates of a group of experts are columns of the product of their first layers.

use spec::{Architecture, Experts, Spec, Subnetworks};

use super::{Layer, WORD};

/// Adds the layers of the network of `spec` over `inputs` columns.
pub(super) fn add(layers: &mut Vec<Layer>, spec: &Spec, inputs: usize) {
    let model = &spec.model;
    let objectives = spec.objectives.len() as u64;
    let hidden = dense(layers, "shared", (1, 1), inputs as u64, &model.shared);
    let read_by_tower = match (model.architecture, &model.experts, &model.subnetworks) {
        (Architecture::Omoe, Some(experts), _) => mixture(layers, experts, 1, hidden),
        (Architecture::Mmoe, Some(experts), _) => mixture(layers, experts, objectives, hidden),
        (Architecture::Ple, Some(experts), _) => levels(layers, experts, objectives, hidden),
        (Architecture::SnrTrans | Architecture::SnrAver, _, Some(nets)) => {
            let beside = model.architecture == Architecture::SnrTrans;
            routes(layers, nets, beside, objectives, hidden)
        }
        _ => hidden,
    };
    let towers: Vec<usize> = model.towers.iter().copied().chain([1]).collect();
    dense(layers, "towers", (objectives, 1), read_by_tower, &towers);
}

/// `groups` groups of so many equal chains of dense layers; the first layers of a group are one product. Returns the width of one
/// chain's output.
fn dense(
    layers: &mut Vec<Layer>,
    name: &str,
    (groups, of_group): (u64, u64),
    inputs: u64,
    widths: &[usize],
) -> u64 {
    let Some(&last) = widths.last() else { return inputs };
    let count = groups * of_group;
    let sizes: Vec<u64> = [inputs]
        .into_iter()
        .chain(widths.iter().map(|&width| width as u64))
        .collect();
    let multiplications: u64 = sizes.windows(2).map(|pair| pair[0] * pair[1]).sum();
    let biases: u64 = sizes[1..].iter().sum();
    let later: u64 = sizes[1..].windows(2).map(|pair| pair[0] + pair[1]).sum();
    let arrows = sizes.iter().map(u64::to_string).collect::<Vec<_>>().join(" -> ");
    layers.push(Layer {
        name: name.to_owned(),
        shape: if count == 1 {
            format!("[{arrows}]")
        } else {
            format!("{count} x [{arrows}]")
        },
        parameters: count * (multiplications + biases),
        multiplications: count * multiplications,
        bytes: (groups * inputs + count * (sizes[1] + later)) * WORD,
        outputs: count * biases,
    });
    last as u64
}

/// `count` gates of so many choices.
fn gates(name: &str, count: u64, inputs: u64, choices: u64) -> Layer {
    Layer {
        name: name.to_owned(),
        shape: format!("{count} x [{inputs} -> {choices}] softmax"),
        parameters: count * inputs * choices,
        multiplications: count * inputs * choices,
        bytes: count * choices * WORD,
        outputs: count * choices,
    }
}

/// `count` mixtures of so many choices of `width` columns, each in `parts` sums.
fn mix(name: &str, count: u64, choices: u64, parts: u64, width: u64) -> Layer {
    Layer {
        name: name.to_owned(),
        shape: format!("{count} x [{choices}] x [{choices}, {width}]"),
        parameters: 0,
        multiplications: count * choices * width,
        bytes: count * (choices + parts) * width * WORD,
        outputs: count * width,
    }
}

/// Experts and so many gates that all mix the same ones; returns the width of a mixture.
fn mixture(layers: &mut Vec<Layer>, experts: &Experts, of_gates: u64, inputs: u64) -> u64 {
    let count = experts.count as u64;
    let width = dense(layers, "experts", (1, count), inputs, &experts.widths);
    layers.push(gates("gates", of_gates, inputs, count));
    // All gates are mixed in one pass over the experts.
    layers.push(Layer {
        bytes: (count + of_gates) * width * WORD,
        ..mix("mix", of_gates, count, 1, width)
    });
    width
}

/// Levels of each objective's own experts and shared ones; returns the width of a mixture of the top.
fn levels(layers: &mut Vec<Layer>, experts: &Experts, objectives: u64, inputs: u64) -> u64 {
    let (own, shared) = (experts.count as u64, experts.shared as u64);
    let mut inputs = inputs;
    for level in 1..=experts.levels {
        let named = |what: &str| match experts.levels {
            1 => what.to_owned(),
            _ => format!("level {level}: {what}"),
        };
        let widths = &experts.widths;
        let width = dense(layers, &named("own experts"), (objectives, own), inputs, widths);
        dense(layers, &named("shared experts"), (1, shared), inputs, widths);
        layers.push(gates(&named("gates"), objectives, inputs, own + shared));
        // First the own ones, then the shared ones.
        layers.push(mix(&named("mix"), objectives, own + shared, 2, width));
        if level < experts.levels {
            let all = objectives * own + shared;
            layers.push(gates(&named("shared gate"), 1, inputs, all));
            layers.push(mix(&named("shared mix"), 1, all, objectives + 1, width));
        }
        inputs = width;
    }
    inputs
}

/// Layers of sub-networks and the connections from each to the next, of the last to the towers; returns what a tower reads.
fn routes(layers: &mut Vec<Layer>, nets: &Subnetworks, beside: bool, objectives: u64, inputs: u64) -> u64 {
    let count = nets.count as u64;
    let mut read = inputs;
    for (at, &width) in nets.widths.iter().enumerate() {
        // All sub-networks of the first layer read the same; those of a later one what was led to each.
        let groups = if at == 0 { (1, count) } else { (count, 1) };
        let given = dense(
            layers,
            &format!("sub-networks {}", at + 1),
            groups,
            read,
            &[width],
        );
        let readers = if at + 1 < nets.widths.len() {
            count
        } else {
            objectives
        };
        read = if beside { count * given } else { given };
        layers.push(Layer {
            name: format!("connections {}", at + 1),
            shape: format!("{readers} x [{count}] x [{count}, {given}]"),
            parameters: readers * count,
            multiplications: readers * count * given,
            bytes: readers * (count * given + read) * WORD,
            outputs: readers * read,
        });
    }
    read
}
