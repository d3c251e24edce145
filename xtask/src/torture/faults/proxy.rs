//! A hostile network between Coho and the simulator: a proxy that passes calls on, and does to some of them what networks,
//! load balancers and broken servers do.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

/// Between the pieces of an answer that drips.
const DRIP: Duration = Duration::from_millis(20);

/// What is done to a call.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Mischief {
    /// It passes, among others that do not.
    Pass,
    /// It is answered with these bytes, and the simulator never sees it.
    Answer(Vec<u8>),
    /// The simulator does what it asks for; it is answered with these bytes.
    AnswerAfter(Vec<u8>),
    /// The connection is closed, and the simulator never sees the call.
    ResetBefore,
    /// The simulator does what it asks for, and the connection is closed within the answer's head.
    ResetDuring,
    /// The simulator does what it asks for, and the connection is closed.
    ResetAfter,
    /// The simulator does what it asks for; half of the body arrives.
    HalfBody,
    /// The simulator does what it asks for; the answer arrives a few bytes at a time.
    Drip,
    /// Nothing ever comes.
    Silence,
    /// The simulator does what it asks for, and nothing ever comes.
    SilenceAfter,
}

/// Which calls are struck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Struck {
    /// All of them.
    All,
    /// Those that write.
    Writes,
    /// Those that read.
    Reads,
}

/// What is done to which calls, and how often.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    pub(crate) struck: Struck,
    /// So many fitting calls pass first.
    pub(crate) skip: usize,
    /// So many are struck: by each of these in turn.
    pub(crate) times: usize,
    pub(crate) mischief: Vec<Mischief>,
}

/// Where a process is killed, as seen from the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// The first write arrived, and was not passed on: its intent was made durable.
    Intended,
    /// A write was done, and not answered.
    Sent,
    /// A write was answered, so that it is being settled.
    Settling,
}

#[derive(Default)]
struct Plan {
    script: Option<Script>,
    seen: usize,
    /// At which moment the next write is to stop, and whether it did.
    moment: Option<Moment>,
}

struct Shared {
    upstream: SocketAddr,
    plan: Mutex<Plan>,
    reached: AtomicBool,
    calls: AtomicUsize,
    struck: AtomicU64,
    ends: AtomicBool,
}

/// A running proxy; it ends when this is dropped.
pub(crate) struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Proxy {
    /// Starts one before the server at this address: `http://127.0.0.1:41234`.
    pub(crate) fn start(upstream: &str) -> Result<Self> {
        let upstream = upstream.strip_prefix("http://").context("the simulator has no address")?.parse()?;
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            upstream,
            plan: Mutex::default(),
            reached: AtomicBool::new(false),
            calls: AtomicUsize::new(0),
            struck: AtomicU64::new(0),
            ends: AtomicBool::new(false),
        });
        let of_thread = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if of_thread.ends.load(Ordering::SeqCst) {
                    return;
                }
                let shared = Arc::clone(&of_thread);
                // A connection that breaks is what this is for.
                thread::spawn(move || drop(serve(&shared, stream)));
            }
        });
        Ok(Self { address, shared })
    }

    /// Its address.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on this is done.
    pub(crate) fn strike(&self, script: Script) {
        *self.plan() = Plan { script: Some(script), ..Plan::default() };
    }

    /// From now on all calls pass.
    pub(crate) fn calm(&self) {
        *self.plan() = Plan::default();
    }

    /// The next write stops at this moment.
    pub(crate) fn stop_at(&self, moment: Moment) {
        self.shared.reached.store(false, Ordering::SeqCst);
        *self.plan() = Plan { moment: Some(moment), ..Plan::default() };
    }

    /// Whether a write stopped.
    pub(crate) fn has_stopped(&self) -> bool {
        self.shared.reached.load(Ordering::SeqCst)
    }

    /// How many writes were made to fail.
    pub(crate) fn struck(&self) -> u64 {
        self.shared.struck.load(Ordering::SeqCst)
    }

    /// How many calls came.
    pub(crate) fn calls(&self) -> usize {
        self.shared.calls.load(Ordering::SeqCst)
    }

    fn plan(&self) -> std::sync::MutexGuard<'_, Plan> {
        self.shared.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.ends.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
    }
}

/// What becomes of a call: something is done to it, or it stops at a moment.
enum Turn {
    Pass,
    Strike(Mischief),
    Stop(Moment),
}

impl Shared {
    fn turn(&self, head: &str) -> Turn {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let writes = !head.starts_with("GET ");
        let mut plan = self.plan.lock().unwrap_or_else(PoisonError::into_inner);
        if let (true, Some(moment)) = (writes, plan.moment) {
            plan.moment = None;
            return Turn::Stop(moment);
        }
        let Some(script) = &plan.script else { return Turn::Pass };
        let fits = match script.struck {
            Struck::All => true,
            Struck::Writes => writes,
            Struck::Reads => !writes,
        };
        if !fits {
            return Turn::Pass;
        }
        let number = plan.seen.checked_sub(script.skip).filter(|number| *number < script.times);
        let mischief = number.and_then(|number| script.mischief.get(number % script.mischief.len().max(1)));
        let mischief = mischief.cloned();
        plan.seen += 1;
        mischief.map_or(Turn::Pass, |mischief| {
            // A slow answer is none that failed, and what a read tells may be asked again.
            let fails = writes && !matches!(mischief, Mischief::Pass | Mischief::Drip);
            self.struck.fetch_add(u64::from(fails), Ordering::SeqCst);
            Turn::Strike(mischief)
        })
    }
}

