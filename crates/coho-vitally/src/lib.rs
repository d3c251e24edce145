//! Vitally's REST API: exchanges without I/O, and a client that drives them.
