//! Sources of files: a folder on this machine, or one in object storage with what it needs besides.

use coho_core::code::Code;
use coho_core::problem::Problem;
use coho_core::storage::{StorageAddress, StorageAddressError, StorageKind, StorageOption};
use secrecy::SecretString;

use super::secret;
use crate::project::SourceSpec;
use crate::yaml::Node;

const FORMS: &str = "write `s3://bucket/folder`, `gs://bucket/folder`, `az://container/folder` or `abfss://container@account.dfs.core.windows.net/folder`";

/// Reads a source of files.
pub(super) fn source(node: &Node, problems: &mut Vec<Problem>) -> Option<SourceSpec> {
    let path = node.get("path")?;
    let text = path.text()?;
    if !StorageAddress::is_meant(text) {
        foreign(node, problems, "a folder on this machine", |_| false);
        return Some(SourceSpec::Files { path: text.to_owned() });
    }
    match StorageAddress::parse(text) {
        Ok(address) => {
            foreign(node, problems, of(address.store), |option| option.is_of(address.store));
            Some(SourceSpec::Storage { options: options(node, address.store)?, address })
        }
        Err(error) => {
            let help = match error {
                StorageAddressError::Extra => "keys and regions have keys of their own, such as `region`",
                StorageAddressError::Scheme(_)
                | StorageAddressError::Bucket
                | StorageAddressError::Folder => FORMS,
            };
            let message = format!("`path`: {error}");
            problems.push(Problem::new(Code::WRONG_VALUE, message).at(&path.place).help(help));
            None
        }
    }
}

/// The settings that stand there; `None` where one cannot be resolved.
fn options(node: &Node, store: StorageKind) -> Option<Vec<(StorageOption, SecretString)>> {
    let there = StorageOption::ALL.into_iter().filter(|option| option.is_of(store));
    let there = there.filter(|option| node.get(option.name()).is_some());
    there.map(|option| Some((option, secret(node, option.name())?))).collect()
}

/// Keys that mean nothing there would be taken for ones that work.
fn foreign(node: &Node, problems: &mut Vec<Problem>, place: &str, fits: impl Fn(StorageOption) -> bool) {
    for option in StorageOption::ALL.into_iter().filter(|option| !fits(*option)) {
        if let Some(entry) = node.entry(option.name()) {
            let message = format!("`{}` has no meaning for {place}", option.name());
            problems.push(Problem::new(Code::WRONG_VALUE, message).at(&entry.at).help("remove it"));
        }
    }
}

fn of(store: StorageKind) -> &'static str {
    match store {
        StorageKind::S3 => "S3",
        StorageKind::Google => "Google Cloud Storage",
        StorageKind::Azure => "Azure Blob Storage",
    }
}
