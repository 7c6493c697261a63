//! Examination: how the position on the screen changes what people do.
//!
//! Comes in: a visit and the videos shown in it, in order. Goes out: the exact probability that each is examined and that
//! each is clicked, in the form that the constants name, and the true bias curves. The equations stand at [`Examination`].

use crate::World;
use crate::chance::sigmoid;
use crate::constants::Examination;
use crate::visit::{Device, Visit};

impl World {
    /// Probabilities `[slate]` that the videos, shown from position 1 on, are clicked. Exact; in the cascade by recursion down
    /// the list, over whether each video above was clicked.
    pub fn click_probabilities(&self, visit: &Visit, slate: &[u32]) -> Vec<f64> {
        (1..)
            .zip(slate)
            .zip(self.examination_probabilities(visit, slate))
            .map(|((position, &video), examined)| examined * self.click_once_examined(visit, video, position))
            .collect()
    }

    /// Probabilities `[slate]` that the videos, shown from position 1 on, are examined. The additive form knows no
    /// examination: all are 1, and the position bends the click.
    pub fn examination_probabilities(&self, visit: &Visit, slate: &[u32]) -> Vec<f64> {
        let mut reached = 1.0;
        (1..)
            .zip(slate)
            .map(|(position, &video)| match self.constants.examination {
                Examination::Additive => 1.0,
                Examination::Product => self.examined(visit, position),
                Examination::Cascade => {
                    let click = self.click_once_examined(visit, video, position);
                    let [after_none, after_click] = [false, true].map(|clicked| self.goes_on(visit, clicked));
                    let here = reached;
                    reached *= after_none + click * (after_click - after_none);
                    here
                }
            })
            .collect()
    }

    /// The true bias curve of a device at positions 1 to `positions`, 0 at position 1: what a fitted curve, less its value at
    /// position 1, is compared with. Additive: the click's logit, `-beta ln k`. Product: the logarithm of the examination
    /// probability, `ln k^-beta`. Cascade: the same logarithm, where the probability is the mean over those of `slates`
    /// (visits and what they showed) that are of this device and have the position; NaN where there are none. Only the
    /// cascade looks at the slates. A planted viewport is taken as 1.
    pub fn true_curve<'a>(
        &self,
        device: Device,
        positions: u32,
        slates: impl IntoIterator<Item = (&'a Visit, &'a [u32])>,
    ) -> Vec<f64> {
        if self.constants.examination != Examination::Cascade {
            let beta = self.beta(device);
            return (1..=positions).map(|k| -beta * f64::from(k).ln()).collect();
        }
        let mut sums = vec![(0.0, 0.0); positions as usize];
        for (visit, slate) in slates {
            if visit.device == device {
                for ((sum, count), p) in sums.iter_mut().zip(self.examination_probabilities(visit, slate)) {
                    *sum += p;
                    *count += 1.0;
                }
            }
        }
        sums.into_iter().map(|(sum, count)| (sum / count).ln()).collect()
    }

    /// Probability of a click at a position (from 1), once the video is examined.
    pub(crate) fn click_once_examined(&self, visit: &Visit, video: u32, position: u32) -> f64 {
        let attraction = self.attraction(visit, video) + self.planted_logit(visit, video, position);
        match self.constants.examination {
            Examination::Additive => sigmoid(attraction + self.position_logit(visit, position)),
            Examination::Product | Examination::Cascade => sigmoid(attraction),
        }
    }

    /// Probability that a position is examined, `k^-beta`: for a click in the product form, for a dismissal in all.
    pub(crate) fn examined(&self, visit: &Visit, position: u32) -> f64 {
        f64::from(position.max(1)).powf(-self.beta_of(visit))
    }

    /// Probability that a person of the cascade goes on below a video.
    pub(crate) fn goes_on(&self, visit: &Visit, clicked: bool) -> f64 {
        let after = if clicked { self.constants.after_click } else { 1.0 };
        (after * self.constants.go_on[visit.device as usize])
            .powf(self.constants.eta * self.planted_slope(visit))
    }

    /// What the additive form adds to attraction: `d_dev - beta ln k`.
    fn position_logit(&self, visit: &Visit, position: u32) -> f64 {
        self.constants.device_offset[visit.device as usize]
            - self.beta_of(visit) * f64::from(position.max(1)).ln()
    }

    fn beta_of(&self, visit: &Visit) -> f64 {
        self.beta(visit.device) * self.planted_slope(visit)
    }

    fn beta(&self, device: Device) -> f64 {
        self.constants.eta * self.constants.beta[device as usize]
    }
}

#[cfg(test)]
mod tests {
    use crate::{Constants, Device, Examination, Logger, START_MS, World};

    const FORMS: [Examination; 3] = [Examination::Additive, Examination::Product, Examination::Cascade];

