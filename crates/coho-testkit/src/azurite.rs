//! A server of a test's own that speaks the protocol of Azure Blob Storage: Azurite, from npm. [`crate::programs`] finds it,
//! [`crate::emulator`] starts it.

use crate::emulator::{Emulator, End};
use crate::programs::azurite;
use crate::server::{Error, Keeper};

const AZURITE: Emulator = Emulator {
    name: "Azurite",
    ready: "successfully listens",
    arguments: &[
        "--inMemoryPersistence",
        "--disableTelemetry",
        "--skipApiVersionCheck",
        "--blobHost",
        "127.0.0.1",
        "--blobPort",
        "PORT",
    ],
    end: End::AtOnce,
};

/// The emulator's account, whose key is the same on every machine and written in its documentation.
const ACCOUNT: &str = "devstoreaccount1";
const KEY: &str = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// What lets a test write there until the year 2099: a shared access signature of that key.
const SIGNATURE: &str = "sv=2020-12-06&ss=b&srt=sco&sp=rwdlac&se=2099-01-01T00%3A00%3A00Z&spr=https,http&sig=wuAW2s2z8U7NhHG8Efazfqb52Qnj74OIPXvd3nVp8a4%3D";

/// A running server of containers in memory, with one account.
#[derive(Debug)]
pub struct Azurite {
    keeper: Keeper,
}

impl Azurite {
    /// Starts a server; about two seconds. `None` where Azurite is not installed or `COHO_TEST_AZURITE=off`; it then says on standard
    /// error which test is skipped.
    pub fn start_or_skip(test: &str) -> Result<Option<Self>, Error> {
        Ok(AZURITE.start_or_skip(azurite(), test)?.map(|keeper| Self { keeper }))
    }

    /// Its address, which ends with the account.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/{ACCOUNT}", self.keeper.port())
    }

    /// The account.
    pub fn account(&self) -> &'static str {
        ACCOUNT
    }

    /// The account's key.
    pub fn key(&self) -> &'static str {
        KEY
    }

    /// Makes a container.
    pub fn make(&self, container: &str) -> Result<(), Error> {
        self.call(&format!("{container}?restype=container&{SIGNATURE}"), b"")
    }

    /// Puts an object, `exports/crm/a.csv`.
    pub fn put(&self, path: &str, bytes: &[u8]) -> Result<(), Error> {
        self.call(&format!("{path}?{SIGNATURE}"), bytes)
    }

    fn call(&self, path: &str, bytes: &[u8]) -> Result<(), Error> {
        let line = format!("PUT /{ACCOUNT}/{path}");
        AZURITE.call(self.keeper.port(), &line, "x-ms-blob-type: BlockBlob\r\n", bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_takes_objects_and_leaves_nothing_behind() {
        let Some(server) = Azurite::start_or_skip("a_server_takes_objects").unwrap() else { return };
        server.make("exports").unwrap();
        server.put("exports/crm/a.csv", b"id\n1\n").unwrap();
        assert!(matches!(server.put("nowhere/a.csv", b"id\n"), Err(Error::Statement(_))));
        let folder = server.keeper.folder().to_owned();
        drop(server);
        assert!(!folder.exists());
    }
}
