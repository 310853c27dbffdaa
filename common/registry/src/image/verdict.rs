//! What looking at an image can say, and the limits it is held to; it reads no bytes itself.

use ccpor_domain::Media;

/// Largest image accepted, in bytes (25 MiB): about 200 scanned pages in black and white.
pub const MAX_IMAGE_BYTES: u64 = 25 * 1024 * 1024;
/// Most pages in one image.
pub const MAX_PAGES: u32 = 200;
/// Longest side of a page in pixels: 20 inches at 600 dots per inch.
pub const MAX_SIDE: u32 = 12_000;
/// Most pixels over all pages together: 200 letter pages at 600 dots per inch, and some room.
pub const MAX_TOTAL_PIXELS: u64 = 8_000_000_000;

/// The kind's name as people write it.
fn label(media: Media) -> &'static str {
    match media {
        Media::Pdf => "PDF",
        Media::Png => "PNG",
        Media::Jpeg => "JPEG",
        Media::Tiff => "TIFF",
    }
}

/// What an accepted image is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inspected {
    /// Its kind, told from the content.
    pub media: Media,
    /// Pages, 1 to [`MAX_PAGES`].
    pub pages: u32,
    /// Width of the first page in pixels; `None` for a PDF, whose pages have no pixels.
    pub width: Option<u32>,
    /// Height of the first page in pixels; `None` for a PDF.
    pub height: Option<u32>,
}

/// Why an image is not accepted, in words for the person who sent it. Nothing of the image itself is in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImageRefused {
    /// No bytes at all.
    #[error("the image is empty; scan the order again")]
    Empty,
    /// More bytes than allowed.
    #[error(
        "the image is larger than {} MiB; scan it in black and white at 200 to 300 dots per inch",
        limit / (1024 * 1024)
    )]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// Not one of the four kinds, whatever its name says.
    #[error("not an image of an order: it {looks_like}; send a PDF, TIFF, PNG or JPEG")]
    NotAnImage {
        /// What it looks like, as the end of a sentence ("is a Windows program").
        looks_like: &'static str,
    },
    /// One of the four kinds, but cut off or broken.
    #[error("the {} is damaged: {what}; scan or save it again", label(*media))]
    Damaged {
        /// The kind it claims to be.
        media: Media,
        /// What is wrong with it.
        what: &'static str,
    },
    /// One of the four kinds in a variety that readers cannot be relied on to show.
    #[error("this {} cannot be shown everywhere: {what}; save it in the usual form", label(*media))]
    Unsupported {
        /// The kind.
        media: Media,
        /// What is unusual about it.
        what: &'static str,
    },
    /// A PDF that is encrypted, with or without a password to open it.
    #[error(
        "the PDF is protected by encryption; save it without a password or restrictions, or scan the paper"
    )]
    Encrypted,
    /// More pages than allowed.
    #[error("the image has more than {limit} pages; send it in parts")]
    TooManyPages {
        /// The limit.
        limit: u32,
    },
    /// A page larger than allowed.
    #[error(
        "a page is {width} x {height} pixels, more than {limit} on a side; scan it at 200 to 300 dots per inch"
    )]
    PageTooLarge {
        /// Width in pixels as its header says.
        width: u32,
        /// Height in pixels as its header says.
        height: u32,
        /// The limit on a side.
        limit: u32,
    },
    /// All pages together are larger than allowed.
    #[error("the pages together are more than {limit} pixels; scan them at 200 to 300 dots per inch")]
    TooManyPixels {
        /// The limit.
        limit: u64,
    },
}

/// Holds one page's size to the limits.
pub(super) fn page_size(media: Media, width: u32, height: u32) -> Result<(), ImageRefused> {
    if width == 0 || height == 0 {
        return Err(ImageRefused::Damaged {
            media,
            what: "a page has no width or no height",
        });
    }
    if width > MAX_SIDE || height > MAX_SIDE {
        return Err(ImageRefused::PageTooLarge {
            width,
            height,
            limit: MAX_SIDE,
        });
    }
    Ok(())
}
