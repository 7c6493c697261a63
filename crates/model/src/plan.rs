//! The feature plan: which field fills which columns of the network's input.
//!
//! In: a [`Spec`]. Out: the layout of the input `[batch, width]`: first every embedded field's pooled row, then the dense
//! columns, both in declared order, then the position where it is an input.

use spec::{BiasForm, Kind, Spec};

use crate::bias_cells;

/// One embedded field of the main tower: an id, ids, a text, a number in buckets.
#[derive(Debug, Clone, PartialEq)]
pub struct IdInput {
    /// Index into `Spec::fields`.
    pub field: usize,
    /// Index into `Spec::tables`.
    pub table: usize,
    /// First column in the input.
    pub column: usize,
    /// Width.
    pub dim: usize,
    /// How its rows are pooled.
    pub pool: nn::Pool,
    /// Share of training reads that see the `new` row.
    pub dropout: f32,
}

/// Where dense columns come from.
#[derive(Debug, Clone, PartialEq)]
pub enum DenseSource {
    /// A logged number: x, maybe x^2 and sqrt(x), and 1 where it is missing.
    Number {
        /// Index into `Spec::fields`.
        field: usize,
        /// Whether x^2 and sqrt(x) follow x.
        powers: bool,
        /// The value that stands for "missing".
        missing: Option<f32>,
    },
    /// The inner product of two vector fields, then as a number.
    Dot {
        /// Index of the pair field.
        field: usize,
        /// The two vector fields.
        of: (usize, usize),
        /// Whether x^2 and sqrt(x) follow x.
        powers: bool,
    },
    /// A logged vector; zeros where it is missing.
    Vector {
        /// Index into `Spec::fields`.
        field: usize,
    },
    /// The elementwise product of two vector fields; zeros where one is missing.
    Product {
        /// Index of the pair field.
        field: usize,
        /// The two vector fields.
        of: (usize, usize),
    },
}

impl DenseSource {
    /// The declared field that it realises.
    pub fn field(&self) -> usize {
        match self {
            Self::Number { field, .. }
            | Self::Dot { field, .. }
            | Self::Vector { field }
            | Self::Product { field, .. } => *field,
        }
    }
}

/// The position as an input, with `[bias] form = "input"`: one column for each position, the first for the missing one, then one
/// for each cell of the bias fields. Of both, one column is 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PositionInput {
    /// Highest position + 1.
    pub positions: usize,
    /// Cells; 0 where position is alone.
    pub cells: usize,
}

/// The layout of the network's input.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Embedded fields.
    pub ids: Vec<IdInput>,
    /// Dense fields with their first column *within the dense part* and their width.
    pub dense: Vec<(DenseSource, usize, usize)>,
    /// Columns of the embedded part.
    pub embedded_width: usize,
    /// Columns of the dense part.
    pub dense_width: usize,
    /// The position behind it, where it is an input.
    pub position: Option<PositionInput>,
}

impl Plan {
    /// Lays out the main tower's fields of `spec`.
    pub fn of(spec: &Spec) -> Plan {
        let mut plan = Plan {
            ids: Vec::new(),
            dense: Vec::new(),
            embedded_width: 0,
            dense_width: 0,
            position: position_input(spec),
        };
        for (field, declared) in spec
            .fields
            .iter()
            .enumerate()
            .filter(|(_, declared)| declared.in_main())
        {
            match &declared.kind {
                Kind::Id {
                    table, id_dropout, ..
                } => plan.add_ids(spec, field, *table, spec::Pool::Mean, *id_dropout),
                Kind::Ids {
                    table,
                    id_dropout,
                    pool,
                    ..
                }
                | Kind::Text {
                    table,
                    id_dropout,
                    pool,
                    ..
                } => plan.add_ids(spec, field, *table, *pool, *id_dropout),
                Kind::Buckets { table, .. } => plan.add_ids(spec, field, *table, spec::Pool::Mean, 0.0),
                Kind::Number {
                    powers, missing, dot, ..
                } => {
                    let powers = *powers;
                    let width = if powers { 4 } else { 2 };
                    let source = match *dot {
                        Some(of) => DenseSource::Dot { field, of, powers },
                        None => DenseSource::Number {
                            field,
                            powers,
                            missing: *missing,
                        },
                    };
                    plan.add_dense(source, width);
                }
                Kind::Vector { width, product } => {
                    let source = match *product {
                        Some(of) => DenseSource::Product { field, of },
                        None => DenseSource::Vector { field },
                    };
                    plan.add_dense(source, *width);
                }
            }
        }
        plan
    }

    /// Columns of the network's input.
    pub fn width(&self) -> usize {
        let position = self.position.map_or(0, |input| input.positions + input.cells);
        self.embedded_width + self.dense_width + position
    }

    fn add_ids(&mut self, spec: &Spec, field: usize, table: usize, pool: spec::Pool, dropout: f32) {
        let dim = spec.tables[table].dim;
        let pool = match pool {
            spec::Pool::Mean => nn::Pool::Mean,
            spec::Pool::Sum => nn::Pool::Sum,
        };
        self.ids.push(IdInput {
            field,
            table,
            column: self.embedded_width,
            dim,
            pool,
            dropout,
        });
        self.embedded_width += dim;
    }

    fn add_dense(&mut self, source: DenseSource, width: usize) {
        self.dense.push((source, self.dense_width, width));
        self.dense_width += width;
    }
}

fn position_input(spec: &Spec) -> Option<PositionInput> {
    let bias = spec.bias.as_ref().filter(|bias| bias.form == BiasForm::Input)?;
    Some(PositionInput {
        positions: bias.max_position as usize + 1,
        cells: if bias.fields.is_empty() {
            0
        } else {
            bias_cells(spec, bias)
        },
    })
}
