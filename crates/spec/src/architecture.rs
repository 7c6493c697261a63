//! The main tower's shape.

/// Which network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    /// One bottom that all towers read; TOML `shared-bottom`.
    SharedBottom,
    /// Multi-gate mixture of experts.
    Mmoe,
}

/// The experts of a mixture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Experts {
    /// How many.
    pub count: usize,
    /// Width of each expert's layers, at least one; ReLU after each.
    pub widths: Vec<usize>,
}

/// The main tower.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// Which network.
    pub architecture: Architecture,
    /// Widths of the shared layers, ReLU after each; may be empty.
    pub shared: Vec<usize>,
    /// The experts; `None` exactly for shared-bottom.
    pub experts: Option<Experts>,
    /// Hidden widths of each objective's tower; may be empty.
    pub towers: Vec<usize>,
    /// Probability that an expert's gate weight is dropped in training, `[0, 1)`.
    pub gate_dropout: f32,
    /// Probability that an element of the network's input is dropped in training (the rest scaled up), `[0, 1)`.
    pub input_dropout: f32,
}
