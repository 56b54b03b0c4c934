//! tar: serves the files in an archive (ustar, as tar makes it). A release in one file: what is asked for is handed out from
//! where it lies in the archive, nothing is unpacked and nothing copied. The archive is read once, when the instance is made.
//!
//! scenario/... is what every sample answers in the same way; ../README.md has the list.

#[path = "../../rust/tftpkit.rs"]
mod tftpkit;

use std::collections::HashMap;
use std::fs::File;
use std::net::IpAddr;
use std::os::unix::fs::FileExt;
use tftpkit::{Answer, Failure, Host, Plugin, Request, Stream};

fn pattern(at: u64) -> u8 {
    (at * 7 % 251) as u8
}

struct Pattern {
    at: u64,
    size: u64,
}

impl Stream for Pattern {
    fn read(&mut self, into: &mut [u8]) -> Result<usize, Failure> {
        let count = (self.size - self.at).min(into.len() as u64) as usize;
        for one in &mut into[..count] {
            *one = pattern(self.at);
            self.at += 1;
        }
        Ok(count)
    }
}

/// Where a file lies in the archive.
struct Place {
    offset: u64,
    size: u64,
}

struct Archive {
    file: File,
    places: HashMap<String, Place>,
}

const BLOCK: u64 = 512;

/// Text up to the first NUL.
fn text(field: &[u8]) -> String {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    String::from_utf8_lossy(&field[..end]).into_owned()
}

impl Archive {
    fn open(path: &str) -> Result<Archive, Failure> {
        let fail = |why: &str| Failure::new(tftpkit::E_OPTION, format!("/archive: {path}: {why}"));
        let file = File::open(path).map_err(|error| fail(&error.to_string()))?;
        let (mut places, mut at, mut header) = (HashMap::new(), 0, [0u8; BLOCK as usize]);
        loop {
            file.read_exact_at(&mut header, at).map_err(|_| fail("it ends in the middle"))?;
            if header[0] == 0 {
                return Ok(Archive { file, places });
            }
            if &header[257..262] != b"ustar" {
                return Err(fail("it is no tar archive in the format ustar"));
            }
            let size = u64::from_str_radix(text(&header[124..136]).trim(), 8).map_err(|_| fail("a size is no number"))?;
            let (prefix, name) = (text(&header[345..500]), text(&header[..100]));
            let name = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
            at += BLOCK;
            if header[156] == b'0' {
                places.insert(name.trim_start_matches("./").to_owned(), Place { offset: at, size });
            }
            at = size.checked_add(BLOCK - 1).and_then(|up| at.checked_add(up / BLOCK * BLOCK)).ok_or_else(|| fail("a size is absurd"))?;
        }
    }

    fn get(&self, name: &str) -> Result<Answer, Failure> {
        match self.places.get(name) {
            None => Ok(Answer::Declined),
            Some(place) => Ok(Answer::File { file: self.file.try_clone()?, offset: place.offset, size: Some(place.size) }),
        }
    }
}

struct Tar {
    greeting: Vec<u8>,
    archive: Option<Archive>,
}

impl Tar {
    fn scenario(&self, request: &Request, name: &str) -> Result<Answer, Failure> {
        match (name.split_once('/'), name) {
            (Some(("bytes", number)), _) => match number.parse::<u64>() {
                Ok(size) if size <= 1 << 20 => Ok(Answer::Bytes((0..size).map(pattern).collect())),
                _ => Ok(Answer::Declined),
            },
            (Some(("stream", number)), _) => match number.parse::<u64>() {
                Ok(size) => Ok(Answer::Stream(Box::new(Pattern { at: 0, size }), Some(size))),
                Err(_) => Ok(Answer::Declined),
            },
            (_, "greeting") => Ok(Answer::Bytes(self.greeting.clone())),
            (_, "peer") => match request.peer().map(|peer| peer.ip()) {
                Some(IpAddr::V4(address)) => Ok(Answer::Bytes(format!("{address}\n").into_bytes())),
                _ => Ok(Answer::Declined),
            },
            (_, "redirect") => Ok(Answer::Redirect("elsewhere".to_owned())),
            (_, "refuse") => Err(Failure::new(tftpkit::E_ACCESS, "not for you")),
            (_, "fail") => Ok(Answer::Bytes(vec![self.greeting[usize::MAX]])),
            _ => Ok(Answer::Declined),
        }
    }
}

impl Plugin for Tar {
    fn create(host: Host) -> Result<Self, Failure> {
        let greeting = host.setting("/greeting").unwrap_or_default();
        if greeting.is_empty() {
            return Err(Failure::new(tftpkit::E_OPTION, "/greeting is empty: give a line"));
        }
        let archive = host.setting("/archive").map(|path| Archive::open(&path)).transpose()?;
        Ok(Tar { greeting: format!("{greeting}\n").into_bytes(), archive })
    }

    fn open(&self, request: &Request) -> Result<Answer, Failure> {
        match (request.path().strip_prefix("scenario/"), &self.archive) {
            (Some(name), _) => self.scenario(request, name),
            (None, Some(archive)) => archive.get(request.path()),
            (None, None) => Ok(Answer::Declined),
        }
    }
}

tftpkit::export_plugin!(
    Tar,
    name: "sample-rust",
    version: "1.0",
    summary: "The files in a tar archive",
    execution: tftpkit::EXEC_PARALLEL,
    schema: r#"{"type": "object", "additionalProperties": false, "properties": {
        "greeting": {"type": "string", "default": "Hello", "description": "what scenario/greeting says"},
        "archive": {"type": "string", "format": "path", "description": "the archive, as tar --format=ustar makes it"}}}"#
);
