//! Chromedriver: where it is, how it is started, and that nothing of it stays.
//!
//! As with PostgreSQL's server, a shell holds it and waits for the end of its standard input, which this process holds open: so
//! driver and browser end with the test process, however that ends.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::{ZONE, wire};
use crate::programs;

/// Makes the folder that all of them write to, starts the driver on a port of its own choice, waits until nobody needs it any
/// more, ends all that was started, and leaves nothing behind.
const SCRIPT: &str = r#"
folder=$1
mkdir -m 700 "$folder" || exit 1
TMPDIR=$folder HOME=$folder "$2" --port=0 --log-level=SEVERE </dev/null 2>/dev/null &
cat >/dev/null
trap '' TERM
kill -TERM 0
wait
# What still ends may still write.
while [ -e "$folder" ]; do rm -rf "$folder" 2>/dev/null; done
"#;

/// What the driver says when it listens.
const READY: &str = "ChromeDriver was started successfully on port ";

/// The longest that the end of a session is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// A chromedriver of our own.
#[derive(Debug)]
pub(super) struct Driver {
    keeper: Child,
    folder: PathBuf,
    browser: PathBuf,
    address: SocketAddr,
}

impl Driver {
    /// Starts one, where both programs are.
    pub(super) fn start() -> std::io::Result<Option<Self>> {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let Some((driver, browser)) = found() else { return Ok(None) };
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("coho-browser-{}-{number}", std::process::id()));
        let mut keeper = Command::new("/bin/sh")
            .args(["-c", SCRIPT, "sh"])
            .args([folder.as_os_str(), driver.as_os_str()])
            .env("TZ", ZONE)
            // Its own time limits are never reached where the tests have another clock.
            .env_remove("LD_PRELOAD")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let stdout =
            keeper.stdout.take().ok_or_else(|| std::io::Error::other("it has no standard output"))?;
        let port = port(BufReader::new(stdout))?;
        let address = (Ipv4Addr::LOCALHOST, port).into();
        Ok(Some(Self { keeper, folder, browser, address }))
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// What a session is begun with.
    pub(super) fn capabilities(&self) -> Value {
        let profile = format!("--user-data-dir={}", self.folder.join("profile").display());
        let mut words = vec![
            "--headless=new",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--force-color-profile=srgb",
            "--lang=en-US",
            "--no-first-run",
            profile.as_str(),
        ];
        if programs::is_root() {
            words.push("--no-sandbox");
        }
        json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": { "binary": self.browser, "args": words },
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
        } } })
    }

    /// Closes the browser, as far as that is heard.
    pub(super) fn end_session(&self, session: &str) {
        let request = wire::request(self.address, "DELETE", &format!("/session/{session}"), "");
        let ended = TcpStream::connect_timeout(&self.address, PATIENCE).and_then(|mut stream| {
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.write_all(request.as_bytes())?;
            BufReader::new(stream).read_line(&mut String::new())
        });
        // The keeper ends what did not end by itself.
        drop(ended);
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        // Nobody is left who could be told; the keeper ends by itself in any case.
        drop(self.keeper.wait());
    }
}

/// The port, from what the driver says when it is ready.
fn port(output: impl BufRead) -> std::io::Result<u16> {
    for line in output.lines() {
        if let Some(port) = line?.strip_prefix(READY)
            && let Ok(port) = port.trim_end_matches('.').parse()
        {
            return Ok(port);
        }
    }
    Err(std::io::Error::other("chromedriver named no port"))
}

/// Driver and browser; `None` where one is missing, or where `COHO_TEST_BROWSER=off`.
fn found() -> Option<(PathBuf, PathBuf)> {
    if std::env::var_os("COHO_TEST_BROWSER").is_some_and(|value| value == "off") {
        return None;
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = |name: &str| {
        std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| Path::is_file(file))
    };
    let browser = ["chromium", "chromium-browser", "google-chrome"].into_iter().find_map(on_path)?;
    Some((on_path("chromedriver")?, browser))
}
