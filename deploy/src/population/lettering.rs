//! A sheet of paper in memory and letters to put on it; what is written and how it is stored is decided elsewhere.

/// Width of a sheet in dots: 8.5 inches at 100 dots per inch.
pub(super) const WIDTH: u32 = 850;
/// Height of a sheet in dots: 11 inches.
pub(super) const HEIGHT: u32 = 1100;

const WHITE: u8 = 255;
const INK: u8 = 20;

/// A sheet in shades of grey, row by row.
pub(super) struct Sheet {
    pub(super) dots: Vec<u8>,
}

impl Sheet {
    pub(super) fn blank() -> Self {
        Self {
            dots: vec![WHITE; (WIDTH * HEIGHT) as usize],
        }
    }

    /// Writes a line of capitals from `(x, y)` on, each dot of a letter `size` dots wide. What does not fit on the
    /// sheet is lost, as on paper.
    pub(super) fn write(&mut self, x: u32, y: u32, size: u32, line: &str) {
        for (place, letter) in line.chars().enumerate() {
            let left = x + place as u32 * 6 * size;
            for (column, bits) in glyph(letter).into_iter().enumerate() {
                for row in (0..7).filter(|row| bits >> row & 1 == 1) {
                    self.fill(left + column as u32 * size, y + row * size, size, size);
                }
            }
        }
    }

    pub(super) fn fill(&mut self, x: u32, y: u32, width: u32, height: u32) {
        for row in y..(y + height).min(HEIGHT) {
            let start = (row * WIDTH + x.min(WIDTH)) as usize;
            let end = (row * WIDTH + (x + width).min(WIDTH)) as usize;
            if let Some(dots) = self.dots.get_mut(start..end) {
                dots.fill(INK);
            }
        }
    }
}

/// The five columns of a letter, the lowest bit on top; blank for what has no letter here.
fn glyph(letter: char) -> [u8; 5] {
    const LETTERS: [u64; 26] = [
        0x7e1111117e,
        0x7f49494936,
        0x3e41414122,
        0x7f4141221c,
        0x7f49494941,
        0x7f09090901,
        0x3e4149497a,
        0x7f0808087f,
        0x00417f4100,
        0x2040413f01,
        0x7f08142241,
        0x7f40404040,
        0x7f020c027f,
        0x7f0408107f,
        0x3e4141413e,
        0x7f09090906,
        0x3e4151215e,
        0x7f09192946,
        0x4649494931,
        0x01017f0101,
        0x3f4040403f,
        0x1f2040201f,
        0x3f4038403f,
        0x6314081463,
        0x0708700807,
        0x6151494543,
    ];
    const DIGITS: [u64; 10] = [
        0x3e5149453e,
        0x00427f4000,
        0x4261514946,
        0x2141454b31,
        0x1814127f10,
        0x2745454539,
        0x3c4a494930,
        0x0171090503,
        0x3649494936,
        0x064949291e,
    ];
    let letter = letter.to_ascii_uppercase();
    let columns = match letter {
        'A'..='Z' => LETTERS.get(letter as usize - 'A' as usize).copied(),
        '0'..='9' => DIGITS.get(letter as usize - '0' as usize).copied(),
        '-' => Some(0x0808080808),
        '.' => Some(0x0060600000),
        ',' => Some(0x0050300000),
        ':' => Some(0x0036360000),
        '/' => Some(0x2010080402),
        '(' => Some(0x001c224100),
        ')' => Some(0x0041221c00),
        '\'' => Some(0x0005030000),
        _ => None,
    };
    let [_, _, _, columns @ ..] = columns.unwrap_or(0).to_be_bytes();
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_have_the_shapes_of_letters() {
        let drawn = |letter| {
            let columns = glyph(letter);
            let row = |row: u32| {
                columns
                    .iter()
                    .map(|bits| if bits >> row & 1 == 1 { '#' } else { '.' })
                    .collect::<String>()
            };
            (0..7).map(row).collect::<Vec<_>>().join("/")
        };
        assert_eq!(drawn('L'), "#..../#..../#..../#..../#..../#..../#####");
        assert_eq!(drawn('h'), "#...#/#...#/#...#/#####/#...#/#...#/#...#");
        assert_eq!(drawn('7'), "#####/....#/...#./..#../.#.../.#.../.#...");
        assert_eq!(drawn('~'), ["....."; 7].join("/"));
    }

    #[test]
    fn nothing_is_written_off_the_sheet() {
        let mut sheet = Sheet::blank();
        sheet.write(WIDTH - 3, HEIGHT - 3, 9, "WWW");
        assert_eq!(sheet.dots.len(), (WIDTH * HEIGHT) as usize);
    }
}
