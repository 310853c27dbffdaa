//! Images of signed orders: looks at what arrives before anything is kept, and keeps it by its hash; it knows no
//! orders, no records and no network.
//!
//! The road of an image: [`ImageStore::begin`] takes the bytes of an upload, [`inspect`] decides from the content
//! alone whether they are a PDF, PNG, JPEG or TIFF within the limits, and only then the file is made durable under
//! its BLAKE3 hash. Another node takes the same bytes through [`ImageStore::begin_expected`]. Whoever reads,
//! reads through [`ImageStore::open`], which hashes the whole file first: a damaged image is set aside and
//! reported, never served.
//!
//! No pixel is decoded here, ever. The formats are walked over their structure only (chunks, segments,
//! directories, objects), with bounds on memory and on work that hold for any input.

mod store;
mod fetching;
mod incoming;
mod shelf;
mod inspect;
mod pdf;
mod pdf_syntax;
mod tiff;
mod jpeg;
mod png;
mod verdict;

pub use fetching::{BeginFetchError, FetchError, Fetched, Fetching};
pub use incoming::{BeginError, FinishError, Incoming, Stored, WriteError};
pub use inspect::{inspect, media_of};
pub use shelf::{ImageReader, ReadError};
pub use store::{ImageStore, OpenStoreError};
pub use verdict::{ImageRefused, Inspected, MAX_IMAGE_BYTES, MAX_PAGES, MAX_SIDE, MAX_TOTAL_PIXELS};
