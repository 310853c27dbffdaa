//! Images of made-up orders as a court's scanner would deliver them: small, of every accepted kind, different for every
//! order, and marked as a demonstration.

use std::io::{self, Cursor, Write};

use ccpor_domain::{Expiry, Media};
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};
use tiff::encoder::{Compression, TiffEncoder, colortype};

use super::Filing;
use super::dice::Dice;
use super::lettering::{HEIGHT, Sheet, WIDTH};

/// An image file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// Its kind.
    pub media: Media,
    /// Its pages.
    pub pages: u32,
    /// The file, some kilobytes.
    pub bytes: Vec<u8>,
}

/// The image that belongs to an order: a PDF for most, a TIFF of several pages, a JPEG or a PNG for others.
///
/// # Errors
/// When an encoder fails, which none does for want of anything but memory.
pub fn of(filing: &Filing) -> io::Result<Scan> {
    let kinds = [
        (Media::Pdf, 60),
        (Media::Tiff, 20),
        (Media::Jpeg, 12),
        (Media::Png, 8),
    ];
    let media = dice_of(filing).weigh(&kinds, |(_, weight)| *weight).0;
    of_kind(filing, media)
}

/// The image of an order as a file of one kind.
///
/// # Errors
/// As [`of`].
pub fn of_kind(filing: &Filing, media: Media) -> io::Result<Scan> {
    let mut dice = dice_of(filing);
    let pages = match media {
        Media::Pdf => dice.within(1, 2),
        Media::Tiff => dice.within(2, 3),
        Media::Png | Media::Jpeg => 1,
    };
    let texts: Vec<Vec<String>> = (1..=pages).map(|page| text(filing, page, pages)).collect();
    if media == Media::Pdf {
        return Ok(Scan {
            media,
            pages,
            bytes: pdf(&texts)?,
        });
    }
    let sheets: Vec<Sheet> = texts.iter().map(|lines| sheet(lines, &mut dice)).collect();
    let bytes = match (media, sheets.first()) {
        (Media::Tiff, _) => tiff(&sheets)?,
        (Media::Png, Some(sheet)) => png(sheet)?,
        (_, Some(sheet)) => jpeg(sheet)?,
        (_, None) => Vec::new(),
    };
    Ok(Scan { media, pages, bytes })
}

fn dice_of(filing: &Filing) -> Dice {
    const SCAN: u64 = 6;
    let name = filing.court.to_string() + &filing.source_id;
    Dice::at(&name.bytes().map(u64::from).chain([SCAN]).collect::<Vec<_>>())
}

/// What stands on a page, line by line; the first is the heading.
fn text(filing: &Filing, page: u32, pages: u32) -> Vec<String> {
    let order = &filing.order;
    let form = if order.form.is_empty() {
        "COURT ORDER"
    } else {
        &order.form
    };
    let mut lines = vec![
        format!("{form}  {}", order.title()),
        "IMAGE OF A SIGNED ORDER, DEMONSTRATION. NOT A REAL ORDER.".to_owned(),
        order.court.name.clone(),
        format!("CASE NUMBER {}   PAGE {page} OF {pages}", order.case_number),
        format!("RECORD {} {}", filing.court, filing.source_id),
        String::new(),
    ];
    if page == 1 {
        lines.push(format!("RESTRAINED: {}", order.restrained.name.full()));
        lines.extend(
            order
                .protected
                .iter()
                .map(|who| format!("PROTECTED: {}", who.person.name.full())),
        );
        lines.extend(
            order
                .establishment
                .iter()
                .map(|place| format!("PROTECTED: {place}")),
        );
        lines.push(format!(
            "MADE: {}",
            order.issued.map_or_else(String::new, |day| day.to_string())
        ));
        lines.push(match order.expires {
            Expiry::NotStated => "EXPIRES:".to_owned(),
            Expiry::OnDate { date, .. } => format!("EXPIRES: {date} AT MIDNIGHT"),
            Expiry::Never => "EXPIRES: DOES NOT EXPIRE".to_owned(),
        });
    }
    if page == pages {
        lines.extend(order.terms.iter().map(|term| {
            let yards = term
                .distance_yards
                .map_or_else(String::new, |yards| format!(", {yards} YARDS"));
            format!("(X) {}{yards}", term.kind.as_str().replace('_', " "))
        }));
        lines.push(order.other_text.clone());
        lines.push(format!("SIGNED: {}", order.court.judge));
    }
    lines
}

