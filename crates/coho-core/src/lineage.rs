//! Lineage: of which columns each field of a record is made. It is known of every mapping, and holds no values.

use crate::row::ColumnType;

/// What a sync reads, and what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Lineage {
    /// The model's columns, in its order.
    pub columns: Vec<(String, ColumnType)>,
    /// The fields that are set.
    pub fields: Vec<FieldLineage>,
}

/// What a field is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldLineage {
    /// The field: `name`, `traits.plan`, or `traits` where all are set at once.
    pub field: String,
    /// The columns, in the model's order. None where every row has the same value.
    pub columns: Vec<String>,
    /// How they become its value.
    pub made: Made,
}

/// How columns become a field's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// It is the column's value.
    AsItIs,
    /// It is calculated, cast or looked up.
    Changed,
}
