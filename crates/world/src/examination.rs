//! Examination: how the position on the screen changes what people do.
//!
//! Comes in: device and position. Goes out: the logit that is added to attraction for a click (additive form), and the
//! probability that a video is looked at closely enough to be dismissed.

use crate::World;
use crate::chance::sigmoid;
use crate::visit::{Device, Visit};

impl World {
    /// The true bias curve: `d_dev - beta_dev ln k`, a logit. `position` from 1 (0 counts as 1).
    pub fn position_logit(&self, device: Device, position: u32) -> f64 {
        self.constants.device_offset[device as usize] - self.beta(device) * f64::from(position.max(1)).ln()
    }

    /// Probability that the video is clicked at a position (from 1): `sigmoid(u + d_dev - beta_dev ln k)`.
    pub fn click_probability(&self, visit: &Visit, video: u32, position: u32) -> f64 {
        sigmoid(self.attraction(visit, video) + self.position_logit(visit.device, position))
    }

    /// Probability that a position is examined for a dismissal: `k^-beta_dev`.
    pub(crate) fn examined(&self, device: Device, position: u32) -> f64 {
        f64::from(position.max(1)).powf(-self.beta(device))
    }

    fn beta(&self, device: Device) -> f64 {
        self.constants.eta * self.constants.beta[device as usize]
    }
}

#[cfg(test)]
mod tests {
    use crate::{Constants, Device, START_MS, World};

    #[test]
    fn clicks_fall_with_the_position_by_the_logarithm() {
        let world = World::new(1, &Constants::default());
        let visit = world.visit(0, START_MS);
        let logit = |position| {
            let p = world.click_probability(&visit, visit.candidates[0], position);
            (p / (1.0 - p)).ln()
        };
        let beta = world.constants().beta[visit.device as usize];
        assert!((logit(1) - logit(4) - beta * 4_f64.ln()).abs() < 1e-9);
        assert!(world.position_logit(Device::Tv, 1) < world.position_logit(Device::Phone, 1));
    }

    #[test]
    fn a_world_with_eta_zero_has_no_position_bias() {
        let constants = Constants {
            eta: 0.0,
            ..Constants::default()
        };
        let world = World::new(1, &constants);
        let visit = world.visit(0, START_MS);
        let video = visit.candidates[0];
        assert_eq!(
            world.click_probability(&visit, video, 1),
            world.click_probability(&visit, video, 10)
        );
    }
}
