//! The style sheet, the script, fonts and pictures of the pages: made at compile time, kept in the program, and sent with an
//! address that changes with them. Nothing comes from any other host.

use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

struct Asset {
    name: &'static str,
    media: &'static str,
    bytes: &'static [u8],
    gzip: Option<&'static [u8]>,
}

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// `GET /assets/{version}/{name}`.
pub(crate) async fn get(Path((version, name)): Path<(String, String)>, headers: HeaderMap) -> Response {
    let Some(asset) = ASSETS.iter().find(|asset| asset.name == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let takes_gzip = headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.split(',').any(|coding| coding.trim().starts_with("gzip")));
    let body = asset.gzip.filter(|_| takes_gzip);
    let mut response = Response::new(Body::from(body.unwrap_or(asset.bytes)));
    let answer = response.headers_mut();
    answer.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.media));
    if body.is_some() {
        answer.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    answer.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    // An address of another version may come from a page of before an update: it gets the file, but not for good.
    let kept = if version == VERSION {
        "public, max-age=31536000, immutable"
    } else {
        "no-store"
    };
    answer.insert(header::CACHE_CONTROL, HeaderValue::from_static(kept));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn style_and_script_together_are_under_150_kilobytes_compressed() {
        let sent = |asset: &Asset| asset.gzip.map_or(asset.bytes.len(), <[u8]>::len);
        let code = ASSETS
            .iter()
            .filter(|asset| asset.name.ends_with(".css") || asset.name.ends_with(".js"));
        let bytes: usize = code.map(sent).sum();
        println!("style and script: {bytes} bytes");
        assert!((1_000..150_000).contains(&bytes), "{bytes}");
    }

    #[test]
    fn no_file_names_another_host() {
        for asset in ASSETS.iter().filter(|asset| asset.media.starts_with("text/")) {
            let text = std::str::from_utf8(asset.bytes).unwrap();
            for (place, _) in text.match_indices("http") {
                let address = text[place..].chars().take(60).collect::<String>();
                assert!(
                    address.starts_with("http://www.w3.org/") || !address.contains("://"),
                    "{}: {address}",
                    asset.name
                );
            }
        }
    }
}
