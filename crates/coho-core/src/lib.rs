//! The nouns of Coho, the catalog of Vitally's objects and the decision table.
