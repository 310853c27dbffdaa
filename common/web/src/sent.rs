//! What a form with files sent: its few fields, and the files with their names, each within bounds. It judges no file.

use axum::body::Body;
use axum::http::{HeaderMap, header};
use bytes::{Bytes, BytesMut};
use ccpor_api::{Code, LARGEST_ACCOUNTS_FILE, Problem};
use multer::{Constraints, Multipart, SizeLimit};

/// What a form may send.
pub(crate) struct Bounds {
    /// The largest file, in bytes.
    largest: u64,
    /// The most that all files may have together: they are held in memory while they arrive.
    together: u64,
    /// The most files.
    most: usize,
}

/// The largest scan that is taken, as of the interfaces for programs.
const LARGEST: u64 = 26 << 20;

/// One scan.
pub(crate) const SCAN: Bounds = Bounds {
    largest: LARGEST,
    together: LARGEST,
    most: 1,
};

/// Several scans at once.
pub(crate) const SCANS: Bounds = Bounds {
    largest: LARGEST,
    together: 64 << 20,
    most: 20,
};

/// A file of accounts.
pub(crate) const ACCOUNTS: Bounds = Bounds {
    largest: LARGEST_ACCOUNTS_FILE as u64,
    together: LARGEST_ACCOUNTS_FILE as u64,
    most: 1,
};

/// What the form sent.
#[derive(Default)]
pub(crate) struct Sent {
    pub(crate) form_token: String,
    pub(crate) key: String,
    pub(crate) title: String,
    /// Each file with its name.
    pub(crate) files: Vec<(String, Bytes)>,
}

/// Reads a form with files within these bounds.
pub(crate) async fn read(headers: &HeaderMap, body: Body, bounds: &Bounds) -> Result<Sent, Problem> {
    let unreadable = |error: multer::Error| match error {
        multer::Error::FieldSizeExceeded { .. } => Problem::new(
            Code::TooLarge,
            format!("the file is larger than {} MB", bounds.largest >> 20),
        ),
        multer::Error::StreamSizeExceeded { .. } => Problem::new(
            Code::TooLarge,
            format!("what was sent is larger than {} MB", bounds.together >> 20),
        ),
        _ => Problem::new(Code::MalformedRequest, "the form could not be read"),
    };
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let boundary = multer::parse_boundary(kind.unwrap_or_default()).map_err(unreadable)?;
    let limits = SizeLimit::new()
        .per_field(4_096)
        .for_field("file", bounds.largest)
        .whole_stream(bounds.together + 65_536);
    let constraints = Constraints::new()
        .allowed_fields(vec!["form_token", "by", "key", "title", "file"])
        .size_limit(limits);
    let mut form = Multipart::with_constraints(body.into_data_stream(), boundary, constraints);
    let mut sent = Sent::default();
    while let Some(mut field) = form.next_field().await.map_err(unreadable)? {
        let name = field.name().unwrap_or_default().to_owned();
        let file_name = field.file_name().unwrap_or_default().to_owned();
        let mut bytes = BytesMut::new();
        while let Some(piece) = field.chunk().await.map_err(unreadable)? {
            bytes.extend_from_slice(&piece);
        }
        let bytes = bytes.freeze();
        let text = || String::from_utf8_lossy(&bytes).trim().to_owned();
        match name.as_str() {
            "form_token" => sent.form_token = text(),
            "key" => sent.key = text(),
            "title" => sent.title = text(),
            "file" if !bytes.is_empty() => sent.files.push((file_name, bytes)),
            _ => {}
        }
        if sent.files.len() > bounds.most {
            return Err(Problem::new(
                Code::TooLarge,
                format!("more than {} files were sent at once", bounds.most),
            )
            .action("Send them in parts."));
        }
    }
    if sent.files.is_empty() {
        return Err(
            Problem::new(Code::MalformedRequest, "no file was chosen").action("Choose the file of the scan.")
        );
    }
    Ok(sent)
}
