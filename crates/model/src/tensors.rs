//! Weights as a list of named tensors: what an artifact stores and an optimizer walks over.

/// A tensor to read.
#[derive(Debug, Clone)]
pub struct Tensor<'a> {
    /// Its name, dotted, unique in a ranker.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Its values, row-major.
    pub values: &'a [f32],
}

/// A tensor to change.
#[derive(Debug)]
pub struct TensorMut<'a> {
    /// Its values, row-major.
    pub values: &'a mut [f32],
    /// Whether the L2 penalty holds it: weights yes, biases no.
    pub decays: bool,
}

/// Names the two tensors of a dense layer under `name`: its weight, and its bias, of which the first `biased` columns are
/// weights and the others always 0.
pub(crate) fn dense_tensors<'a>(name: &str, layer: &'a nn::Dense, biased: usize, out: &mut Vec<Tensor<'a>>) {
    out.push(Tensor {
        name: format!("{name}.weight"),
        shape: vec![layer.inputs, layer.outputs],
        values: &layer.weight,
    });
    out.push(Tensor {
        name: format!("{name}.bias"),
        shape: vec![biased],
        values: &layer.bias[..biased],
    });
}

/// The same tensors in the same order, to change.
pub(crate) fn dense_tensors_mut<'a>(layer: &'a mut nn::Dense, biased: usize, out: &mut Vec<TensorMut<'a>>) {
    out.push(TensorMut {
        values: &mut layer.weight,
        decays: true,
    });
    out.push(TensorMut {
        values: &mut layer.bias[..biased],
        decays: false,
    });
}
