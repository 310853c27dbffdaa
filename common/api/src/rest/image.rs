//! Bytes of images in bodies: out with headers under which no browser shows them as a page, and in as they come.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;

use crate::backend::{ImageBytes, ImageOut};
use crate::message::ImageRef;
use crate::problem::{Code, Problem};

/// The bytes of a body; an error where it broke off.
pub(super) fn bytes(request: Request) -> ImageBytes {
    let broken = |_error| Problem::new(Code::MalformedRequest, "the body broke off before its end");
    Box::pin(
        request
            .into_body()
            .into_data_stream()
            .map(move |piece| piece.map_err(broken)),
    )
}

/// An image as an answer.
pub(super) fn answer(out: ImageOut) -> Response {
    let mut response = Body::from_stream(out.data).into_response();
    describe(&out.image, response.headers_mut());
    response
}

/// Headers under which a browser shows nothing of an image as a page of ours, whatever its bytes are.
fn describe(image: &ImageRef, headers: &mut HeaderMap) {
    let media_type = media_type(&image.media);
    let name: String = image.blake3.chars().take(16).collect();
    let disposition = format!("attachment; filename=\"{name}.{}\"", extension(&image.media));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(image.length));
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; sandbox"),
    );
    if let Ok(disposition) = HeaderValue::try_from(disposition) {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
}

/// The media type of an image's format (see `ImageRef.media`).
fn media_type(media: &str) -> &'static str {
    match media {
        "pdf" => "application/pdf",
        "png" => "image/png",
        "jpeg" => "image/jpeg",
        "tiff" => "image/tiff",
        _ => "application/octet-stream",
    }
}

fn extension(media: &str) -> &'static str {
    match media {
        "pdf" => "pdf",
        "png" => "png",
        "jpeg" => "jpg",
        "tiff" => "tif",
        _ => "bin",
    }
}
