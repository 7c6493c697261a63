//! Sub-network routing (Ma et al., AAAI 2019, SNR, figure 2): layers of sub-networks, and a learned gate on every connection from one
//! layer to the next; the towers are the last layer.
//!
//! ```text
//! h          = shared(x)                                       [batch, H]
//! u_i        = relu(h W_i + b_i), i = 1..S                     [batch, W] each
//! z_ij       = hard concrete gate from i to j                  one number; drawn for each step, at serving what its alpha says
//! v_j        = [z_1j u_1, .., z_Sj u_S]   (SNR-Trans)          [batch, S W]
//!            = sum_i z_ij u_i             (SNR-Aver)           [batch, W]
//! next u_j   = relu(v_j W_j + b_j)                             until the last layer
//! logit_k    = tower_k(v_k)                                    [batch] per objective
//! ```
//!
//! Beside the losses stands `l0` times the number of gates that are expected to be open.

use nn::{
    ConcreteDraws, Dense, HardConcrete, InputGradient, Mat, MatMut, Precision, Route, relu_backward, route,
    route_backward,
};
use rand_chacha::ChaCha8Rng;
use spec::{Spec, Subnetworks};

use super::stack::{HE, Stack, StackActivations};
use super::towers::{Towers, TowersActivations};
use crate::Activity;
use crate::tensors::{LayerName, named};

/// ln alpha of a gate at first: open in 97 of 100 draws, 0.96 without draws.
const FIRST_LOG_ALPHA: f32 = 2.0;

/// Weights of the network; a gradient has the same type.
#[derive(Debug, Clone, PartialEq)]
pub struct Snr {
    /// Shared layers; may be none.
    pub shared: Stack,
    /// The first layer of all sub-networks, `[H, S * W1]`: sub-network i owns the columns from `i * W1`.
    pub first: Dense,
    /// The later layers, by layer, then by sub-network.
    pub rest: Vec<Vec<Dense>>,
    /// By layer, to the next or to the towers: ln alpha of each connection as a bias `[readers * S]`, reader j's from `j * S`.
    pub gates: Vec<Dense>,
    /// One tower per objective.
    pub towers: Towers,
    /// S, sub-networks of a layer.
    pub count: usize,
    /// How connections meet.
    pub route: Route,
    /// What an open gate costs.
    pub l0: f32,
}

/// Buffers of a [`Snr`].
#[derive(Debug, Clone)]
pub struct SnrActivations {
    precision: Precision,
    shared: StackActivations,
    layers: Vec<LayerActivations>,
    towers: TowersActivations,
}

/// Of one layer of sub-networks, and of what its readers read.
#[derive(Debug, Clone)]
struct LayerActivations {
    /// `[batch, S * W]`, after ReLU.
    output: Vec<f32>,
    d_output: Vec<f32>,
    cols: usize,
    /// `[readers * S]`.
    gates: Vec<f32>,
    d_gates: Vec<f32>,
    /// `[batch, readers * what one reads]`.
    routed: Vec<f32>,
    d_routed: Vec<f32>,
    routed_cols: usize,
}

impl Snr {
    /// Random weights for an input of `width` columns.
    pub fn new(spec: &Spec, nets: &Subnetworks, route: Route, width: usize, rng: &mut ChaCha8Rng) -> Snr {
        let shared = Stack::new(width, &spec.model.shared, rng);
        let hidden = shared.output_width(width);
        let count = nets.count;
        let mut layer = |pair: &[usize]| {
            let inputs = route.width(count, pair[0]);
            (0..count).map(|_| Dense::new(inputs, pair[1], HE, rng)).collect()
        };
        let rest: Vec<Vec<Dense>> = nets.widths.windows(2).map(&mut layer).collect();
        let first = Dense::new(hidden, count * nets.widths[0], HE, rng);
        let readers = rest.iter().map(Vec::len).chain([spec.objectives.len()]);
        let gates = readers.map(|readers| {
            let mut gates = Dense::new(0, readers * count, 1.0, rng);
            gates.bias.fill(FIRST_LOG_ALPHA);
            gates
        });
        let gates = gates.collect();
        let last = nets.widths[nets.widths.len() - 1];
        let towers = Towers::new(spec, route.width(count, last), rng);
        Snr {
            shared,
            first,
            rest,
            gates,
            towers,
            count,
            route,
            l0: nets.l0,
        }
    }

    /// The same shapes, all zeros.
    pub fn zeros_like(&self) -> Snr {
        let layer = |layer: &Vec<Dense>| layer.iter().map(Dense::zeros_like).collect();
        Snr {
            shared: self.shared.zeros_like(),
            first: self.first.zeros_like(),
            rest: self.rest.iter().map(layer).collect(),
            gates: self.gates.iter().map(Dense::zeros_like).collect(),
            towers: self.towers.zeros_like(),
            ..*self
        }
    }

    /// W of layer `layer`.
    fn width(&self, layer: usize) -> usize {
        match layer.checked_sub(1) {
            None => self.first.outputs / self.count,
            Some(before) => self.rest[before][0].outputs,
        }
    }

