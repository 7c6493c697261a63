//! The arms of the proof: what each does about positions.
//!
//! In: the examples of one log. Out: a ranker for each arm, all of the same network, data, order and number of steps.

use std::borrow::Cow;
use std::sync::Arc;

use anyhow::Context;
use events::Examples;
use model::{Encoded, Ranker};
use serde::{Deserialize, Serialize};
use spec::Spec;
use train::Trainer;
use world::{Examination, World};

use super::truth::{self, SLATE};

/// The fields of all declarations.
const INPUTS: &str = include_str!("inputs.toml");
/// What the single ranker adds to them, the closed loop's, and the fusion's; `[bias]` and the seed follow.
const RANKER: &str = include_str!("ranker.toml");
const LOOP: &str = include_str!("loop.toml");
const FUSION: &str = include_str!("fusion.toml");
/// The fields of planted context.
const PLANTED: &str = include_str!("planted.toml");

/// All of them: results of other declarations are no part of a proof.
pub(crate) const DECLARATIONS: [&str; 5] = [INPUTS, RANKER, LOOP, FUSION, PLANTED];

/// One way to treat positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Arm {
    /// Positions are not looked at.
    None,
    /// The additive tower without drop-out of positions.
    Tower0,
    /// The additive tower with 10 % drop-out: the default.
    Tower,
    /// The additive tower with 30 % drop-out.
    Tower30,
    /// The additive tower, its output dropped half of the time.
    Output,
    /// The additive tower, unlearning what its output says of the label.
    Reversal,
    /// The product form (PAL).
    Product,
    /// The position is an input of the network, and missing when served.
    Input,
    /// The network unlearns the position.
    Adversarial,
    /// Uses truth: clicks weighted by the true examination (product worlds).
    Ips,
    /// Uses truth: the true curve in place of a learned one.
    TrueCurve,
    /// Uses truth: labels as everybody would give who examined everything.
    Full,
}

impl Arm {
    /// All of them.
    pub(crate) const ALL: [Arm; 12] = [
        Arm::None,
        Arm::Tower0,
        Arm::Tower,
        Arm::Tower30,
        Arm::Output,
        Arm::Reversal,
        Arm::Product,
        Arm::Input,
        Arm::Adversarial,
        Arm::Ips,
        Arm::TrueCurve,
        Arm::Full,
    ];

    /// What a table calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Arm::None => "no position",
            Arm::Tower0 => "tower, no drop-out",
            Arm::Tower => "tower",
            Arm::Tower30 => "tower, 30 % drop-out",
            Arm::Output => "tower, output drop-out",
            Arm::Reversal => "tower, gradient reversal",
            Arm::Product => "product",
            Arm::Input => "position as input",
            Arm::Adversarial => "adversarial",
            Arm::Ips => "IPS",
            Arm::TrueCurve => "true curve",
            Arm::Full => "full information",
        }
    }

    /// Whether it is fed by what no log shows.
    pub(crate) fn uses_truth(self) -> bool {
        matches!(self, Arm::Ips | Arm::TrueCurve | Arm::Full)
    }

    /// The arms that a log can be trained on in earnest, and among which the shuffled slice chooses.
    pub(crate) const CHOICES: [Arm; 6] = [
        Arm::None,
        Arm::Tower0,
        Arm::Tower,
        Arm::Tower30,
        Arm::Output,
        Arm::Product,
    ];

    /// What `[bias]` says of it.
    pub(crate) fn words(self) -> &'static str {
        self.bias(Examination::Additive)
    }

    /// The words of `[bias]`; only the true curve depends on the world's form.
    fn bias(self, examination: Examination) -> &'static str {
        match self {
            Arm::None | Arm::Full => "form = \"none\"",
            Arm::Tower => "",
            // The curve is set, not learned: see `truth::set_curve`.
            Arm::TrueCurve if examination == Examination::Product => {
                "form = \"product\"\nposition_dropout = 0.0\nlearning_rate_scale = 1e-9"
            }
            Arm::TrueCurve => "position_dropout = 0.0\nlearning_rate_scale = 1e-9",
            Arm::Tower0 => "position_dropout = 0.0",
            Arm::Tower30 => "position_dropout = 0.3",
            Arm::Output => "output_dropout = 0.5",
            Arm::Reversal => "gradient_reversal = 0.1",
            Arm::Product => "form = \"product\"",
            Arm::Input => "form = \"input\"",
            Arm::Adversarial => "form = \"adversarial\"",
            Arm::Ips => "form = \"ips\"",
        }
    }

    /// The declaration of a network that is trained with this arm.
    pub(crate) fn spec(self, seed: u64, examination: Examination) -> anyhow::Result<Arc<Spec>> {
        parse(&format!("{INPUTS}{RANKER}{}", self.settings(seed, examination)))
    }

    /// The declaration of the closed loop: a video's id and its watched share beside it.
    pub(crate) fn loop_spec(self, seed: u64) -> anyhow::Result<Arc<Spec>> {
        parse(&format!(
            "{INPUTS}{LOOP}{}",
            self.settings(seed, Examination::Additive)
        ))
    }

    /// The declaration of the fusion: four objectives.
    pub(crate) fn fusion_spec(self, seed: u64) -> anyhow::Result<Arc<Spec>> {
        parse(&format!(
            "{INPUTS}{FUSION}{}",
            self.settings(seed, Examination::Additive)
        ))
    }

    fn settings(self, seed: u64, examination: Examination) -> String {
        let bias = self.bias(examination);
        format!(
            "seed = {seed}\n\n[bias]\nfields = [\"position\", \"device\"]\ngroups = [\"engagement\"]\nmax_position = {SLATE}\n{bias}\n"
        )
    }
}

