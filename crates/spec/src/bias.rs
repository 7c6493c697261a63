//! What is known to bias labels: positions and contexts, how the bias is taken out, and which objectives have it.

/// `[bias]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Bias {
    /// How the bias is taken out.
    pub form: BiasForm,
    /// Fields crossed with the position (indices into `Spec::fields`), each an id with few rows.
    pub fields: Vec<usize>,
    /// The biased objectives (indices), from `groups`.
    pub objectives: Vec<usize>,
    /// Positions above it count as it. From 1; default 50.
    pub max_position: u32,
    /// Share of training examples whose position reads as missing, `[0, 1)`. Default 0.1.
    pub position_dropout: f32,
    /// Share of training examples, drawn per objective, whose shallow logit is left out, `[0, 1)`. Default 0.
    pub output_dropout: f32,
    /// Strength at which the shallow tower unlearns what tells the label, `[0, 1)`; default 0: off.
    pub gradient_reversal: f32,
    /// Strength at which the main tower unlearns what tells the position, above 0, with `form = "adversarial"`. Default 0.1.
    pub adversarial: f32,
    /// Most that an example counts for with `form = "ips"`, from 1. Default 20.
    pub propensity_clip: f32,
    /// What stands for the position when requests are served.
    pub serve_position: ServePosition,
    /// Learning rate of what takes the bias out relative to the main tower's. Default 10.
    pub learning_rate_scale: f32,
}

/// How the bias is taken out: by a shallow tower, or by one of what it is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BiasForm {
    /// The shallow tower's logit is added to the main tower's (Zhao et al., RecSys 2019, section 4.3).
    #[default]
    Additive,
    /// P(click) = P(examined) P(click | examined) (PAL: Guo et al., RecSys 2019).
    Product,
    /// Additive or product, whichever predicts held-out labels better. Until `train` has chosen, as additive.
    Auto,
    /// Not at all; positions are known to checks and reports.
    None,
    /// The position is an input of the main tower.
    Input,
    /// The main tower is trained not to tell the position.
    Adversarial,
    /// Labels count by the inverse of logged examination probabilities.
    Ips,
}

/// What stands for the position when requests are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ServePosition {
    /// The missing position, which position drop-out trained.
    #[default]
    Missing,
    /// Position 1.
    First,
    /// Nothing: the shallow tower is left out.
    None,
}

impl BiasForm {
    /// Every form with its word in a declaration.
    pub(crate) const WORDS: [(&'static str, BiasForm); 7] = [
        ("additive", BiasForm::Additive),
        ("product", BiasForm::Product),
        ("auto", BiasForm::Auto),
        ("none", BiasForm::None),
        ("input", BiasForm::Input),
        ("adversarial", BiasForm::Adversarial),
        ("ips", BiasForm::Ips),
    ];

    /// The word in a declaration.
    pub fn word(self) -> &'static str {
        let found = BiasForm::WORDS.iter().find(|(_, form)| *form == self);
        found.map_or("additive", |(word, _)| word)
    }

    /// Whether a shallow tower reads the position.
    pub fn has_tower(self) -> bool {
        matches!(self, BiasForm::Additive | BiasForm::Product | BiasForm::Auto)
    }

    /// Whether what is predicted of a logged impression differs from what is served: by its position, or its propensity.
    pub fn is_served_otherwise(self) -> bool {
        !matches!(self, BiasForm::None | BiasForm::Adversarial)
    }

    /// Whether it is about the probability that an impression was examined, so that it needs labels of 0 and 1 of every
    /// impression.
    pub(crate) fn needs_probabilities(self) -> bool {
        matches!(self, BiasForm::Product | BiasForm::Auto | BiasForm::Ips)
    }
}