    /// Columns that one reader of layer `layer` reads.
    fn read_width(&self, layer: usize) -> usize {
        self.route.width(self.count, self.width(layer))
    }

    /// Buffers for up to `batch` examples, and how products read their factors.
    pub fn activations(&self, batch: usize, precision: Precision) -> SnrActivations {
        let layers = self.gates.iter().enumerate().map(|(at, gates)| {
            let cols = self.count * self.width(at);
            let routed_cols = gates.outputs / self.count * self.read_width(at);
            LayerActivations {
                output: vec![0.0; batch * cols],
                d_output: vec![0.0; batch * cols],
                cols,
                gates: vec![0.0; gates.outputs],
                d_gates: vec![0.0; gates.outputs],
                routed: vec![0.0; batch * routed_cols],
                d_routed: vec![0.0; batch * routed_cols],
                routed_cols,
            }
        });
        SnrActivations {
            precision,
            shared: self.shared.activations(batch, precision),
            layers: layers.collect(),
            towers: self.towers.activations(batch, precision),
        }
    }

    /// Writes logits per objective `[batch]`; gates are drawn where there are `draws`.
    pub fn forward(
        &self,
        x: Mat,
        draws: Option<ConcreteDraws>,
        acts: &mut SnrActivations,
        logits: &mut [Vec<f32>],
    ) {
        let (batch, precision) = (x.rows(), acts.precision);
        self.shared.forward(x, &mut acts.shared);
        let h = self.shared.output(x, &acts.shared);
        let output = MatMut::new(&mut acts.layers[0].output, batch, self.first.outputs);
        self.first.run(precision, h, output, self.first.outputs);
        for at in 0..self.gates.len() {
            self.route_from(at, batch, draws, &mut acts.layers[at]);
            let (before, after) = acts.layers.split_at_mut(at + 1);
            let (routed, read) = (before[at].routed(batch), self.read_width(at));
            let nets = self.rest.get(at).into_iter().flatten();
            for (j, net) in nets.enumerate() {
                let mut output = MatMut::new(&mut after[0].output, batch, after[0].cols);
                let output = output.columns_mut(j * net.outputs, net.outputs);
                net.run(precision, routed.columns(j * read, read), output, net.outputs);
            }
        }
        let last = &acts.layers[self.gates.len() - 1];
        self.towers
            .forward_each(last.routed(batch), &mut acts.towers, logits);
    }

    /// Leads what layer `at` gave to all of its readers.
    fn route_from(&self, at: usize, batch: usize, draws: Option<ConcreteDraws>, acts: &mut LayerActivations) {
        let draws = draws.map(|draws| ConcreteDraws {
            layer: draws.layer + at as u32,
            ..draws
        });
        let log_alpha = &self.gates[at].bias;
        HardConcrete { log_alpha }.forward(draws, &mut acts.gates);
        let (output, read) = (Mat::new(&acts.output, batch, acts.cols), self.read_width(at));
        let mut routed = MatMut::new(&mut acts.routed, batch, acts.routed_cols);
        for (j, gates) in acts.gates.chunks_exact(self.count).enumerate() {
            route(self.route, gates, output, routed.columns_mut(j * read, read));
        }
    }

    /// Counts the active units of the last forward over `batch` rows.
    pub(crate) fn count(&self, batch: usize, acts: &SnrActivations, activity: &mut Activity) {
        self.shared.count("shared", None, batch, &acts.shared, activity);
        for (at, layer) in acts.layers.iter().enumerate() {
            let (output, width) = (Mat::new(&layer.output, batch, layer.cols), self.width(at));
            for net in 0..self.count {
                let name = format!("sub-network {} layer {}", net + 1, at + 1);
                activity.add_layer(name, None, output.columns(net * width, width));
            }
        }
        self.towers.count_units(batch, &acts.towers, activity);
    }

    /// **Adds** to `grad` and **writes** `d_x` `[batch, width]`; `acts` are those of the forward of `x` with draws; d_logits per
    /// objective `[batch]`. Of the penalty nothing.
    pub fn backward(
        &self,
        x: Mat,
        acts: &mut SnrActivations,
        d_logits: &[Vec<f32>],
        d_x: MatMut,
        grad: &mut Snr,
    ) {
        let (batch, precision) = (x.rows(), acts.precision);
        let (routed, d_routed) = acts.layers[self.gates.len() - 1].routed_and_gradient(batch);
        let (towers, of_towers) = (&mut acts.towers, &mut grad.towers);
        self.towers
            .backward_each(routed, towers, d_logits, d_routed, of_towers);
        for at in (0..self.gates.len()).rev() {
            let (before, after) = acts.layers.split_at_mut(at + 1);
            let read = self.read_width(at);
            let (routed, mut d_routed) = before[at].routed_and_gradient(batch);
            let nets = self.rest.get(at).into_iter().flatten();
            for (j, net) in nets.enumerate() {
                let d_output = Mat::new(&after[0].d_output, batch, after[0].cols);
                let d_output = d_output.columns(j * net.outputs, net.outputs);
                let d_read = InputGradient::Whole(d_routed.columns_mut(j * read, read));
                let grad = &mut grad.rest[at][planted!(j, "snr: the first sub-network learns for all" => 0)];
                net.backward(precision, routed.columns(j * read, read), d_output, d_read, grad);
            }
            self.route_back(at, batch, &mut before[at], &mut grad.gates[at]);
        }
        let mut d_x = Some(InputGradient::Whole(d_x));
        let (h, d_h) = self.shared.output_and_gradient(x, &mut acts.shared);
        let d_h = d_h.map_or_else(|| d_x.take(), |d_h| Some(InputGradient::ThroughRelu(d_h)));
        let d_h =
            planted!(d_h, "snr: sub-networks give h nothing" => None).unwrap_or(InputGradient::Unwanted);
        let d_first = Mat::new(&acts.layers[0].d_output, batch, self.first.outputs);
        self.first.backward(precision, h, d_first, d_h, &mut grad.first);
        let d_x = d_x.unwrap_or(InputGradient::Unwanted);
        self.shared.backward(x, &mut acts.shared, d_x, &mut grad.shared);
    }

