//! Field mappings: from a row to typed Vitally fields and traits.
