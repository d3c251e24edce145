//! A project's files: YAML with places, references to secrets, targets, JSON Schema.
