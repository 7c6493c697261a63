//! Planted fields act on clicks by what their role and their constants say, and can be told apart by counting.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use events::Value;
use world::{Constants, Device, Logger, Planted, PlantedField, Role, START_MS, Visit, World};

const VISITS: u64 = 20_000;

/// One shown video: its planted levels, what its click's logit would be without them, and whether it was clicked.
struct Shown {
    /// By place in `PlantedField::ALL`.
    levels: Vec<u32>,
    logit: f64,
    click: bool,
    position: u32,
    device: Device,
    attraction: f64,
}

impl Shown {
    fn level(&self, field: PlantedField) -> u32 {
        self.levels[field as usize]
    }
}

static SHOWN: LazyLock<Vec<Shown>> = LazyLock::new(shown);

/// Effects that are small enough for the odds ratio of one field to be little bent by the others.
fn planted() -> Planted {
    Planted {
        enabled: true,
        badge: [0.7, 0.4, 0.1],
        autoplay: 0.5,
        ..Constants::default().planted
    }
}

fn shown() -> Vec<Shown> {
    let constants = Constants {
        planted: planted(),
        ..Constants::default()
    };
    let world = World::new(3, &constants);
    let plain = World::new(
        3,
        &Constants {
            planted: constants.planted.without_effect(),
            ..constants
        },
    );
    let mut all = Vec::new();
    for number in 0..VISITS {
        let visit: Visit = world.visit_of_ten(number, START_MS);
        let slate = Logger::Random.order(&world, &visit);
        let without = plain.click_probabilities(&visit, &slate);
        for (action, p) in world.act(&visit, &slate).into_iter().zip(without) {
            let mut fields = world.impression(&visit, action.video, action.position);
            fields.extend(world.context(&visit));
            fields.extend(world.user_entity(visit.user).fields);
            fields.extend(world.item_entity(action.video).fields);
            let level = |field: PlantedField| match &fields[field.name()] {
                Value::Text(level) => level.parse().unwrap_or(u32::MAX),
                _ => u32::MAX,
            };
            all.push(Shown {
                levels: PlantedField::ALL.into_iter().map(level).collect(),
                logit: (p / (1.0 - p)).ln(),
                click: action.click,
                position: action.position,
                device: visit.device,
                attraction: world.attraction(&visit, action.video),
            });
        }
    }
    all
}

/// The logarithm of the odds ratio of a click between two levels of a field, over strata of equal logits (Mantel and
/// Haenszel).
fn effect<'a>(all: impl Iterator<Item = &'a Shown>, field: PlantedField, [low, high]: [u32; 2]) -> f64 {
    let mut strata: BTreeMap<i64, [[f64; 2]; 2]> = BTreeMap::new();
    for one in all {
        let level = one.level(field);
        if level == low || level == high {
            let stratum = strata.entry((one.logit * 5.0).floor() as i64).or_default();
            stratum[usize::from(level == high)][usize::from(one.click)] += 1.0;
        }
    }
    let (up, down) = strata.values().fold((0.0, 0.0), |(up, down), [low, high]| {
        let count = low[0] + low[1] + high[0] + high[1];
        (up + high[1] * low[0] / count, down + high[0] * low[1] / count)
    });
    (up / down).ln()
}

fn near(found: f64, expected: f64, within: f64, what: &str) {
    println!("{what}: {found:.3}, planted {expected:.3}");
    assert!(
        (found - expected).abs() < within,
        "{what}: {found}, planted {expected}"
    );
}

#[test]
fn what_was_planted_is_found_by_counting_and_nothing_else_is() {
    let all = &*SHOWN;
    let planted = planted();
    near(
        effect(all.iter(), PlantedField::Thumbnail, [0, 2]),
        2.0 * planted.thumbnail,
        0.06,
        "thumbnail",
    );
    near(
        effect(all.iter(), PlantedField::Autoplay, [0, 1]),
        planted.autoplay,
        0.06,
        "autoplay",
    );
    for (device, within) in Device::ALL.into_iter().zip([0.1, 0.1, 0.15]) {
        let of = all.iter().filter(|one| one.device == device);
        let expected = planted.badge[device as usize];
        near(
            effect(of, PlantedField::Badge, [0, 1]),
            expected,
            within,
            device.name(),
        );
    }
    // The viewport does nothing at position 1 and bends the slope below it: for a phone by beta ln k.
    let first = all.iter().filter(|one| one.position == 1);
    near(
        effect(first, PlantedField::Viewport, [0, 2]),
        0.0,
        0.12,
        "viewport at 1",
    );
    let tenth = all
        .iter()
        .filter(|one| one.position == 10 && one.device == Device::Phone);
    let [low, _, tall] = planted.viewport;
    let expected = Constants::default().beta[0] * 10_f64.ln() * (low - tall);
    near(
        effect(tenth, PlantedField::Viewport, [0, 2]),
        expected,
        0.3,
        "viewport at 10",
    );
    for field in PlantedField::ALL
        .into_iter()
        .filter(|field| field.role() != Role::Real)
    {
        for high in 1..field.levels() {
            near(effect(all.iter(), field, [0, high]), 0.0, 0.2, field.name());
        }
    }
}

#[test]
fn decoys_go_with_what_attracts_people_and_random_fields_do_not() {
    let all = &*SHOWN;
    let mean = |field, level| {
        let (sum, count) = all
            .iter()
            .filter(|one| one.level(field) == level)
            .fold((0.0, 0.0), |(sum, count), one| {
                (sum + one.attraction, count + 1.0)
            });
        sum / count
    };
    for field in PlantedField::ALL {
        let means: Vec<f64> = (0..field.levels()).map(|level| mean(field, level)).collect();
        println!("{field:?}: {means:.2?}");
        match field.role() {
            // Popular videos have more badges, and attract more.
            Role::Real if field == PlantedField::Badge => assert!(means[1] > means[0] + 0.1, "{means:?}"),
            Role::Real => assert!(
                means.iter().all(|m| (m - means[0]).abs() < 0.05),
                "{field:?} {means:?}"
            ),
            Role::Decoy => {
                let spread = means.iter().fold(f64::MIN, |a, b| a.max(*b))
                    - means.iter().fold(f64::MAX, |a, b| a.min(*b));
                assert!(spread > 0.15, "{field:?} {means:?}");
            }
            Role::Null => {}
        }
    }
}
