//! The process that a server of runs lives in: what only the rim of a program knows, such as its environment and its terminal.

use coho_core::event::Listener;
use coho_core::started::Started;
use coho_engine::context::Setup;
use coho_project::{File, Project};

use crate::site::{OpenedProject, UnreadableProject};

/// The process that a server of runs lives in.
pub trait Host: Send + Sync + 'static {
    /// The project's files as they are now; what is wrong where they cannot be read.
    fn files(&self) -> Result<Vec<File>, String>;

    /// Reads the project anew.
    fn open(&self) -> Result<OpenedProject, UnreadableProject>;

    /// What an engine is made with.
    fn setup<'p>(&self, project: &'p Project) -> Setup<'p>;

    /// What is known of this process, and of the project's files, for whoever looks at a run later.
    fn started(&self, files: &[File]) -> Started;

    /// Listens to a run.
    fn listener(&self) -> Box<dyn Listener>;

    /// Says what happens, in a line or more.
    fn tell(&self, text: &str);
}
