//! Every layer, loss and optimizer against what PyTorch computed; `make.py` wrote the numbers.
#![allow(clippy::unwrap_used)]

#[macro_use]
mod vectors;
mod layers;
mod optimizers;
mod step;
