//! Tables for other programs: comma-separated, with no cell that a spreadsheet takes for a formula.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use ccpor_api::{Code, Problem};

/// A table with these heads; each row has as many cells.
pub(crate) fn bytes<const N: usize>(
    heads: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> Result<Vec<u8>, csv::Error> {
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(heads)?;
    for row in rows {
        table.write_record(row.map(harmless))?;
    }
    table.into_inner().map_err(|error| error.into_error().into())
}

/// A cell that no program takes for a formula.
fn harmless(text: String) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text
    }
}

/// A table as a file of this name.
pub(crate) fn file(name: &str, table: Result<Vec<u8>, csv::Error>) -> Result<Response, Problem> {
    let bytes = table.map_err(|error| {
        tracing::error!(%error, name, "a table could not be written");
        Problem::new(Code::Internal, "the table could not be written")
    })?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
    ];
    Ok((headers, bytes).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_a_cell_may_hold_commas_and_quotes() {
        let rows = [["=HYPERLINK(\"x\")", "O'Neil, Pat"], ["-1+2", ""]];
        let table = bytes(["a", "b"], rows.map(|row| row.map(ToOwned::to_owned))).unwrap();
        let text = String::from_utf8(table).unwrap();
        assert_eq!(text, "a,b\n\"'=HYPERLINK(\"\"x\"\")\",\"O'Neil, Pat\"\n'-1+2,\n");
    }
}
