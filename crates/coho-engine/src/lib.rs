//! Plan and run: the only crate that knows the order of the stages.
