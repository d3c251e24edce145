//! A rate that processes share: whoever uses a workspace's rate notes beside the ledger how much, and reads what others do.
//!
//! It is a file of its own, `<ledger>.rate`, and no table: only the holder of the lease writes the ledger, and a plan may be made
//! while a run is under way. Nothing depends on it but the pace: a file that is lost, broken or locked says nothing.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use coho_core::time::Time;

use crate::open::{beside, private};

/// How long what a process noted holds. A process that was killed is forgotten then.
const HOLDS: Duration = Duration::from_secs(5);

/// The longest file that is read, in bytes.
const LONGEST: u64 = 64 * 1024;

/// One of those who share a rate. Dropped, it leaves.
#[derive(Debug)]
pub struct SharedRate {
    path: PathBuf,
    /// What the rate is of; without blanks.
    rate: String,
    /// Who this is; without blanks.
    id: String,
}

/// What one of them noted.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Note {
    rate: String,
    id: String,
    millis: i64,
    units: u32,
}

impl SharedRate {
    /// The rate called `rate` of those who use this ledger; `id` must be of nobody else.
    pub fn beside(ledger: &Path, rate: &str, id: &str) -> Self {
        let word = |text: &str| text.replace(char::is_whitespace, "_");
        Self { path: beside(ledger, ".rate"), rate: word(rate), id: word(id) }
    }

    /// Notes how many units a minute are used here, and gives how many each of the others uses; `None` where the file cannot be
    /// read and written now.
    pub fn turn(&self, units: u32, now: Time) -> Option<Vec<u32>> {
        let mut file = self.lock().ok()?;
        let mut notes = self.notes_of_others(&mut file, now).ok()?;
        let others = notes.iter().filter(|note| note.rate == self.rate).map(|note| note.units).collect();
        let (rate, id) = (self.rate.clone(), self.id.clone());
        notes.push(Note { rate, id, millis: now.timestamp_millis(), units });
        write(&mut file, &notes).ok()?;
        Some(others)
    }

    fn lock(&self) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let file = private(&mut options).open(&self.path)?;
        file.try_lock()?;
        Ok(file)
    }

    fn notes_of_others(&self, file: &mut File, now: Time) -> io::Result<Vec<Note>> {
        let text = read(file)?;
        let is_fresh = |note: &Note| {
            let age = now.timestamp_millis().abs_diff(note.millis);
            Duration::from_millis(age) <= HOLDS
        };
        let is_mine = |note: &Note| note.rate == self.rate && note.id == self.id;
        Ok(text.lines().filter_map(Note::parse).filter(|note| is_fresh(note) && !is_mine(note)).collect())
    }

    fn leave(&self) -> io::Result<()> {
        let mut file = self.lock()?;
        let text = read(&mut file)?;
        let mut notes: Vec<Note> = text.lines().filter_map(Note::parse).collect();
        notes.retain(|note| note.rate != self.rate || note.id != self.id);
        if notes.is_empty() { fs::remove_file(&self.path) } else { write(&mut file, &notes) }
    }
}

impl Drop for SharedRate {
    fn drop(&mut self) {
        // What stays behind is forgotten after some seconds.
        if self.path.exists() {
            drop(self.leave());
        }
    }
}

impl Note {
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let (rate, id) = (words.next()?.to_owned(), words.next()?.to_owned());
        let (millis, units) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        words.next().is_none().then_some(Self { rate, id, millis, units })
    }
}

/// What the file has; what is broken in it is none of its notes, and goes with the next that is written.
fn read(file: &mut File) -> io::Result<String> {
    let mut bytes = Vec::new();
    file.take(LONGEST).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn write(file: &mut File, notes: &[Note]) -> io::Result<()> {
    let line = |note: &Note| format!("{} {} {} {}\n", note.rate, note.id, note.millis, note.units);
    let text: String = notes.iter().map(line).collect();
    file.rewind()?;
    file.set_len(0)?;
    file.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Time {
        Time::from_timestamp_millis(millis).unwrap()
    }

    #[test]
    fn each_sees_what_the_others_of_its_rate_use() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = folder.path().join("ledger.db");
        let user = |rate, id| SharedRate::beside(&ledger, rate, id);
        let (one, other, elsewhere) = (user("us/acme rest", "a"), user("us/acme rest", "b"), user("eu", "a"));
        assert_eq!(one.turn(300, at(0)), Some(vec![]));
        assert_eq!(elsewhere.turn(50, at(0)), Some(vec![]));
        assert_eq!(other.turn(0, at(1_000)), Some(vec![300]));
        assert_eq!(one.turn(450, at(1_200)), Some(vec![0]));
        assert_eq!(other.turn(400, at(2_000)), Some(vec![450]));
        drop(one);
        assert_eq!(other.turn(400, at(3_000)), Some(vec![]));
        drop((other, elsewhere));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "the last one leaves nothing behind");
    }

    #[test]
    fn who_was_killed_is_forgotten_and_what_is_broken_says_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = folder.path().join("ledger.db");
        fs::write(beside(&ledger, ".rate"), "r killed 1000 500\nr half a li").unwrap();
        let one = SharedRate::beside(&ledger, "r", "one");
        assert_eq!(one.turn(0, at(2_000)), Some(vec![500]));
        assert_eq!(one.turn(0, at(7_000)), Some(vec![]));
        fs::write(beside(&ledger, ".rate"), [0xff, 0xfe]).unwrap();
        assert_eq!(one.turn(0, at(8_000)), Some(vec![]), "it is written anew");
        assert_eq!(fs::read_to_string(beside(&ledger, ".rate")).unwrap(), "r one 8000 0\n");
        let nowhere = SharedRate::beside(Path::new("/nowhere/ledger.db"), "r", "one");
        assert_eq!(nowhere.turn(0, at(0)), None);
    }

    #[test]
    fn nobody_waits_for_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let one = SharedRate::beside(&folder.path().join("ledger.db"), "r", "one");
        let locked = one.lock().unwrap();
        assert_eq!(one.turn(0, at(0)), None);
        drop(locked);
        assert_eq!(one.turn(0, at(0)), Some(vec![]));
    }
}
