//! Plain aligned tables for people: columns two blanks apart, no frames, so that they can be read aloud, grepped and pasted.

/// A table on its way to the screen.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

#[derive(Debug)]
struct Column {
    head: &'static str,
    numbers: bool,
}

impl Table {
    /// A table with these column heads; a head that begins with `>` has its column set flush right.
    pub(crate) fn new(heads: &[&'static str]) -> Self {
        let columns = heads
            .iter()
            .map(|head| Column {
                head: head.strip_prefix('>').unwrap_or(head),
                numbers: head.starts_with('>'),
            })
            .collect();
        Self {
            columns,
            rows: Vec::new(),
        }
    }

    /// One more row; missing cells are blank, cells beyond the heads are left out.
    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows
            .push(cells.into_iter().map(|cell| cell.replace('\n', " ")).collect());
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table as text, ending in a line break.
    pub(crate) fn text(&self) -> String {
        let heads: Vec<String> = self.columns.iter().map(|column| column.head.to_owned()).collect();
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|place| {
                let cells = self.rows.iter().chain([&heads]);
                cells
                    .filter_map(|row| row.get(place))
                    .map(|cell| width(cell))
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        let mut text = String::new();
        for row in [&heads].into_iter().chain(&self.rows) {
            let mut line = String::new();
            for ((cell, column), &wide) in row.iter().zip(&self.columns).zip(&widths) {
                let blanks = " ".repeat(wide.saturating_sub(width(cell)));
                if column.numbers {
                    line.extend([blanks.as_str(), cell, "  "]);
                } else {
                    line.extend([cell, blanks.as_str(), "  "]);
                }
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

/// Columns that a text takes: one a character, which holds for every script that the registry writes names in.
fn width(text: &str) -> usize {
    text.chars().count()
}

/// A count as people read it: `48,213`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A hash short enough to compare by eye: `9c1e…77`.
pub(crate) fn short_hash(hash: &str) -> String {
    match (hash.get(..4), hash.get(hash.len().saturating_sub(2)..)) {
        (Some(start), Some(end)) if hash.len() > 8 && hash.is_ascii() => format!("{start}…{end}"),
        _ => hash.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_lines_have_no_blanks_at_their_end() {
        let mut table = Table::new(&["COURT", ">ORDERS", "STATE"]);
        table.row(["court/alameda".into(), count(1_204_551), "current".into()]);
        table.row(["tribal/yurok".into(), count(7), String::new()]);
        assert_eq!(
            table.text(),
            "COURT             ORDERS  STATE\n\
             court/alameda  1,204,551  current\n\
             tribal/yurok           7\n"
        );
    }

    #[test]
    fn numbers_and_hashes_are_short() {
        assert_eq!(
            [count(0), count(999), count(1000), count(48_213)],
            ["0", "999", "1,000", "48,213"]
        );
        assert_eq!(short_hash("9c1e00aa00bb00cc77"), "9c1e…77");
        assert_eq!(short_hash("9c1e"), "9c1e");
        assert_eq!(short_hash("ñññññññ"), "ñññññññ".to_owned());
    }
}
