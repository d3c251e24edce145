//! What stands between a ledger and its server: answers that take longer, and connections that are cut at the worst moment.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::{Duration, Instant};

/// What happens to the connection on which the next transaction is committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Cut {
    Not = 0,
    /// The server never hears of it.
    Before = 1,
    /// It is committed, and whoever asked never hears of it.
    After = 2,
}

/// A proxy on this machine; its threads end with their connections.
pub(super) struct Proxy {
    pub(super) port: u16,
    cut: Arc<AtomicU8>,
}

impl Proxy {
    /// A proxy to a port. Each direction takes so long.
    pub(super) fn to(server: u16, delay: Duration) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let cut = Arc::new(AtomicU8::new(0));
        let shared = Arc::clone(&cut);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else { continue };
                for stream in [&client, &server] {
                    stream.set_nodelay(true).unwrap();
                }
                let both = Both { client, server, cut: Arc::clone(&shared), delay };
                let back = both.again();
                thread::spawn(move || both.there());
                thread::spawn(move || back.back());
            }
        });
        Self { port, cut }
    }

    pub(super) fn cut(&self, cut: Cut) {
        self.cut.store(cut as u8, Ordering::SeqCst);
    }
}

struct Both {
    client: TcpStream,
    server: TcpStream,
    cut: Arc<AtomicU8>,
    delay: Duration,
}

impl Both {
    fn again(&self) -> Self {
        let (client, server) = (self.client.try_clone().unwrap(), self.server.try_clone().unwrap());
        Self { client, server, cut: Arc::clone(&self.cut), delay: self.delay }
    }

    fn is(&self, cut: Cut) -> bool {
        self.cut.compare_exchange(cut as u8, Cut::Not as u8, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    fn hang_up(&self) {
        drop(self.client.shutdown(Shutdown::Both));
        drop(self.server.shutdown(Shutdown::Both));
    }

    /// From the client to the server.
    fn there(mut self) {
        let mut buffer = vec![0; 1 << 16];
        let sent = later(self.server.try_clone().unwrap());
        while let Ok(length @ 1..) = self.client.read(&mut buffer) {
            if has(&buffer[..length], b"COMMIT\0") && self.is(Cut::Before) {
                break;
            }
            sent.send((Instant::now() + self.delay, buffer[..length].to_vec())).unwrap_or_default();
        }
        self.hang_up();
    }

    /// From the server to the client.
    fn back(mut self) {
        let mut buffer = vec![0; 1 << 16];
        let sent = later(self.client.try_clone().unwrap());
        while let Ok(length @ 1..) = self.server.read(&mut buffer) {
            if has(&buffer[..length], b"COMMIT\0") && self.is(Cut::After) {
                break;
            }
            sent.send((Instant::now() + self.delay, buffer[..length].to_vec())).unwrap_or_default();
        }
        self.hang_up();
    }
}

/// Writes what is sent when its time has come, each after the delay and not one after the other.
fn later(mut to: TcpStream) -> Sender<(Instant, Vec<u8>)> {
    let (sent, coming) = mpsc::channel::<(Instant, Vec<u8>)>();
    thread::spawn(move || {
        for (at, bytes) in coming {
            thread::sleep(at.saturating_duration_since(Instant::now()));
            if to.write_all(&bytes).is_err() {
                break;
            }
        }
    });
    sent
}

fn has(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}
