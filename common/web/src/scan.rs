//! The scans of signed papers: each page drawn as a picture that every browser shows, and the file itself. What cannot be
//! drawn is said to be so; nothing that comes from a scan runs.

use std::io::Cursor;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, Response as HttpResponse, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use ccpor_api::{Code, Problem};
use futures_util::StreamExt as _;
use image::{DynamicImage, GrayImage, ImageFormat, ImageReader, Limits, RgbImage};
use tiff::ColorType;
use tiff::decoder::{Decoder, DecodingResult};

use crate::ask;
use crate::frame::{Shown, Trouble, trouble};
use crate::site::{Inner, Site};
use crate::visit::Visit;

/// Width of a drawn page: twice what a screen shows beside the data, so that it can be enlarged.
const WIDTH: u32 = 1_700;
/// Memory for drawing one page. A scan that claims more is not drawn.
const MEMORY: u64 = 600 << 20;
/// The longest that anybody waits for a drawn page, its turn included.
const DRAWN_WITHIN: Duration = Duration::from_secs(20);
/// The scan as it was filed: it may show itself within these pages, and nothing else.
const FILE_POLICY: &str =
    "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'";

/// Why a page is not drawn.
#[derive(Debug, thiserror::Error)]
enum NotDrawn {
    #[error("the image has no such page")]
    NoSuchPage,
    #[error("this kind of image cannot be drawn here; open the file")]
    NotAPicture,
    #[error("the image cannot be drawn: {0}")]
    Broken(String),
    #[error("the page takes too long to draw; load it again in a moment, or open the file")]
    TooLong,
}

/// Where a scan belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    /// To an order.
    Order,
    /// To none yet.
    Queue,
}

/// `GET /scans/{blake3}/{page}` and `/scans/{blake3}/waiting/{page}`: a page, from 1, as PNG.
pub(crate) async fn page(
    of: Of,
    State(site): State<Site>,
    Extension(visit): Extension<Visit>,
    Path((blake3, page)): Path<(String, u32)>,
) -> Shown {
    // The registry is asked each time, since it decides and records who sees the scan; only the drawing is kept.
    let (media, bytes) = fetch(of, &site, &visit, &blake3)
        .await
        .map_err(|problem| trouble(&site, &visit, &problem))?;
    let key = format!("{blake3}/{page}");
    if let Some(drawn) = site.drawn.get(&key) {
        return Ok(picture(drawn));
    }
    match tokio::time::timeout(DRAWN_WITHIN, in_turn(&site, key, media, bytes, page)).await {
        Ok(Ok(drawn)) => Ok(picture(drawn)),
        Ok(Err(error)) => Err(not_drawn(&site, &visit, error.to_string())),
        Err(_elapsed) => Err(not_drawn(&site, &visit, NotDrawn::TooLong.to_string())),
    }
}

fn not_drawn(site: &Inner, visit: &Visit, reason: String) -> Trouble {
    trouble(site, visit, &Problem::new(Code::ImageUnavailable, reason))
}

/// Draws a page when its turn has come, so that many who look at large scans do not take all memory. A page that nobody waits for any
/// more is drawn to the end, keeps its turn so long, and is there when it is asked for again.
async fn in_turn(
    site: &Site,
    key: String,
    media: String,
    bytes: Bytes,
    page: u32,
) -> Result<Bytes, NotDrawn> {
    let turns = Arc::clone(&site.drawing);
    let turn = turns.acquire_owned().await.map_err(|_closed| NotDrawn::TooLong)?;
    if let Some(drawn) = site.drawn.get(&key) {
        return Ok(drawn);
    }
    let site = Arc::clone(site);
    let drawing = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        let drawn = draw(&media, &bytes, page)?;
        site.drawn.keep(key, drawn.clone());
        Ok(drawn)
    });
    drawing
        .await
        .unwrap_or_else(|_panic| Err(NotDrawn::Broken("the program that draws it stopped".to_owned())))
}

fn picture(png: Bytes) -> Response {
    let mut response = Response::new(Body::from(png));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("image/png"));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; sandbox"),
    );
    response
}

