//! What a browser gets: status, fields and body.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read, Write};

/// A status code and its reason phrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Status(pub(crate) u16, pub(crate) &'static str);

/// What is sent back.
pub(crate) struct Answer<'a> {
    pub(crate) status: Status,
    pub(crate) fields: Vec<(&'static str, String)>,
    pub(crate) body: Body<'a>,
}

/// The body of an answer.
pub(crate) enum Body<'a> {
    Bytes(Cow<'a, [u8]>),
    /// A file, and how many of its bytes.
    File(File, u64),
}

impl Body<'_> {
    fn len(&self) -> u64 {
        match self {
            Body::Bytes(bytes) => bytes.len() as u64,
            Body::File(_, len) => *len,
        }
    }
}

impl Answer<'_> {
    /// An answer of one line of text.
    pub(crate) fn plain(status: Status) -> Self {
        Self {
            status,
            fields: vec![("Content-Type", "text/plain; charset=utf-8".into())],
            body: Body::Bytes(Cow::Owned(format!("{}\n", status.1).into_bytes())),
        }
    }

    /// Sends it with the fields that every answer carries, of a HEAD without its body.
    pub(super) fn send(
        self,
        stream: &mut impl Write,
        everywhere: &[(&'static str, String)],
        head_only: bool,
    ) -> io::Result<()> {
        let Status(code, reason) = self.status;
        let mut head = format!("HTTP/1.1 {code} {reason}\r\n");
        for (name, value) in everywhere.iter().chain(&self.fields) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!(
            "Content-Length: {}\r\nConnection: close\r\n\r\n",
            self.body.len()
        ));
        stream.write_all(head.as_bytes())?;
        if !head_only {
            match self.body {
                Body::Bytes(bytes) => stream.write_all(&bytes)?,
                Body::File(file, len) => {
                    io::copy(&mut file.take(len), stream)?;
                }
            }
        }
        stream.flush()
    }
}