/// Serves a connection until it breaks.
fn serve(shared: &Shared, mut client: TcpStream) -> io::Result<()> {
    loop {
        let Some((head, rest)) = read_head(&mut client)? else { return Ok(()) };
        match shared.turn(&head) {
            Turn::Pass => {
                let answer = passed_on(shared, &mut client, &head, rest)?;
                client.write_all(&answer)?;
            }
            Turn::Stop(moment) => return stop(shared, &mut client, &head, rest, moment),
            Turn::Strike(mischief) => {
                if !strike(shared, &mut client, &head, rest, mischief)? {
                    return Ok(());
                }
            }
        }
    }
}

/// Gives whether the connection goes on. What was made up has no length that one could rely on, so it ends then.
fn strike(
    shared: &Shared,
    client: &mut TcpStream,
    head: &str,
    rest: Vec<u8>,
    mischief: Mischief,
) -> io::Result<bool> {
    match mischief {
        Mischief::Pass | Mischief::Drip => {
            let answer = passed_on(shared, client, head, rest)?;
            let (few, pause) =
                if mischief == Mischief::Drip { (40, DRIP) } else { (answer.len(), Duration::ZERO) };
            for piece in answer.chunks(few.max(1)) {
                client.write_all(piece)?;
                thread::sleep(pause);
            }
            return Ok(true);
        }
        Mischief::Answer(bytes) => {
            read_body(client, head, rest)?;
            client.write_all(&bytes)?;
        }
        Mischief::AnswerAfter(bytes) => {
            passed_on(shared, client, head, rest)?;
            client.write_all(&bytes)?;
        }
        Mischief::ResetBefore => {}
        Mischief::ResetDuring => send_some(shared, client, head, rest, |_| 20)?,
        Mischief::ResetAfter => send_some(shared, client, head, rest, |_| 0)?,
        Mischief::HalfBody => send_some(shared, client, head, rest, |length| length - length / 4)?,
        Mischief::Silence => wait_for_end(client),
        Mischief::SilenceAfter => {
            passed_on(shared, client, head, rest)?;
            wait_for_end(client);
        }
    }
    drop(client.shutdown(Shutdown::Both));
    Ok(false)
}

/// Passes a call on, and sends the beginning of its answer.
fn send_some(
    shared: &Shared,
    client: &mut TcpStream,
    head: &str,
    rest: Vec<u8>,
    some: fn(usize) -> usize,
) -> io::Result<()> {
    let answer = passed_on(shared, client, head, rest)?;
    client.write_all(answer.get(..some(answer.len())).unwrap_or(&answer))
}

/// Lets a write come as far as this, and waits until somebody kills its process.
fn stop(
    shared: &Shared,
    client: &mut TcpStream,
    head: &str,
    rest: Vec<u8>,
    moment: Moment,
) -> io::Result<()> {
    let answer = if moment == Moment::Intended { None } else { Some(passed_on(shared, client, head, rest)?) };
    if let (Moment::Settling, Some(answer)) = (moment, &answer) {
        client.write_all(answer)?;
    }
    shared.reached.store(true, Ordering::SeqCst);
    wait_for_end(client);
    Ok(())
}

/// Until the other side gives up.
fn wait_for_end(client: &mut TcpStream) {
    let mut bytes = [0; 256];
    while client.read(&mut bytes).is_ok_and(|count| count > 0) {}
}

/// The simulator's answer, whole.
fn passed_on(shared: &Shared, client: &mut TcpStream, head: &str, rest: Vec<u8>) -> io::Result<Vec<u8>> {
    let body = read_body(client, head, rest)?;
    let mut server = TcpStream::connect(shared.upstream)?;
    // One connection a call, so that its end is the answer's.
    let head: String = head
        .split_inclusive("\r\n")
        .filter(|line| !line.to_ascii_lowercase().starts_with("connection:"))
        .collect();
    let head = head.trim_end_matches("\r\n").to_owned() + "\r\nConnection: close\r\n\r\n";
    server.write_all(head.as_bytes())?;
    server.write_all(&body)?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer)?;
    // The client's connection goes on.
    Ok(without_close(answer))
}

fn without_close(answer: Vec<u8>) -> Vec<u8> {
    let Some(end) = find(&answer, b"\r\n\r\n") else { return answer };
    let (head, body) = answer.split_at(end);
    let head = String::from_utf8_lossy(head);
    let lines = head.split("\r\n").filter(|line| !line.to_ascii_lowercase().starts_with("connection:"));
    let mut kept = lines.collect::<Vec<_>>().join("\r\n").into_bytes();
    kept.extend_from_slice(body);
    kept
}

/// The head of the next call, with what came behind it; none where the connection ended.
fn read_head(client: &mut TcpStream) -> io::Result<Option<(String, Vec<u8>)>> {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    loop {
        if let Some(end) = find(&bytes, b"\r\n\r\n") {
            let rest = bytes.split_off(end + 4);
            return Ok(Some((String::from_utf8_lossy(&bytes).into_owned(), rest)));
        }
        match client.read(&mut piece)? {
            0 => return Ok(None),
            // What is no text is none of HTTP.
            _ if !piece[0].is_ascii_graphic() && bytes.is_empty() => return Ok(None),
            count => bytes.extend_from_slice(piece.get(..count).unwrap_or_default()),
        }
    }
}

fn read_body(client: &mut TcpStream, head: &str, mut rest: Vec<u8>) -> io::Result<Vec<u8>> {
    let length = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, length)| length.trim().parse().ok())
        .unwrap_or(0_usize);
    let have = rest.len();
    rest.resize(length.max(have), 0);
    if let Some(missing) = rest.get_mut(have..) {
        client.read_exact(missing)?;
    }
    Ok(rest)
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

/// An HTTP answer.
pub(crate) fn answer(status: &str, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let headers: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let head = format!("HTTP/1.1 {status}\r\n{}", headers.concat());
    format!("{head}Content-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len()).into_bytes()
}
