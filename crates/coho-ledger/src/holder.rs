//! Who holds a lease, or wants to.

/// Who holds a lease, or wants to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// A random id, new for each process.
    pub id: String,
    /// The process id.
    pub pid: u32,
    /// The machine's name.
    pub host: String,
}
