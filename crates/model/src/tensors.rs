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

/// What a dense layer is called among the tensors.
#[derive(Debug)]
pub(crate) struct LayerName {
    /// Dotted, unique in a network.
    pub(crate) name: String,
    /// How many of its first columns have a bias; that of the others is always 0.
    pub(crate) biased: usize,
}

/// Names `layer` under which all columns have a bias.
pub(crate) fn named(name: String, layer: &nn::Dense) -> LayerName {
    let biased = layer.bias.len();
    LayerName { name, biased }
}

/// The tensors of dense layers in their order: of each its weight, `NAME.weight`, then its bias, `NAME.bias`. A layer without
/// inputs is its bias alone, called `NAME`.
pub(crate) fn tensors_of<'a>(
    names: Vec<LayerName>,
    layers: impl Iterator<Item = &'a nn::Dense>,
) -> Vec<Tensor<'a>> {
    let mut out = Vec::new();
    for (LayerName { name, biased }, layer) in names.into_iter().zip(layers) {
        let alone = layer.inputs == 0;
        if !alone {
            out.push(Tensor {
                name: format!("{name}.weight"),
                shape: vec![layer.inputs, layer.outputs],
                values: &layer.weight,
            });
        }
        out.push(Tensor {
            name: if alone { name } else { format!("{name}.bias") },
            shape: vec![biased],
            values: &layer.bias[..biased],
        });
    }
    out
}

/// The same tensors in the same order, to change.
pub(crate) fn tensors_mut_of<'a>(
    names: Vec<LayerName>,
    layers: impl Iterator<Item = &'a mut nn::Dense>,
) -> Vec<TensorMut<'a>> {
    let mut out = Vec::new();
    for (LayerName { biased, .. }, layer) in names.into_iter().zip(layers) {
        if layer.inputs > 0 {
            out.push(TensorMut {
                values: &mut layer.weight,
                decays: true,
            });
        }
        out.push(TensorMut {
            values: &mut layer.bias[..biased],
            decays: false,
        });
    }
    out
}