fn sheet(lines: &[String], dice: &mut Dice) -> Sheet {
    let mut sheet = Sheet::blank();
    // The scanner's bed, and paper that lies a little differently every time.
    let (x, y) = (50 + dice.below(16), 60 + dice.below(16));
    sheet.fill(0, 0, dice.within(1, 5), HEIGHT);
    for (number, line) in lines.iter().enumerate() {
        sheet.write(x, y + number as u32 * 36, 2, line);
    }
    let end = y + lines.len() as u32 * 36 + 30;
    for step in 0..260_u32 {
        let wave = dice.below(3) + (step / 9 % 5) * (step / 31 % 4) * 2;
        sheet.fill(x + step, end + 20 - wave, 2, 3);
    }
    sheet.fill(x, end + 34, 320, 1);
    sheet
}

fn png(sheet: &Sheet) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let encoder = PngEncoder::new(&mut bytes);
    encoder
        .write_image(&sheet.dots, WIDTH, HEIGHT, ExtendedColorType::L8)
        .map_err(io::Error::other)?;
    Ok(bytes)
}

fn jpeg(sheet: &Sheet) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut bytes, 60);
    encoder
        .write_image(&sheet.dots, WIDTH, HEIGHT, ExtendedColorType::L8)
        .map_err(io::Error::other)?;
    Ok(bytes)
}

fn tiff(sheets: &[Sheet]) -> io::Result<Vec<u8>> {
    let mut bytes = Cursor::new(Vec::new());
    let encoder = TiffEncoder::new(&mut bytes).map_err(io::Error::other)?;
    let mut encoder = encoder.with_compression(Compression::Packbits);
    for sheet in sheets {
        encoder
            .write_image::<colortype::Gray8>(WIDTH, HEIGHT, &sheet.dots)
            .map_err(io::Error::other)?;
    }
    Ok(bytes.into_inner())
}

/// A PDF with one page for each list of lines, in a typeface every reader has.
fn pdf(pages: &[Vec<String>]) -> io::Result<Vec<u8>> {
    let kids: String = (0..pages.len())
        .map(|page| format!("{} 0 R ", 4 + 2 * page))
        .collect();
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        format!("<< /Type /Pages /Kids [ {kids}] /Count {} >>", pages.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_owned(),
    ];
    for (page, lines) in pages.iter().enumerate() {
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >> /Contents {} 0 R >>",
            5 + 2 * page
        ));
        let shown: String = lines
            .iter()
            .map(|line| format!("({}) Tj T*\n", escaped(line)))
            .collect();
        let content = format!("BT /F1 11 Tf 18 TL 54 730 Td\n{shown}ET\n");
        objects.push(format!(
            "<< /Length {} >>\nstream\n{content}endstream",
            content.len()
        ));
    }
    let mut bytes = b"%PDF-1.4\n".to_vec();
    let mut offsets = Vec::new();
    for (index, object) in objects.iter().enumerate() {
        offsets.push(bytes.len());
        write!(bytes, "{} 0 obj\n{object}\nendobj\n", index + 1)?;
    }
    let (table, size) = (bytes.len(), objects.len() + 1);
    writeln!(bytes, "xref\n0 {size}\n0000000000 65535 f ")?;
    for offset in offsets {
        writeln!(bytes, "{offset:010} 00000 n ")?;
    }
    writeln!(
        bytes,
        "trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF"
    )?;
    Ok(bytes)
}

/// A string of a PDF: brackets and backslashes escaped, what is not ASCII replaced.
fn escaped(line: &str) -> String {
    let mut safe = String::with_capacity(line.len());
    for letter in line.chars() {
        match letter {
            '(' | ')' | '\\' => safe.extend(['\\', letter]),
            ' '..='~' => safe.push(letter),
            _ => safe.push('?'),
        }
    }
    safe
}
