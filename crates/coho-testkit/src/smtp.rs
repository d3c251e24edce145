//! A mail server for tests: SMTP over real sockets, with TLS from the first byte, with `STARTTLS` or without, with or without
//! a login. It refuses what RFC 5321 does not allow, and keeps what it takes.

mod session;

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use self::session::Session;

/// The certificate of the server, for `localhost`: whoever is to trust it must be given it. Its key lies beside it, so it is
/// worth nothing anywhere else.
pub const CERTIFICATE: &str = include_str!("smtp/certificate.pem");

pub(crate) const KEY: &str = include_str!("smtp/key.pem");

/// How a connection is kept private.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Privacy {
    /// TLS from the first byte.
    Tls,
    /// TLS after `STARTTLS`; no mail before.
    StartTls,
    /// None.
    Plain,
}

/// A mail that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// The envelope's sender.
    pub from: String,
    /// The envelope's recipients.
    pub to: Vec<String>,
    /// The mail, with its line ends as they came.
    pub text: String,
    /// Whether the connection was private.
    pub is_private: bool,
    /// Who had logged in.
    pub user: Option<String>,
}

/// What all connections of a server share.
struct Shared {
    privacy: Privacy,
    login: Option<(String, String)>,
    tls: Arc<ServerConfig>,
    mails: Mutex<Vec<Mail>>,
    /// Answers to the next mails in place of taking them.
    refusals: Mutex<Vec<String>>,
    /// What clients did that the protocol does not allow.
    faults: Mutex<Vec<String>>,
    is_over: AtomicBool,
}

impl Shared {
    /// The answer to the next mail in place of taking it, if there is one.
    fn next_refusal(&self) -> Option<String> {
        let mut refusals = locked(&self.refusals);
        if refusals.is_empty() { None } else { Some(refusals.remove(0)) }
    }

    fn keep(&self, mail: Mail) {
        locked(&self.mails).push(mail);
    }
}

/// A mail server on the loopback interface, gone when it is dropped.
pub struct MailServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl MailServer {
    /// Starts a server. With a login, nobody sends without it.
    pub fn start(privacy: Privacy, login: Option<(&str, &str)>) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let login = login.map(|(user, password)| (user.to_owned(), password.to_owned()));
        let shared = Arc::new(Shared {
            privacy,
            login,
            tls: Arc::new(tls().map_err(std::io::Error::other)?),
            mails: Mutex::default(),
            refusals: Mutex::default(),
            faults: Mutex::default(),
            is_over: AtomicBool::new(false),
        });
        let served = Arc::clone(&shared);
        let thread = std::thread::spawn(move || serve(&listener, &served));
        Ok(Self { address, shared, thread: Some(thread) })
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The mails that it took.
    pub fn mails(&self) -> Vec<Mail> {
        locked(&self.shared.mails).clone()
    }

    /// What clients did that the protocol does not allow.
    pub fn faults(&self) -> Vec<String> {
        locked(&self.shared.faults).clone()
    }

    /// Answers the next mail with this line, such as `451 try again later`, and does not take it.
    pub fn refuse_next(&self, answer: &str) {
        locked(&self.shared.refusals).push(answer.to_owned());
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        // A last connection wakes the thread that waits for one.
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn tls() -> Result<ServerConfig, Box<dyn std::error::Error + Send + Sync>> {
    let certificate = CertificateDer::from_pem_slice(CERTIFICATE.as_bytes())?;
    let key = PrivateKeyDer::from_pem_slice(KEY.as_bytes())?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(builder.with_no_client_auth().with_single_cert(vec![certificate], key)?)
}

/// One connection after the other: a test sends no two mails at once.
fn serve(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.is_over.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        let served = Arc::clone(shared);
        std::thread::spawn(move || {
            if let Err(fault) = Session::new(&served).serve(stream) {
                locked(&served.faults).push(fault);
            }
        });
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