/// `GET /scans/{blake3}/file` and `/scans/{blake3}/waiting/file`: the file as it came, verified against its hash.
pub(crate) async fn file(
    of: Of,
    State(site): State<Site>,
    Extension(visit): Extension<Visit>,
    Path(blake3): Path<String>,
) -> Shown {
    let (media, bytes) = fetch(of, &site, &visit, &blake3)
        .await
        .map_err(|problem| trouble(&site, &visit, &problem))?;
    let (kind, ending) = match media.as_str() {
        "pdf" => ("application/pdf", "pdf"),
        "png" => ("image/png", "png"),
        "jpeg" => ("image/jpeg", "jpg"),
        "tiff" => ("image/tiff", "tif"),
        _ => ("application/octet-stream", "bin"),
    };
    let name: String = blake3.chars().take(12).collect();
    let place = if media == "pdf" { "inline" } else { "attachment" };
    let built = HttpResponse::builder()
        .header(header::CONTENT_TYPE, kind)
        .header(
            header::CONTENT_DISPOSITION,
            format!("{place}; filename=\"order-{name}.{ending}\""),
        )
        .header(header::CONTENT_SECURITY_POLICY, FILE_POLICY)
        .header("x-frame-options", "SAMEORIGIN")
        .body(Body::from(bytes));
    Ok(built.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response()))
}

/// The kind and the bytes of a scan.
async fn fetch(of: Of, site: &Inner, visit: &Visit, blake3: &str) -> Result<(String, Bytes), Problem> {
    if blake3.len() != 64 || !blake3.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Problem::field("blake3", "is not the name of an image"));
    }
    let caller = visit.caller()?;
    ask::read(site, async {
        let backend = &site.pages.backend;
        let mut out = match of {
            Of::Order => backend.get_image(&caller, blake3).await?,
            Of::Queue => backend.get_scan(&caller, blake3).await?,
        };
        let mut bytes = Vec::with_capacity(usize::try_from(out.image.length).unwrap_or(0).min(64 << 20));
        while let Some(piece) = out.data.next().await {
            bytes.extend_from_slice(&piece?);
        }
        Ok((out.image.media, Bytes::from(bytes)))
    })
    .await
}

/// One page as PNG.
fn draw(media: &str, bytes: &[u8], page: u32) -> Result<Bytes, NotDrawn> {
    let whole = match media {
        "tiff" => tiff_page(bytes, page)?,
        "png" | "jpeg" if page == 1 => {
            let format = if media == "png" {
                ImageFormat::Png
            } else {
                ImageFormat::Jpeg
            };
            let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
            let mut limits = Limits::default();
            limits.max_alloc = Some(MEMORY);
            reader.limits(limits);
            reader
                .decode()
                .map_err(|error| NotDrawn::Broken(error.to_string()))?
        }
        "png" | "jpeg" => return Err(NotDrawn::NoSuchPage),
        _ => return Err(NotDrawn::NotAPicture),
    };
    let fitting = if whole.width() > WIDTH {
        let height = u64::from(whole.height()) * u64::from(WIDTH) / u64::from(whole.width().max(1));
        whole.thumbnail_exact(WIDTH, u32::try_from(height).unwrap_or(1).max(1))
    } else {
        whole
    };
    let mut png = Cursor::new(Vec::new());
    fitting
        .write_to(&mut png, ImageFormat::Png)
        .map_err(|error| NotDrawn::Broken(error.to_string()))?;
    Ok(Bytes::from(png.into_inner()))
}

