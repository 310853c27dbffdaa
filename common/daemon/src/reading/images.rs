//! Images on their way out: checked against their hash in memory, so that what is served is what was checked.

use std::sync::Arc;

use ccpor_api::{Code, ImageOut, Problem, render};
use ccpor_domain::{ImageDigest, ImageRef};
use ccpor_ledger::OriginId;
use ccpor_registry::image::{ImageReader, ReadError, media_of};
use ccpor_registry::{KnownImage, Registry};

use super::blocking;
use crate::sight::{CallersSight, SeenImage};

/// Bytes given to the interface at once.
const PIECE: usize = 64 << 10;

/// Where an image is.
pub enum Whereabouts {
    /// Here, whole.
    Here(ImageOut),
    /// Some order has it, but its bytes are not here, or were damaged and set aside.
    Elsewhere(KnownImage),
    /// Orders known here have it, of which the caller sees none.
    Hidden,
    /// No order known here has it.
    Unknown,
}

/// Looks an image up by its BLAKE3, 64 hexadecimal digits.
///
/// # Errors
/// A [`Problem`] when the digest is not one, or the disk refuses.
pub async fn find(
    registry: &Arc<Registry>,
    sight: &CallersSight,
    blake3: &str,
) -> Result<Whereabouts, Problem> {
    let digest = digest(blake3)?;
    let (registry, sight) = (Arc::clone(registry), sight.clone());
    blocking(move || {
        let known = match seen(&registry, &sight, &digest)? {
            Judged::Shown(known) => known,
            Judged::Hidden => return Ok(Whereabouts::Hidden),
            Judged::Unknown => return Ok(Whereabouts::Unknown),
        };
        match registry.images().open_image(&digest.0) {
            Ok(reader) => Ok(Whereabouts::Here(out(digest, reader))),
            Err(ReadError::Missing) => Ok(Whereabouts::Elsewhere(known)),
            Err(ReadError::Damaged) => {
                tracing::error!(image = %digest, "an image is damaged; it was set aside and is fetched again");
                registry.lost_image(&digest.0);
                Ok(Whereabouts::Elsewhere(known))
            }
            Err(error) => Err(Problem::new(Code::Unavailable, error.to_string())),
        }
    })
    .await?
}

/// Whether a caller sees an image.
pub(crate) enum Judged {
    /// Yes.
    Shown(KnownImage),
    /// Orders known here have it, of which the caller sees none.
    Hidden,
    /// No order known here has it.
    Unknown,
}

/// Judges whether a caller sees an image, without looking for its bytes. Reads the orders that have it, so it may wait for the disk.
///
/// # Errors
/// Why it is not shown to somebody who may know of it.
pub(crate) fn seen(
    registry: &Registry,
    sight: &CallersSight,
    digest: &ImageDigest,
) -> Result<Judged, Problem> {
    let Some(known) = registry.known_image(&digest.0) else {
        return Ok(Judged::Unknown);
    };
    // The image of several papers is seen by whoever sees one of them whole.
    match known.orders.iter().map(|order| sight.image_of(*order)).max() {
        Some(SeenImage::Shown) => Ok(Judged::Shown(known)),
        Some(SeenImage::Kept) => Err(kept(&known.origin)),
        Some(SeenImage::Withheld) => Err(withheld()),
        Some(SeenImage::Hidden) => Ok(Judged::Hidden),
        None => Ok(Judged::Unknown),
    }
}

/// The name of an image as it was written: 64 hexadecimal digits.
///
/// # Errors
/// It is none.
pub fn digest(blake3: &str) -> Result<ImageDigest, Problem> {
    blake3
        .parse()
        .map_err(|error: ccpor_domain::DigestRefused| Problem::field("blake3", error.to_string()))
}

/// A whole image as an answer.
#[must_use]
pub fn out(digest: ImageDigest, reader: ImageReader) -> ImageOut {
    out_of(digest, reader.into_bytes())
}

/// As [`out`], of bytes that were checked against their hash.
#[must_use]
pub fn out_of(digest: ImageDigest, bytes: Vec<u8>) -> ImageOut {
    let media = media_of(&bytes);
    let bytes = bytes::Bytes::from(bytes);
    let image = ImageRef {
        blake3: digest,
        sha256: ImageDigest(sha256(&bytes)),
        length: bytes.len() as u64,
        media: media.unwrap_or_default(),
        ..ImageRef::default()
    };
    let pieces = (0..bytes.len()).step_by(PIECE).map(move |from| {
        let to = bytes.len().min(from + PIECE);
        Ok(bytes.slice(from..to))
    });
    ImageOut {
        image: render::image(&image),
        data: Box::pin(tokio_stream::iter(pieces)),
        also_asked: String::new(),
    }
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    use sha2::Digest;
    sha2::Sha256::digest(bytes).into()
}

/// The image is known but cannot be had now.
#[must_use]
pub fn unavailable(image: &KnownImage, reason: &str) -> Problem {
    not_brought(&image.origin, reason)
}

/// As [`unavailable`], of an image that only another machine knows; `origin` names it in its records.
#[must_use]
pub fn not_brought(origin: &OriginId, reason: &str) -> Problem {
    Problem::new(
        Code::ImageUnavailable,
        format!(
            "the image is not on this machine and could not be fetched from {}: {reason}",
            origin.court()
        ),
    )
}

/// The court keeps its images to itself.
#[must_use]
pub(crate) fn kept(origin: &OriginId) -> Problem {
    Problem::new(
        Code::ImageUnavailable,
        format!("{} shares no images with other machines", origin.court()),
    )
    .action("Call the court.")
}

fn withheld() -> Problem {
    Problem::new(
        Code::PurposeNeeded,
        "the order of this image is over: it is shown for a stated purpose",
    )
}

/// No order known here has such an image.
#[must_use]
pub fn unknown() -> Problem {
    Problem::new(
        Code::ImageNotFound,
        "no order known here has an image of this hash",
    )
}
