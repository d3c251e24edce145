//! What a server is made with: where the ledger is, which secrets there are, who may come in.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use coho_core::problem::Problem;
use coho_core::secret::Masker;
use coho_engine::clock::Clock;
use coho_engine::context::Setup;
use coho_ledger::lease::Holder;
use coho_ledger::retention::Retention;
use coho_project::{File, Project};

use crate::actions::Actions;

/// What a server is made with.
#[derive(Clone)]
pub struct Site {
    /// The project's name.
    pub project: String,
    /// The ledger's file; it may come to be later.
    pub ledger: PathBuf,
    /// The secrets that no page shows.
    pub masker: Masker,
    /// How long the ledger keeps rows and calls.
    pub retention: Retention,
    /// Reads the project's files anew.
    pub open: OpenProject,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Where plans are made.
    pub machine: Machine,
    /// Who does what pages ask for. Without it they ask for nothing.
    pub actions: Option<Arc<dyn Actions>>,
    /// What opens the pages.
    pub keys: Keys,
    /// Where it listens: what a browser may call it by follows from that.
    pub address: SocketAddr,
    /// Other names under which it is reached, with their port where that is not the usual one: of a reverse proxy, of a host.
    pub names: Vec<String>,
}

impl Site {
    /// What an engine is made with that plans and reads, and runs nothing.
    pub(crate) fn setup<'a>(&self, project: &'a Project) -> Setup<'a> {
        Setup {
            project,
            root: self.machine.root.clone(),
            temporary: self.machine.temporary.clone(),
            clock: Arc::clone(&self.clock),
            holder: self.machine.holder.clone(),
            run_id: Arc::new(|| "plan".to_owned()),
        }
    }
}

/// Where plans are made.
#[derive(Clone, Debug)]
pub struct Machine {
    /// The project's folder.
    pub root: PathBuf,
    /// Where a plan's file goes.
    pub temporary: PathBuf,
    /// This process, which holds no lease.
    pub holder: Holder,
}

/// Reads the project's files as they are now.
pub type OpenProject = Arc<dyn Fn() -> Result<Opened, Broken> + Send + Sync>;

/// A project that was read.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The project.
    pub project: Project,
    /// Its files.
    pub files: Vec<File>,
}

/// A project that cannot be read.
#[derive(Clone, Debug)]
pub struct Broken {
    /// What is wrong with it.
    pub problems: Vec<Problem>,
    /// Its files, as far as they could be read.
    pub files: Vec<File>,
}

/// Three texts that nobody can guess, each drawn for this process.
#[derive(Clone)]
pub struct Keys {
    /// What a person shows once: in the fragment of the printed address, or typed.
    pub token: String,
    /// What the browser shows from then on, in a cookie.
    pub cookie: String,
    /// What forms show, so that they are ours.
    pub form: String,
}