/// A page of a TIFF in grey or colour; previews beside the pages are passed over as the registry did when it counted.
fn tiff_page(bytes: &[u8], page: u32) -> Result<DynamicImage, NotDrawn> {
    let broken = |error: tiff::TiffError| NotDrawn::Broken(error.to_string());
    let mut limits = tiff::decoder::Limits::default();
    limits.decoding_buffer_size = usize::try_from(MEMORY).unwrap_or(usize::MAX);
    let mut decoder = Decoder::new(Cursor::new(bytes))
        .map_err(broken)?
        .with_limits(limits);
    for _ in 1..page.max(1) {
        if !decoder.more_images() {
            return Err(NotDrawn::NoSuchPage);
        }
        decoder.next_image().map_err(broken)?;
    }
    let (width, height) = decoder.dimensions().map_err(broken)?;
    let color = decoder.colortype().map_err(broken)?;
    let DecodingResult::U8(samples) = decoder.read_image().map_err(broken)? else {
        return Err(NotDrawn::NotAPicture);
    };
    let picture = match color {
        ColorType::Gray(8) => GrayImage::from_raw(width, height, samples).map(DynamicImage::ImageLuma8),
        ColorType::Gray(1) => {
            GrayImage::from_raw(width, height, bits(&samples, width)).map(DynamicImage::ImageLuma8)
        }
        ColorType::RGB(8) => RgbImage::from_raw(width, height, samples).map(DynamicImage::ImageRgb8),
        ColorType::RGBA(8) => {
            image::RgbaImage::from_raw(width, height, samples).map(DynamicImage::ImageRgba8)
        }
        _ => None,
    };
    picture.ok_or(NotDrawn::NotAPicture)
}

/// One byte for each point of rows of bits, each row beginning with a byte of its own.
fn bits(rows: &[u8], width: u32) -> Vec<u8> {
    let width = usize::try_from(width).unwrap_or(0);
    let row = width.div_ceil(8).max(1);
    let mut points = Vec::with_capacity(rows.len() * 8);
    for row in rows.chunks(row) {
        let all = row
            .iter()
            .flat_map(|byte| (0..8).rev().map(move |bit| (byte >> bit) & 1));
        points.extend(all.take(width).map(|bit| bit * 255));
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;
    use tiff::encoder::{TiffEncoder, colortype};

    /// A TIFF whose pages have these widths, each white with a black point in its corner.
    fn tiff(widths: &[u32]) -> Vec<u8> {
        let mut file = Cursor::new(Vec::new());
        let mut encoder = TiffEncoder::new(&mut file).unwrap();
        for width in widths {
            let mut points = vec![255_u8; (*width * 4) as usize];
            points[0] = 0;
            encoder
                .write_image::<colortype::Gray8>(*width, 4, &points)
                .unwrap();
        }
        file.into_inner()
    }

    fn drawn(media: &str, bytes: &[u8], page: u32) -> DynamicImage {
        let png = draw(media, bytes, page).unwrap();
        image::load_from_memory(&png).unwrap()
    }

    #[test]
    fn each_page_of_a_tiff_is_drawn_and_none_beyond_the_last() {
        let file = tiff(&[8, 16]);
        for (page, width) in [(1, 8), (2, 16)] {
            let picture = drawn("tiff", &file, page).into_luma8();
            assert_eq!(picture.width(), width);
            assert_eq!(
                [picture.get_pixel(0, 0).0[0], picture.get_pixel(1, 0).0[0]],
                [0, 255]
            );
        }
        assert!(matches!(draw("tiff", &file, 3), Err(NotDrawn::NoSuchPage)));
    }

    #[test]
    fn a_wide_page_is_drawn_narrower_in_its_own_shape() {
        let picture = drawn("tiff", &tiff(&[3_400]), 1);
        assert_eq!((picture.width(), picture.height()), (WIDTH, 2));
    }

    #[test]
    fn a_row_of_bits_begins_with_a_byte_of_its_own() {
        assert_eq!(bits(&[0b1010_0000, 0b0100_0000], 3), [255, 0, 255, 0, 255, 0]);
    }

    #[test]
    fn what_is_no_picture_or_is_broken_is_said_to_be_so() {
        let file = tiff(&[8]);
        assert!(matches!(draw("pdf", b"%PDF", 1), Err(NotDrawn::NotAPicture)));
        assert!(matches!(draw("png", b"%PDF", 2), Err(NotDrawn::NoSuchPage)));
        for cut in 0..file.len() {
            let _must_not_panic = draw("tiff", &file[..cut], 1);
        }
        assert!(matches!(draw("jpeg", &file, 1), Err(NotDrawn::Broken(_))));
    }
}
