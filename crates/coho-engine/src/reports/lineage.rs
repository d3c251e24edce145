//! Events of OpenLineage: which job a sync is, and which datasets its model and its object are. [`crate::lineage`] says where they go.

use coho_core::json::Json;
use coho_core::lineage::Lineage;
use coho_core::model::Relation;
use coho_core::object::Object;
use coho_core::sync::Sync;
use coho_core::time::Time;
use coho_project::SourceSpec;
use coho_report::json::{Dataset, Happened, LineageFrame, lineage};
use coho_source::{DatabaseServer, MysqlConnection, PostgresConnection};

use crate::context::Engine;

impl Engine<'_> {
    /// The event of a sync, if somebody wants events.
    pub(crate) fn event_of(
        &self,
        run: &str,
        sync: &Sync,
        happened: &Happened<'_>,
        columns: Option<&Lineage>,
        at: Time,
    ) -> Option<Json> {
        let target = self.setup.lineage.as_ref()?;
        let project = self.setup.project;
        let part = match &project.target {
            Some(target) => format!("{}.{target}", project.name),
            None => project.name.clone(),
        };
        let sql = match &project.model(&sync.model)?.relation {
            Relation::Sql(sql) => Some(sql.text.as_str()),
            Relation::Table(_) | Relation::Dbt(_) | Relation::File { .. } => None,
        };
        let frame = LineageFrame {
            namespace: &target.namespace,
            job: &format!("{part}.{}", sync.id),
            project: &part,
            run: &uuid(&format!("coho {run} {}", sync.id)).to_string(),
            project_run: &uuid::Uuid::parse_str(run).unwrap_or_else(|_| uuid(run)).to_string(),
            input: &self.input(sync, &target.namespace, &part)?,
            sql,
            output: &self.output(sync),
        };
        Some(lineage(&frame, happened, columns, at))
    }

    /// What a sync reads, named as OpenLineage names it. A query has no name there: it is a dataset of the project's own.
    fn input(&self, sync: &Sync, jobs: &str, project: &str) -> Option<Dataset> {
        let model = self.setup.project.model(&sync.model)?;
        let source = self.setup.project.sources.get(&model.source)?;
        let root = &self.setup.root;
        let relation = match &model.relation {
            Relation::Dbt(dbt) => {
                self.relation_of(dbt).map_or_else(|| model.relation.clone(), |table| plain(&table))
            }
            Relation::Sql(_) | Relation::Table(_) | Relation::File { .. } => model.relation.clone(),
        };
        Some(match (&relation, source) {
            (Relation::Table(table), SourceSpec::Postgres { url, statement_timeout, .. }) => {
                let (url, statement_timeout) = (url.clone(), *statement_timeout);
                let server = PostgresConnection { url, statement_timeout }.server()?;
                let name = match table.matches('.').count() {
                    0 => format!("{}.public.{table}", server.database),
                    1 => format!("{}.{table}", server.database),
                    _ => table.clone(),
                };
                Dataset { namespace: namespace("postgres", &server), name }
            }
            (Relation::Table(table), SourceSpec::Mysql { url, statement_timeout, .. }) => {
                let (url, statement_timeout) = (url.clone(), *statement_timeout);
                let server = MysqlConnection { url, statement_timeout }.server()?;
                let is_whole = table.contains('.');
                let name = if is_whole { table.clone() } else { format!("{}.{table}", server.database) };
                Dataset { namespace: namespace("mysql", &server), name }
            }
            (Relation::Table(table), SourceSpec::Sqlite { path }) => {
                let namespace = format!("sqlite://{}", absolute(&root.join(path)));
                Dataset { namespace, name: table.clone() }
            }
            (Relation::File { path, .. }, SourceSpec::Files { path: folder }) => {
                let name = absolute(&root.join(folder).join(path));
                Dataset { namespace: "file".to_owned(), name }
            }
            (Relation::File { path, .. }, SourceSpec::Storage { address, .. }) => {
                Dataset { namespace: address.root.clone(), name: address.key(path) }
            }
            (Relation::Sql(_) | Relation::Table(_) | Relation::Dbt(_) | Relation::File { .. }, _) => {
                Dataset { namespace: jobs.to_owned(), name: format!("{project}.models.{}", model.name) }
            }
        })
    }

    /// What a sync writes: `vitally://us/acme`, `accounts`.
    fn output(&self, sync: &Sync) -> Dataset {
        let workspace = self.workspace(&sync.destination);
        let place = workspace.split_once("://").map_or(workspace.as_str(), |(_, place)| place);
        let name = match sync.object {
            Object::Organization => "organizations",
            Object::Account => "accounts",
            Object::User => "users",
            Object::Event => "events",
        };
        Dataset { namespace: format!("vitally://{place}"), name: name.to_owned() }
    }
}

/// `postgres://host:port`
fn namespace(kind: &str, server: &DatabaseServer) -> String {
    format!("{kind}://{}:{}", server.host, server.port)
}

/// A table as dbt quotes it, without the quotes: that is how lineage names tables.
fn plain(relation: &str) -> Relation {
    Relation::Table(relation.replace(['"', '`'], ""))
}

/// A path without detours, if it is there.
fn absolute(path: &std::path::Path) -> String {
    path.canonicalize().unwrap_or_else(|_| path.to_owned()).display().to_string()
}

fn uuid(name: &str) -> uuid::Uuid {
    uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, name.as_bytes())
}
