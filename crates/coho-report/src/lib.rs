//! Plans, runs and problems as text and JSON.
