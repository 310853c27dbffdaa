//! What a form with files sent: its few fields, and the files with their names, each within bounds. It judges no file.

use axum::body::Body;
use axum::http::{HeaderMap, header};
use bytes::{Bytes, BytesMut};
use ccpor_api::{Code, Problem};
use multer::{Constraints, Multipart, SizeLimit};

/// The largest scan that is taken, as of the interfaces for programs.
const LARGEST: u64 = 26 << 20;
/// The most that several files may have together: they are held in memory while they arrive.
const TOGETHER: u64 = 64 << 20;
/// The most files of one form.
const MOST: usize = 20;

/// What the form sent.
#[derive(Default)]
pub(crate) struct Sent {
    pub(crate) form_token: String,
    pub(crate) key: String,
    pub(crate) title: String,
    /// Each file with its name.
    pub(crate) files: Vec<(String, Bytes)>,
}

/// Reads a form with one file, or with several.
pub(crate) async fn read(headers: &HeaderMap, body: Body, several: bool) -> Result<Sent, Problem> {
    let whole = if several { TOGETHER } else { LARGEST };
    let unreadable = |error: multer::Error| match error {
        multer::Error::FieldSizeExceeded { .. } => Problem::new(
            Code::TooLarge,
            format!("the file is larger than {} MB", LARGEST >> 20),
        ),
        multer::Error::StreamSizeExceeded { .. } => Problem::new(
            Code::TooLarge,
            format!("what was sent is larger than {} MB", whole >> 20),
        ),
        _ => Problem::new(Code::MalformedRequest, "the form could not be read"),
    };
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let boundary = multer::parse_boundary(kind.unwrap_or_default()).map_err(unreadable)?;
    let limits = SizeLimit::new()
        .per_field(4_096)
        .for_field("file", LARGEST)
        .whole_stream(whole + 65_536);
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
        if sent.files.len() > if several { MOST } else { 1 } {
            return Err(Problem::new(
                Code::TooLarge,
                format!("more than {MOST} files were sent at once"),
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
