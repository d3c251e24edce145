//! The files of a fresh project: one that runs against the simulator as it is, with comments that say how to go on.

/// Path and content of each file, in the order in which people should read them.
///
/// ```
/// use coho_project::{File, load, starter};
///
/// let files: Vec<File> = starter().iter().map(|(path, text)| File::text(*path, *text)).collect();
/// let project = load(&files, &|_| None, None).unwrap();
/// assert_eq!(project.syncs.len(), 4);
/// ```
pub fn starter() -> &'static [(&'static str, &'static str)] {
    FILES
}

const FILES: &[(&str, &str)] = &[
    ("README.md", include_str!("../starter/README.md")),
    (".gitignore", include_str!("../starter/gitignore")),
    ("coho.yaml", include_str!("../starter/coho.yaml")),
    ("models/organizations.yaml", include_str!("../starter/models/organizations.yaml")),
    ("models/accounts.yaml", include_str!("../starter/models/accounts.yaml")),
    ("models/users.yaml", include_str!("../starter/models/users.yaml")),
    ("models/invoices.yaml", include_str!("../starter/models/invoices.yaml")),
    ("syncs/organizations.yaml", include_str!("../starter/syncs/organizations.yaml")),
    ("syncs/accounts.yaml", include_str!("../starter/syncs/accounts.yaml")),
    ("syncs/users.yaml", include_str!("../starter/syncs/users.yaml")),
    ("syncs/invoices.yaml", include_str!("../starter/syncs/invoices.yaml")),
    ("tests/accounts.yaml", include_str!("../starter/tests/accounts.yaml")),
    ("data/organizations.csv", include_str!("../starter/data/organizations.csv")),
    ("data/accounts.csv", include_str!("../starter/data/accounts.csv")),
    ("data/users.csv", include_str!("../starter/data/users.csv")),
    ("data/invoices.csv", include_str!("../starter/data/invoices.csv")),
];
