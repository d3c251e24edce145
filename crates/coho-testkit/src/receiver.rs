//! A server that keeps what it is sent over HTTP, and answers what a test wants.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long something that must arrive is waited for, before its test fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// A request that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrived {
    /// The path with its query.
    pub path: String,
    /// The headers, by their names in small letters.
    pub headers: BTreeMap<String, String>,
    /// The body, as text.
    pub body: String,
    /// The body.
    pub bytes: Vec<u8>,
}

#[derive(Default)]
struct Shared {
    arrived: Mutex<Vec<Arrived>>,
    more: Condvar,
    statuses: Mutex<Vec<u16>>,
    is_over: AtomicBool,
}

/// A server on the loopback interface that takes any POST with 200, gone when it is dropped. Where it refuses one, it repeats
/// the path, as servers do.
pub struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Receiver {
    /// Starts it.
    pub fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let served = Arc::clone(&shared);
        let thread = std::thread::spawn(move || serve(&listener, &served));
        Ok(Self { address, shared, thread: Some(thread) })
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Answers the next requests with these statuses, in order.
    pub fn answer_next(&self, statuses: &[u16]) {
        locked(&self.shared.statuses).extend(statuses);
    }

    /// What arrived since this was asked last.
    pub fn take(&self) -> Vec<Arrived> {
        std::mem::take(&mut *locked(&self.shared.arrived))
    }

    /// The same once something arrived at this path, or after a minute in which nothing did.
    pub fn wait_for(&self, path: &str) -> Vec<Arrived> {
        let lacks = |arrived: &mut Vec<Arrived>| !arrived.iter().any(|one| one.path == path);
        let waited = self.shared.more.wait_timeout_while(locked(&self.shared.arrived), PATIENCE, lacks);
        let (mut arrived, _) = waited.unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *arrived)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        // A last connection wakes the thread that waits for one.
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn serve(listener: &TcpListener, shared: &Shared) {
    for stream in listener.incoming() {
        if shared.is_over.load(Ordering::SeqCst) {
            return;
        }
        // Each connection carries one request: a client that leaves early ends only its own.
        if let Ok(stream) = stream {
            drop(answer(stream, shared));
        }
    }
}

fn answer(stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or_default();
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let (body, bytes) = (String::from_utf8_lossy(&body).into_owned(), body);
    let refused = format!("you sent {path}");
    locked(&shared.arrived).push(Arrived { path, headers, body, bytes });
    shared.more.notify_all();
    let mut statuses = locked(&shared.statuses);
    let (status, said) =
        if statuses.is_empty() { (200, "ok".to_owned()) } else { (statuses.remove(0), refused) };
    let length = said.len();
    write!(
        reader.get_mut(),
        "HTTP/1.1 {status} -\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{said}"
    )?;
    reader.get_mut().flush()
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
