//! The front of engagement against reward, drawn.

use draw::{Axes, Curve, DrawError, Style};

use super::{Tried, Tuning};

/// Draws what was tried, the front, and where the live and the proposed weights lie, as SVG of `width` x `height` pixels.
///
/// # Errors
/// As [`draw::curves`].
pub fn draw_front(title: &str, tuning: &Tuning, width: u32, height: u32) -> Result<String, DrawError> {
    let point = |tried: &Tried| (tried.engagement, tried.reward);
    let tried: Vec<_> = tuning.tried.iter().map(point).collect();
    let front: Vec<_> = tuning
        .front
        .iter()
        .filter_map(|&at| tuning.tried.get(at))
        .map(point)
        .collect();
    let (live, proposed) = ([point(&tuning.live)], [point(&tuning.proposed)]);
    let curve = |name, points, style| Curve {
        name,
        points,
        low_high: &[],
        style,
    };
    let curves = [
        curve("tried", &tried[..], Style::Points),
        curve("front", &front[..], Style::Marked),
        curve("live", &live[..], Style::Points),
        curve("proposed", &proposed[..], Style::Points),
    ];
    let x = format!("expected `{}` per request", tuning.engagement);
    let y = format!("expected {}", tuning.reward);
    draw::curves(title, &x, &y, &curves, Axes::default(), width, height)
}
