//! Ready-made files: what a machine, a container, a CI server or an orchestrator needs to run a project.

/// For whom files are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReadyMade {
    /// A workflow of GitHub Actions, and the action that it uses.
    Github,
    /// A service and a timer of systemd, and the service of the server.
    Systemd,
    /// A container.
    Container,
    /// A file for `/etc/cron.d`.
    Cron,
    /// A DAG of Airflow.
    Airflow,
    /// Assets of Dagster.
    Dagster,
    /// A flow of Prefect.
    Prefect,
}

/// What stands in ready-made files for what is not the same for all.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    /// The project's folder: its whole path.
    pub folder: &'a str,
    /// The program `coho`: its whole path.
    pub coho: &'a str,
    /// The ids of the project's syncs.
    pub syncs: &'a [&'a str],
}

impl ReadyMade {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Github,
        Self::Systemd,
        Self::Container,
        Self::Cron,
        Self::Airflow,
        Self::Dagster,
        Self::Prefect,
    ];

    /// Path, relative to the project, and content of each file.
    pub fn files(self, surroundings: &Surroundings<'_>) -> Vec<(&'static str, String)> {
        let syncs: Vec<_> = surroundings.syncs.iter().map(|sync| format!("\"{sync}\"")).collect();
        let syncs = syncs.join(", ");
        let filled = |text: &str| {
            let text = text.replace("@folder@", surroundings.folder).replace("@coho@", surroundings.coho);
            text.replace("@syncs@", &syncs)
        };
        self.texts().iter().map(|(path, text)| (*path, filled(text))).collect()
    }

    fn texts(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Github => &[
                (".github/workflows/coho.yaml", include_str!("../ready-made/github/workflow.yaml")),
                (".github/actions/coho/action.yml", include_str!("../ready-made/github/action.yml")),
            ],
            Self::Systemd => &[
                ("deploy/systemd/coho.service", include_str!("../ready-made/systemd/coho.service")),
                ("deploy/systemd/coho.timer", include_str!("../ready-made/systemd/coho.timer")),
                (
                    "deploy/systemd/coho-serve.service",
                    include_str!("../ready-made/systemd/coho-serve.service"),
                ),
            ],
            Self::Container => &[
                ("Containerfile", include_str!("../ready-made/container/Containerfile")),
                (".dockerignore", include_str!("../ready-made/container/dockerignore")),
            ],
            Self::Cron => &[("deploy/cron/coho.cron", include_str!("../ready-made/cron/coho.cron"))],
            Self::Airflow => {
                &[("deploy/airflow/coho_dag.py", include_str!("../ready-made/airflow/coho_dag.py"))]
            }
            Self::Dagster => {
                &[("deploy/dagster/definitions.py", include_str!("../ready-made/dagster/definitions.py"))]
            }
            Self::Prefect => {
                &[("deploy/prefect/coho_flow.py", include_str!("../ready-made/prefect/coho_flow.py"))]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<(&'static str, String)> {
        let surroundings =
            Surroundings { folder: "/srv/acme", coho: "/usr/bin/coho", syncs: &["accounts", "users"] };
        ReadyMade::ALL.iter().flat_map(|kind| kind.files(&surroundings)).collect()
    }

    #[test]
    fn nothing_is_left_to_fill_in() {
        for (path, text) in all() {
            for mark in ["@folder@", "@coho@", "@syncs@"] {
                assert!(!text.contains(mark), "{path} has {mark}");
            }
        }
    }

    #[test]
    fn yaml_is_yaml_and_jobs_have_steps() {
        let files: Vec<_> = all().into_iter().filter(|(path, _)| path.starts_with(".github/")).collect();
        assert_eq!(files.len(), 2);
        for (path, text) in files {
            let read: serde_json::Value = serde_saphyr::from_str(&text).unwrap();
            let steps = match path {
                ".github/workflows/coho.yaml" => &read["jobs"]["run"]["steps"],
                _ => &read["runs"]["steps"],
            };
            assert!(steps.as_array().is_some_and(|steps| steps.len() >= 2), "{path}");
        }
    }
}
