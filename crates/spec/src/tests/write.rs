//! Writing a declaration with another network.

use super::spec;
use crate::{Architecture, Experts, Model, Spec, Subnetworks};

/// A network of each architecture.
fn networks() -> Vec<Model> {
    let network = |architecture: Architecture| Model {
        architecture,
        shared: if architecture == Architecture::SingleTask {
            vec![]
        } else {
            vec![12]
        },
        experts: architecture.has_experts().then(|| {
            let ple = architecture == Architecture::Ple;
            let (shared, levels) = if ple { (3, 2) } else { (0, 1) };
            Experts {
                count: 2,
                shared,
                levels,
                widths: vec![8, 4],
            }
        }),
        subnetworks: architecture.has_subnetworks().then(|| Subnetworks {
            count: 2,
            widths: vec![8, 4],
            l0: 0.003,
        }),
        towers: vec![16],
        gate_dropout: if architecture.has_experts() { 0.1 } else { 0.0 },
        input_dropout: 0.25,
    };
    Architecture::ALL.map(network).to_vec()
}

#[test]
fn any_network_is_written_into_any_declaration_and_read_back() {
    for from in networks() {
        let first = spec("[model]\narchitecture = 'shared-bottom'\ninput_dropout = 0.25\n");
        let text = first.text_with(&from).unwrap();
        let begun = Spec::parse("ranker.toml", &text).unwrap();
        assert_eq!(begun.model, from, "{text}");
        for to in networks() {
            let text = begun.text_with(&to).unwrap();
            assert_eq!(Spec::parse("ranker.toml", &text).unwrap().model, to, "{text}");
        }
    }
}

#[test]
fn what_else_was_typed_stays() {
    let typed = "# mine\n[model] # the network\narchitecture = 'mmoe' # for now\nexperts = { count = 2, widths = [8] }\ninput_dropout = 0.25\n";
    let begun = spec(typed);
    let text = begun.text_with(&networks()[0]).unwrap();
    for kept in [
        "# mine",
        "[model] # the network",
        "# for now",
        "input_dropout = 0.25",
    ] {
        assert!(text.contains(kept), "{text}");
    }
    assert!(
        text.contains("architecture = \"single-task\" # for now"),
        "{text}"
    );
    assert!(!text.contains("experts"), "{text}");
}