    /// From what the readers of layer `at` read to its output and to its gates.
    fn route_back(&self, at: usize, batch: usize, acts: &mut LayerActivations, grad: &mut Dense) {
        let read = self.read_width(at);
        let output = Mat::new(&acts.output, batch, acts.cols);
        let mut d_output = MatMut::new(&mut acts.d_output, batch, acts.cols);
        let d_routed = Mat::new(&acts.d_routed, batch, acts.routed_cols);
        planted!(d_output.fill(0.0), "snr: d_output not cleared" => ());
        acts.d_gates.fill(0.0);
        let gates = acts
            .gates
            .chunks_exact(self.count)
            .zip(acts.d_gates.chunks_exact_mut(self.count));
        for (j, (gates, d_gates)) in gates.enumerate() {
            let d_read = d_routed.columns(j * read, read);
            route_backward(self.route, gates, output, d_read, d_gates, d_output.reborrow());
        }
        planted!(relu_backward(output, d_output), "snr: no ReLU below the routes" => ());
        let log_alpha = &self.gates[at].bias;
        let d_gates = &acts.d_gates;
        planted!(
            HardConcrete { log_alpha }.backward(&acts.gates, d_gates, grad.fresh_bias()),
            "snr: gates learn nothing" => { grad.fresh_bias(); },
        );
    }

    /// The penalty: `l0` times the number of gates that are expected to be open.
    pub(crate) fn penalty(&self) -> f64 {
        let gates = self.gates.iter();
        let open = gates.map(|gates| {
            HardConcrete {
                log_alpha: &gates.bias,
            }
            .expected_open()
        });
        f64::from(self.l0) * open.sum::<f64>()
    }

    /// **Adds** the penalty's gradient to `grad`.
    pub(crate) fn penalise(&self, grad: &mut Snr) {
        for (gates, grad) in self.gates.iter().zip(&mut grad.gates) {
            let log_alpha = &gates.bias;
            let scale = planted!(self.l0, "snr: no penalty" => 0.0);
            HardConcrete { log_alpha }.add_open_slope(scale, grad.fresh_bias());
        }
    }

    /// Its dense layers in the order of their names.
    pub(crate) fn denses(&self) -> impl Iterator<Item = &Dense> {
        let before = self.shared.layers.iter().chain([&self.first]);
        let nets = before.chain(self.rest.iter().flatten());
        nets.chain(&self.gates).chain(self.towers.denses())
    }

    /// The same, to change.
    pub(crate) fn denses_mut(&mut self) -> impl Iterator<Item = &mut Dense> {
        let before = self.shared.layers.iter_mut().chain([&mut self.first]);
        let nets = before.chain(self.rest.iter_mut().flatten());
        nets.chain(&mut self.gates).chain(self.towers.denses_mut())
    }

    /// What its dense layers are called.
    pub(crate) fn names(&self) -> Vec<LayerName> {
        let mut out = Vec::new();
        self.shared.names("shared", &mut out);
        out.push(named("subnetworks.0".to_owned(), &self.first));
        for (layer, nets) in self.rest.iter().enumerate() {
            let nets = nets.iter().enumerate();
            out.extend(nets.map(|(net, dense)| named(format!("subnetworks.{}.{net}", layer + 1), dense)));
        }
        let gates = self.gates.iter().enumerate();
        out.extend(gates.map(|(at, dense)| named(format!("gates.{at}.log_alpha"), dense)));
        self.towers.names(&mut out);
        out
    }
}

impl LayerActivations {
    fn routed(&self, batch: usize) -> Mat<'_> {
        Mat::new(&self.routed, batch, self.routed_cols)
    }

    fn routed_and_gradient(&mut self, batch: usize) -> (Mat<'_>, MatMut<'_>) {
        (
            Mat::new(&self.routed, batch, self.routed_cols),
            MatMut::new(&mut self.d_routed, batch, self.routed_cols),
        )
    }
}
