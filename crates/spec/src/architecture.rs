//! The main tower's shape.

/// Which network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    /// A tower of its own for each objective, over shared embeddings; TOML `single-task`.
    SingleTask,
    /// One bottom that all towers read; TOML `shared-bottom`.
    SharedBottom,
    /// One-gate mixture of experts; TOML `omoe`.
    Omoe,
    /// Multi-gate mixture of experts; TOML `mmoe`.
    Mmoe,
    /// Progressive layered extraction, with one level customised gate control; TOML `ple`.
    Ple,
    /// Sub-network routing with a matrix for each connection; TOML `snr-trans`.
    SnrTrans,
    /// Sub-network routing that adds up what connections carry; TOML `snr-aver`.
    SnrAver,
}

impl Architecture {
    /// All of them, in the order in which help lists them.
    pub const ALL: [Architecture; 7] = [
        Architecture::SingleTask,
        Architecture::SharedBottom,
        Architecture::Omoe,
        Architecture::Mmoe,
        Architecture::Ple,
        Architecture::SnrTrans,
        Architecture::SnrAver,
    ];

    /// The word in a declaration.
    pub fn word(self) -> &'static str {
        match self {
            Architecture::SingleTask => "single-task",
            Architecture::SharedBottom => "shared-bottom",
            Architecture::Omoe => "omoe",
            Architecture::Mmoe => "mmoe",
            Architecture::Ple => "ple",
            Architecture::SnrTrans => "snr-trans",
            Architecture::SnrAver => "snr-aver",
        }
    }

    /// Whether it has experts, which gates mix.
    pub fn has_experts(self) -> bool {
        matches!(self, Architecture::Omoe | Architecture::Mmoe | Architecture::Ple)
    }

    /// Whether it has sub-networks, whose connections are gated.
    pub fn has_subnetworks(self) -> bool {
        matches!(self, Architecture::SnrTrans | Architecture::SnrAver)
    }
}

/// The experts of a mixture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Experts {
    /// How many; with PLE, how many each objective has of its own in a level.
    pub count: usize,
    /// Experts of a level that all objectives share: PLE's, at least one; else 0.
    pub shared: usize,
    /// Levels of experts: PLE's, at least one; else 1.
    pub levels: usize,
    /// Width of each expert's layers, at least one; ReLU after each.
    pub widths: Vec<usize>,
}

/// The sub-networks of sub-network routing.
#[derive(Debug, Clone, PartialEq)]
pub struct Subnetworks {
    /// How many there are in a layer.
    pub count: usize,
    /// Width of each sub-network by layer, at least one; ReLU after each.
    pub widths: Vec<usize>,
    /// What an open connection adds to the loss, from 0.
    pub l0: f32,
}

/// The main tower.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// Which network.
    pub architecture: Architecture,
    /// Widths of the shared layers, ReLU after each; may be empty, and is with single-task.
    pub shared: Vec<usize>,
    /// The experts; of exactly the architectures that have them.
    pub experts: Option<Experts>,
    /// The sub-networks; of exactly the architectures that have them.
    pub subnetworks: Option<Subnetworks>,
    /// Hidden widths of each objective's tower; may be empty.
    pub towers: Vec<usize>,
    /// Probability that an expert's gate weight is dropped in training, `[0, 1)`.
    pub gate_dropout: f32,
    /// Probability that an element of the network's input is dropped in training (the rest scaled up), `[0, 1)`.
    pub input_dropout: f32,
}
