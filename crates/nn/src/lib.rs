//! Calculus: layers with forward and backward, losses, optimizers. It knows numbers and shapes, not what they stand for.
//!
//! A layer owns weights ([`Dense`], [`Experts`], [`Gates`], [`Embedding`]); activations and gradients live in buffers of the
//! caller, so weights are borrowed immutably by inference and a step allocates nothing here. A gradient has the type of what
//! it is the gradient of; an embedding's is row-sparse ([`SparseGrad`]). A layer's backward **adds** to the gradients of
//! weights and **writes** that of its input; those of [`relu`] and [`Dropout`], which work in place, turn the gradient of their
//! output into that of their input.
//! All numbers are `f32`, row-major ([`Mat`], [`MatMut`]), single-threaded: the caller splits a batch if it wants threads.
//! All matrix products go through one file, `product.rs`. Randomness comes in as an argument: a generator for first weights,
//! keys for drop-out.
//!
//! ```
//! use nn::{Dense, Mat, MatMut, relu};
//! use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
//!
//! let layer = Dense::new(3, 2, 2f32.sqrt(), &mut ChaCha8Rng::seed_from_u64(1));
//! let input = [1.0, 2.0, 3.0, -1.0, -2.0, -3.0];
//! let mut output = [0.0; 4];
//! layer.forward(Mat::new(&input, 2, 3), MatMut::new(&mut output, 2, 2));
//! relu(MatMut::new(&mut output, 2, 2));
//! assert!(output.iter().all(|value| *value >= 0.0));
//! ```

#[macro_use]
mod faults;
#[macro_use]
mod kernels;

mod dense;
mod dropout;
mod embedding;
mod executed;
mod exp;
mod experts;
mod gate;
mod gradient_check;
mod hard_concrete;
mod init;
mod loss;
mod matrix;
mod mix;
mod optimizer;
mod packed;
mod product;
mod relu;
mod route;
mod sparse_grad;
#[cfg(test)]
mod testing;
mod threads;

pub use dense::{Dense, InputGradient};
pub use dropout::{Dropout, draw};
pub use embedding::{Bags, Embedding, Pool};
pub use executed::Executed;
pub use experts::{Experts, ExpertsActivations};
pub use gate::{GateDropout, Gates};
pub use gradient_check::{GradientMismatch, check_gradient};
pub use hard_concrete::{ConcreteDraws, HardConcrete};
pub use kernels::prefetch::{AHEAD, prefetch};
pub use kernels::{Aligned, Path, Precision, register_peak};
pub use loss::{binary_loss, entire_space_loss, sigmoid, squared_loss, weighted_logistic_loss};
pub use matrix::{Mat, MatMut};
pub use mix::{mix, mix_add, mix_add_backward, mix_backward};
pub use optimizer::{Adam, Moments, RowAdagrad};
pub use packed::Packed;
pub use product::{product, product_left_transposed, product_right_transposed};
pub use relu::{relu, relu_backward};
pub use route::{Route, route, route_backward};
pub use sparse_grad::SparseGrad;
pub use threads::{Threads, sum_of_four};
