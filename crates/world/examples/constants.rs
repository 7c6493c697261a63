//! Prints every constant of a world as TOML, as the example `log` and [`world::Constants::from_toml`] read it.
//!
//! `cargo run --release -p world --example constants > world.toml` · change some, delete the rest.

fn main() {
    print!("{}", world::Constants::default().to_toml());
}
