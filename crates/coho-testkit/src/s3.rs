//! A server of a test's own that speaks S3's protocol: moto, from PyPI. [`crate::programs`] finds it, [`crate::emulator`] starts it.

use crate::emulator::{Emulator, End};
use crate::programs::moto;
use crate::server::{Error, Keeper};

const MOTO: Emulator = Emulator {
    name: "moto",
    ready: "Running on",
    arguments: &["-H", "127.0.0.1", "-p", "PORT"],
    end: End::AtOnce,
};

/// Whoever signs may write over an object that is there; how is not looked at.
const SIGNED: &str = "Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0\r\n";

/// A running server of buckets in memory. It takes any key for right.
#[derive(Debug)]
pub struct S3Server {
    keeper: Keeper,
}

impl S3Server {
    /// Starts a server; about two seconds. `None` where moto is not installed or `COHO_TEST_MOTO=off`; it then says on standard error
    /// which test is skipped.
    pub fn start_or_skip(test: &str) -> Result<Option<Self>, Error> {
        Ok(MOTO.start_or_skip(moto(), test)?.map(|keeper| Self { keeper }))
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port())
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.keeper.port()
    }

    /// Makes a bucket, `exports`, or puts an object, `exports/crm/a.csv`.
    pub fn put(&self, path: &str, bytes: &[u8]) -> Result<(), Error> {
        self.call("PUT", path, bytes)
    }

    /// Removes an object.
    pub fn remove(&self, path: &str) -> Result<(), Error> {
        self.call("DELETE", path, b"")
    }

    fn call(&self, method: &str, path: &str, bytes: &[u8]) -> Result<(), Error> {
        MOTO.call(self.port(), &format!("{method} /{path}"), SIGNED, bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_takes_objects_and_leaves_nothing_behind() {
        let Some(server) = S3Server::start_or_skip("a_server_takes_objects").unwrap() else { return };
        server.put("exports", b"").unwrap();
        server.put("exports/crm/a.csv", b"id\n1\n").unwrap();
        server.put("exports/crm/a.csv", b"id\n2\n").unwrap();
        server.remove("exports/crm/a.csv").unwrap();
        assert!(matches!(server.put("nowhere/a.csv", b"id\n"), Err(Error::Statement(_))));
        let folder = server.keeper.folder().to_owned();
        drop(server);
        assert!(!folder.exists());
    }
}
