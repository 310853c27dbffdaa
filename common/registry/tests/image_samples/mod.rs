//! Images made by code for the tests of the image store: sound ones of each kind, and broken ones.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::io::{Cursor, Write};

use image::{DynamicImage, GrayImage, ImageFormat, Luma};
use tiff::encoder::{TiffEncoder, colortype};

/// A grey picture, different for every seed.
pub(crate) fn picture(width: u32, height: u32, seed: u32) -> GrayImage {
    GrayImage::from_fn(width, height, |x, y| Luma([(x * 7 + y * 13 + seed * 31) as u8]))
}

pub(crate) fn png(seed: u32) -> Vec<u8> {
    encoded(ImageFormat::Png, seed)
}

pub(crate) fn jpeg(seed: u32) -> Vec<u8> {
    encoded(ImageFormat::Jpeg, seed)
}

fn encoded(format: ImageFormat, seed: u32) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::ImageLuma8(picture(120, 160, seed))
        .write_to(&mut bytes, format)
        .unwrap();
    bytes.into_inner()
}

pub(crate) fn tiff(pages: u32) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut bytes).unwrap();
    for page in 0..pages {
        encoder
            .write_image::<colortype::Gray8>(20, 30, &picture(20, 30, page))
            .unwrap();
    }
    bytes.into_inner()
}

/// A TIFF written by hand, for what no encoder writes: `(tag, kind, count, value)` per entry.
pub(crate) fn raw_tiff(entries: &[(u16, u16, u32, u32)], next: u32) -> Vec<u8> {
    let mut bytes = b"MM\x00\x2a\x00\x00\x00\x08".to_vec();
    bytes.extend((entries.len() as u16).to_be_bytes());
    for (tag, kind, count, value) in entries {
        bytes.extend(tag.to_be_bytes());
        bytes.extend(kind.to_be_bytes());
        bytes.extend(count.to_be_bytes());
        match kind {
            3 if *count == 1 => bytes.extend((value << 16).to_be_bytes()),
            _ => bytes.extend(value.to_be_bytes()),
        }
    }
    bytes.extend(next.to_be_bytes());
    bytes
}

/// A PDF in the old way: a table of contents at the end, nothing packed.
pub(crate) fn pdf(pages: u32) -> Vec<u8> {
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        format!(
            "<< /Type /Pages /Kids [{}] /Count {pages} >>",
            references(3, pages)
        ),
    ];
    let page = format!(
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {} 0 R >>",
        3 + pages
    );
    objects.extend((0..pages).map(|_| page.clone()));
    objects
        .push("<< /Length 44 >>\nstream\nBT /F1 12 Tf 72 720 Td (an order) Tj ET     \nendstream".to_owned());
    with_table(&objects, "")
}

/// Puts numbered objects into a PDF; `trailer` goes into its trailer.
pub(crate) fn with_table(objects: &[String], trailer: &str) -> Vec<u8> {
    let mut bytes = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n".to_vec();
    let mut offsets = Vec::new();
    for (index, object) in objects.iter().enumerate() {
        offsets.push(bytes.len());
        writeln!(bytes, "{} 0 obj\n{object}\nendobj", index + 1).unwrap();
    }
    let table = bytes.len();
    writeln!(bytes, "xref\n0 {}\n0000000000 65535 f ", objects.len() + 1).unwrap();
    for offset in offsets {
        writeln!(bytes, "{offset:010} 00000 n ").unwrap();
    }
    let size = objects.len() + 1;
    writeln!(
        bytes,
        "trailer\n<< /Size {size} /Root 1 0 R {trailer} >>\nstartxref\n{table}\n%%EOF"
    )
    .unwrap();
    bytes
}

/// A PDF in the new way: catalogue and pages packed in an object stream, the table in a stream too.
pub(crate) fn packed_pdf(pages: u32) -> Vec<u8> {
    let mut objects = vec![
        (2, "<</Type/Catalog/Pages 3 0 R>>".to_owned()),
        (
            3,
            format!("<</Type/Pages/Count {pages}/Kids[{}]>>", references(4, pages)),
        ),
    ];
    objects.extend((0..pages).map(|page| (4 + page, "<</Type/Page/Parent 3 0 R>>".to_owned())));
    let (mut header, mut body) = (String::new(), String::new());
    for (number, object) in &objects {
        header += &format!("{number} {} ", body.len());
        body += object;
        body += " ";
    }
    let packed = zlib(format!("{header}{body}").as_bytes());
    let mut bytes = b"%PDF-1.7\n".to_vec();
    write!(
        bytes,
        "1 0 obj\n<</Type/ObjStm/N {}/First {}/Filter/FlateDecode/Length {}>>\nstream\r\n",
        objects.len(),
        header.len(),
        packed.len()
    )
    .unwrap();
    bytes.extend(packed);
    write!(
        bytes,
        "\r\nendstream\nendobj\n999 0 obj\n<</Type/XRef/Root 2 0 R/W[1 2 1]/Size 4/Length 0>>"
    )
    .unwrap();
    writeln!(bytes, "\nstream\n\nendstream\nendobj\nstartxref\n9\n%%EOF").unwrap();
    bytes
}

pub(crate) fn zlib(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn references(first: u32, count: u32) -> String {
    (first..first + count)
        .map(|number| format!("{number} 0 R "))
        .collect()
}
