//! dbt's artifacts, read where they changed since they were read last. [`crate::dbt`] says what they are read for.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use coho_core::code::Code;
use coho_core::place::Place;
use coho_core::problem::Problem;
use coho_dbt::{ArtifactError, Manifest, RunResults};
use coho_project::DbtSpec;

/// The most bytes that an artifact may have.
const LONGEST: u64 = 1 << 30;

/// dbt's artifacts, as they were read last.
#[derive(Debug)]
pub(crate) struct Artifacts {
    spec: DbtSpec,
    folder: PathBuf,
    manifest: Kept<Manifest>,
    results: Kept<RunResults>,
}

/// A file's content, and what the file looked like when it was read.
type Kept<T> = Mutex<Option<(FileStamp, Arc<T>)>>;

/// What changes where a file is written anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileStamp {
    length: u64,
    modified: Option<SystemTime>,
}

/// The artifacts at one moment.
#[derive(Clone)]
pub(crate) struct Snapshot {
    pub(crate) manifest: Arc<Manifest>,
    /// The error says why there are results that nobody can read.
    pub(crate) results: Result<Option<Arc<RunResults>>, Problem>,
}

impl Artifacts {
    pub(crate) fn new(spec: &DbtSpec, root: &Path) -> Self {
        let folder = root.join(&spec.target);
        Self { spec: spec.clone(), folder, manifest: Mutex::default(), results: Mutex::default() }
    }

    /// Where the folder is declared.
    pub(crate) fn place(&self) -> &Place {
        &self.spec.place
    }

    /// The artifacts as they are now.
    pub(crate) fn read(&self) -> Result<Snapshot, Problem> {
        let manifest = self.file(&self.manifest, "manifest.json", Manifest::read)?;
        let results = self.file(&self.results, "run_results.json", RunResults::read);
        match manifest {
            Some(manifest) => Ok(Snapshot { manifest, results }),
            None => Err(self.problem(format!("there is no `{}`", self.shown("manifest.json")))),
        }
    }

    /// A file's content; `None` where there is no such file.
    fn file<T>(
        &self,
        kept: &Kept<T>,
        name: &str,
        read: impl FnOnce(std::io::Take<File>) -> Result<T, ArtifactError>,
    ) -> Result<Option<Arc<T>>, Problem> {
        let failed = |why: String| self.problem(format!("cannot read `{}`: {why}", self.shown(name)));
        let file = match File::open(self.folder.join(name)) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error.to_string())),
        };
        let metadata = file.metadata().map_err(|error| failed(error.to_string()))?;
        let stamp = FileStamp { length: metadata.len(), modified: metadata.modified().ok() };
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, content)) = &*kept
            && *known == stamp
        {
            return Ok(Some(content.clone()));
        }
        if stamp.length > LONGEST {
            return Err(failed(format!("it is larger than {} GiB", LONGEST >> 30)));
        }
        let content = Arc::new(read(file.take(LONGEST)).map_err(|error| failed(error.to_string()))?);
        *kept = Some((stamp, content.clone()));
        Ok(Some(content))
    }

    /// A file as the project names it.
    fn shown(&self, name: &str) -> String {
        format!("{}/{name}", self.spec.target.trim_end_matches('/'))
    }

    fn problem(&self, message: String) -> Problem {
        Problem { help: Code::DBT_ARTIFACT.help(), ..Problem::new(Code::DBT_ARTIFACT, message) }
            .at(&self.spec.place)
    }
}
