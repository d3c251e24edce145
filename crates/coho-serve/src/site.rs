//! What a server is made with: where the ledger is, which secrets there are, who may come in.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

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
    /// The secrets that no page shows, as they are now: a project that is read anew may name others.
    pub secrets: Arc<dyn Fn() -> Masker + Send + Sync>,
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
    /// What clients may take of the server.
    pub limits: Limits,
}

impl Site {
    /// What takes the secrets out of a text.
    pub(crate) fn masker(&self) -> Masker {
        (self.secrets)()
    }
}

/// What clients may take of the server. What they may take besides, such as the length of bodies, is fixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// So many connections are open at once; whoever comes then is answered with 503.
    pub connections: usize,
    /// So many of them are pages that move, which each keep the ledger open.
    pub streams: usize,
    /// How long the head of a request may take to arrive, and a connection may be idle.
    pub head: Duration,
    /// How long the body of a request may take to arrive.
    pub body: Duration,
    /// How long a client may take no byte of an answer.
    pub answer: Duration,
    /// How long answers may take that are under way when the server ends.
    pub end: Duration,
}

impl Default for Limits {
    /// With these, files that are open stay far below the 1,024 that many systems let a process have: the rest is for runs.
    fn default() -> Self {
        Self {
            connections: 256,
            streams: 64,
            head: Duration::from_secs(30),
            body: Duration::from_secs(10),
            answer: Duration::from_secs(30),
            end: Duration::from_secs(3),
        }
    }
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
            lineage: None,
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
pub type OpenProject = Arc<dyn Fn() -> Result<OpenedProject, UnreadableProject> + Send + Sync>;

/// A project that was read.
#[derive(Clone, Debug)]
pub struct OpenedProject {
    /// The project.
    pub project: Project,
    /// Its files.
    pub files: Vec<File>,
}

/// A project that cannot be read.
#[derive(Clone, Debug)]
pub struct UnreadableProject {
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
