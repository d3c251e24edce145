//! Servers that imitate others, and Spark: a program that is started, says when it is ready, and leaves nothing behind.
//! [`crate::s3`], [`crate::azurite`], [`crate::bigquery`], [`crate::fakesnow`] and [`crate::spark`] are some; [`crate::server`] holds them.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;

use crate::server::{Error, Keeper, say_skipped};

/// Starts the server, says so, waits until nobody needs it any more, and leaves nothing behind. Arguments follow the words that say
/// that it is ready, and the signal that ends it; in them `PORT` is the port.
const SCRIPT: &str = r#"
folder=$1; port=$2; server=$3; ready=$4; end=$5
shift 5
for argument; do
    shift
    [ "$argument" = PORT ] && argument=$port
    set -- "$@" "$argument"
done
mkdir -m 700 "$folder" || exit 1
trap 'rm -rf "$folder"' EXIT
cd "$folder"
"$server" "$@" >"$folder/log" 2>&1 </dev/null &
pid=$!
until grep -q "$ready" "$folder/log"; do
    kill -0 $pid 2>/dev/null || { cat "$folder/log"; exit 1; }
    sleep 0.05
done
echo ready
cat >/dev/null
kill -"$end" $pid 2>/dev/null
left=400
while [ "$left" -gt 0 ] && kill -0 $pid 2>/dev/null; do
    sleep 0.05
    left=$((left - 1))
done
kill -KILL $pid 2>/dev/null
wait
"#;

/// A program that is a server.
pub(crate) struct Emulator {
    pub(crate) name: &'static str,
    /// What it writes once it listens.
    pub(crate) ready: &'static str,
    /// Its arguments; `PORT` stands for the port.
    pub(crate) arguments: &'static [&'static str],
    pub(crate) end: End,
}

/// How it is ended.
#[derive(Clone, Copy, Debug)]
pub(crate) enum End {
    /// At once: it has nothing to put in order.
    AtOnce,
    /// It is asked to, since it has processes of its own; and ended at once if it has not done so after 20 seconds.
    Asked,
}

impl End {
    fn signal(self) -> &'static str {
        match self {
            Self::AtOnce => "KILL",
            Self::Asked => "TERM",
        }
    }
}

impl Emulator {
    /// Starts the program; `None` where there is none, of which it then says on standard error which test is skipped.
    pub(crate) fn start_or_skip(
        &self,
        program: Option<PathBuf>,
        test: &str,
    ) -> Result<Option<Keeper>, Error> {
        let Some(program) = program else {
            say_skipped(&format!("{} is", self.name), test)?;
            return Ok(None);
        };
        let shell = || {
            let mut shell = Command::new("/bin/sh");
            // Its signatures are of the machine's time.
            shell.env_remove("LD_PRELOAD");
            shell
        };
        let arguments = self.arguments.iter().map(OsStr::new);
        let arguments: Vec<_> = [program.as_os_str(), self.ready.as_ref(), self.end.signal().as_ref()]
            .into_iter()
            .chain(arguments)
            .collect();
        let folder = self.name.split(',').next().unwrap_or(self.name);
        Keeper::start(shell, folder, SCRIPT, &arguments).map(Some)
    }

    /// Sends bytes; anything but a status that begins with 20 is an error with the server's own words.
    pub(crate) fn call(&self, port: u16, line: &str, header: &str, bytes: &[u8]) -> Result<(), Error> {
        self.ask(port, line, header, bytes).map(drop)
    }

    /// The same; gives the answer, its head before it.
    pub(crate) fn ask(&self, port: u16, line: &str, header: &str, bytes: &[u8]) -> Result<String, Error> {
        let failed = |source| Error::Program { program: self.name, source };
        let mut stream = TcpStream::connect(("127.0.0.1", port)).map_err(failed)?;
        let length = bytes.len();
        let head = format!(
            "{line} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: {length}\r\n{header}Connection: close\r\n\r\n"
        );
        stream.write_all(&[head.as_bytes(), bytes].concat()).map_err(failed)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).map_err(failed)?;
        let answer = String::from_utf8_lossy(&answer);
        let is_good = answer.lines().next().is_some_and(|line| line.contains(" 20"));
        if is_good { Ok(answer.into_owned()) } else { Err(Error::Statement(answer.into_owned())) }
    }
}