    fn world(examination: Examination, eta: f64) -> World {
        let constants = Constants {
            examination,
            eta,
            ..Constants::default()
        };
        World::new(1, &constants)
    }

    /// What a fitted curve would be compared with: the click's logit less its value at position 1.
    #[test]
    fn additive_clicks_fall_with_the_position_by_the_logarithm() {
        let world = world(Examination::Additive, 1.0);
        let visit = world.visit(0, START_MS);
        let same = [visit.candidates[0]; 10];
        let logits: Vec<f64> = world
            .click_probabilities(&visit, &same)
            .iter()
            .map(|p| (p / (1.0 - p)).ln())
            .collect();
        let curve = world.true_curve(visit.device, 10, []);
        let beta = world.constants().beta[visit.device as usize];
        for (index, (logit, truth)) in logits.iter().zip(&curve).enumerate() {
            assert!((logit - logits[0] - truth).abs() < 1e-9);
            assert!((truth + beta * (index as f64 + 1.0).ln()).abs() < 1e-9);
        }
    }

    #[test]
    fn product_clicks_fall_by_a_factor_whatever_is_shown() {
        let world = world(Examination::Product, 1.0);
        let visit = world.visit(0, START_MS);
        let slate = &visit.candidates[..10];
        let curve = world.true_curve(visit.device, 10, []);
        for ((p, &video), ln) in world
            .click_probabilities(&visit, slate)
            .iter()
            .zip(slate)
            .zip(curve)
        {
            assert!((p / world.relevance(&visit, video) - ln.exp()).abs() < 1e-12);
        }
    }

    #[test]
    fn a_world_with_eta_zero_has_no_position_bias() {
        for form in FORMS {
            let world = world(form, 0.0);
            let visit = world.visit(0, START_MS);
            let order = &Logger::Random.order(&world, &visit)[..10];
            let reversed: Vec<u32> = order.iter().rev().copied().collect();
            let mut backward = world.click_probabilities(&visit, &reversed);
            backward.reverse();
            assert_eq!(world.click_probabilities(&visit, order), backward, "{form:?}");
            let curve = world.true_curve(visit.device, 10, [(&visit, order)]);
            assert!(curve.iter().all(|x| x.abs() < 1e-12), "{curve:?}");
        }
    }

    #[test]
    fn with_position_bias_the_order_matters_in_every_form() {
        for form in FORMS {
            let world = world(form, 1.0);
            let visit = world.visit(0, START_MS);
            let slate = [visit.candidates[0]; 10];
            let p = world.click_probabilities(&visit, &slate);
            assert!(p.windows(2).all(|pair| pair[0] > pair[1]), "{form:?} {p:?}");
        }
    }

    #[test]
    fn the_recursion_of_the_cascade_agrees_with_people_who_walk_down_the_list() {
        let world = world(Examination::Cascade, 1.0);
        let (mut viewed, mut clicked, mut expected) = ([0.0; 10], [0.0; 10], [[0.0; 2]; 10]);
        let visits = 20_000;
        for number in 0..visits {
            let visit = world.visit_of_ten(number, START_MS);
            let slate = Logger::Strong.order(&world, &visit);
            let exact = world
                .examination_probabilities(&visit, &slate)
                .into_iter()
                .zip(world.click_probabilities(&visit, &slate));
            for (k, (action, (examined, click))) in world.act(&visit, &slate).iter().zip(exact).enumerate() {
                viewed[k] += f64::from(u8::from(action.viewed == Some(true)));
                clicked[k] += f64::from(u8::from(action.click));
                expected[k][0] += examined;
                expected[k][1] += click;
            }
        }
        for k in 0..10 {
            for (found, exact) in [(viewed[k], expected[k][0]), (clicked[k], expected[k][1])] {
                let p = exact / visits as f64;
                let se = (p * (1.0 - p) / visits as f64).sqrt();
                assert!(
                    (found / visits as f64 - p).abs() < 4.0 * se + 1e-12,
                    "{k}: {found} {exact}"
                );
            }
        }
        // Before any click a phone goes on with .85 and a tv with .75: nobody reaches further than that.
        let slates: Vec<_> = (0..300)
            .map(|number| {
                let visit = world.visit_of_ten(number, START_MS);
                let slate = Logger::Strong.order(&world, &visit);
                (visit, slate)
            })
            .collect();
        let curve = |device| {
            world.true_curve(
                device,
                10,
                slates.iter().map(|(visit, slate)| (visit, &slate[..])),
            )
        };
        let (phone, tv) = (curve(Device::Phone), curve(Device::Tv));
        assert_eq!(phone[0], 0.0);
        assert!(phone[9] < 9.0 * 0.85_f64.ln() && phone[9] > 9.0 * (0.85_f64 * 0.35).ln());
        assert!(tv[9] < phone[9]);
    }
}
