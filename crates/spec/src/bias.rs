//! The shallow tower: which context acts as a selection bias, on which objectives.

/// The shallow tower. Served at the *missing* position, the value that position drop-out trained.
#[derive(Debug, Clone, PartialEq)]
pub struct Bias {
    /// Fields crossed with the position (indices into `Spec::fields`), each an id with few rows.
    pub fields: Vec<usize>,
    /// Objectives that get a shallow logit (indices), from `groups`.
    pub objectives: Vec<usize>,
    /// Positions above it count as it. From 1; default 50.
    pub max_position: u32,
    /// Share of training examples whose position reads as missing, `[0, 1)`. Default 0.1.
    pub position_dropout: f32,
    /// Learning rate of the shallow tower relative to the main one. Default 10.
    pub learning_rate_scale: f32,
}