/// The declaration of a log that holds the planted context, which the ranker of the tower does not read.
pub(super) fn wide_spec(seed: u64) -> anyhow::Result<Arc<Spec>> {
    parse(&format!(
        "{INPUTS}{PLANTED}{RANKER}{}",
        Arm::Tower.settings(seed, Examination::Additive)
    ))
}

/// The declaration of a ranker whose shallow tower reads these planted fields too.
pub(super) fn applied_spec(seed: u64, found: &[&str]) -> anyhow::Result<Arc<Spec>> {
    let named = |line: &&str| found.contains(&line.split(" = ").next().unwrap_or_default());
    let fields: Vec<String> = PLANTED
        .lines()
        .filter(named)
        .map(|line| line.replace(" }", ", use = \"bias\" }") + "\n")
        .collect();
    let crossed: String = found.iter().map(|name| format!(", \"{name}\"")).collect();
    let settings = Arm::Tower.settings(seed, Examination::Additive);
    let settings = settings.replace("\"device\"]", &format!("\"device\"{crossed}]"));
    parse(&format!("{INPUTS}{}{RANKER}{settings}", fields.concat()))
}

fn parse(text: &str) -> anyhow::Result<Arc<Spec>> {
    Ok(Arc::new(Spec::parse("the proof's declaration", text)?))
}

/// A log, encoded once for all arms: they differ in what the positions do, not in what the network reads.
pub(crate) struct Lesson {
    pub examples: Examples,
    pub encoded: Encoded,
}

impl Lesson {
    pub(crate) fn of(spec: &Arc<Spec>, examples: Examples) -> Lesson {
        let encoded = Trainer::begin(spec, &examples).ranker.encoder.encode(&examples);
        Lesson { examples, encoded }
    }

    /// Trains an arm for so many passes; those that use truth take it from `world`.
    pub(crate) fn teach(&self, arm: Arm, seed: u64, passes: usize, world: &World) -> anyhow::Result<Ranker> {
        let spec = arm.spec(seed, world.constants().examination)?;
        let mut trainer = Trainer::begin(&spec, &self.examples);
        let batch = match arm {
            Arm::Full => Cow::Owned(truth::without_bias(world, &self.examples, &self.encoded)?),
            Arm::Ips => Cow::Owned(truth::with_propensities(world, &self.encoded)),
            _ => Cow::Borrowed(&self.encoded),
        };
        if arm == Arm::TrueCurve {
            truth::set_curve(world, &mut trainer.ranker);
        }
        trainer
            .learn_shuffled(&batch, passes)
            .with_context(|| format!("training the arm `{}`", arm.name()))?;
        Ok(trainer.ranker)
    }
}
