//! A gate before Vitally: it lets through as many calls as a test says, so that a run is under way as long as a test looks.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::stage::Failure;

/// What begins a call; what follows of it passes with it.
const METHODS: [&[u8]; 4] = [b"GET /", b"POST /", b"PUT /", b"DELETE /"];

/// A gate, until it is dropped.
pub(crate) struct Gate {
    address: SocketAddr,
    calls: Arc<Semaphore>,
    task: JoinHandle<()>,
}

impl Gate {
    /// A closed gate before this address.
    pub(crate) async fn closed(behind: SocketAddr) -> Result<Self, Failure> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let calls = Arc::new(Semaphore::new(0));
        let permits = Arc::clone(&calls);
        let task = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(carry(near, behind, Arc::clone(&permits)));
            }
        });
        Ok(Self { address, calls, task })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Lets so many calls through.
    pub(crate) fn let_through(&self, calls: usize) {
        self.calls.add_permits(calls);
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(near: TcpStream, behind: SocketAddr, permits: Arc<Semaphore>) {
    let Ok(far) = TcpStream::connect(behind).await else { return };
    let ((from, mut to_near), (mut from_far, to)) = (near.into_split(), far.into_split());
    tokio::select! {
        _ = requests(from, to, &permits) => {}
        _ = tokio::io::copy(&mut from_far, &mut to_near) => {}
    }
}

async fn requests(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    permits: &Semaphore,
) -> Result<(), Failure> {
    let mut bytes = vec![0; 65_536];
    loop {
        let read = from.read(&mut bytes).await?;
        let piece = bytes.get(..read).unwrap_or_default();
        if piece.is_empty() {
            return Ok(());
        }
        if METHODS.iter().any(|method| piece.starts_with(method)) {
            permits.acquire().await?.forget();
        }
        to.write_all(piece).await?;
    }
}
