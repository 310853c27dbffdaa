//! Closed lists of words: an enum, its snake_case word for people's files, and the way back. Knows no list itself.

/// A word that is not in a closed list.
///
/// It names the list and what the list holds, never the refused text (which may be personal data in a wrong column).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a {list}: write one of {expected}")]
pub struct UnknownWord {
    /// The list, e.g. `family`.
    pub list: &'static str,
    /// Every word of the list, separated by `, `.
    pub expected: &'static str,
}

/// Lower case, with `_` for blanks and hyphens: the form in which words of closed lists are compared.
pub(crate) fn folded(text: &str) -> String {
    text.trim()
        .chars()
        .map(|c| {
            if c == '-' || c == ' ' {
                '_'
            } else {
                c.to_ascii_lowercase()
            }
        })
        .collect()
}

/// Declares a closed enum: serde word, `ALL`, `as_str`, `Display`, `FromStr`.
///
/// In bincode a variant is its index: variants are appended, never reordered, renamed in place or removed.
macro_rules! closed {
    (
        $(#[$meta:meta])*
        pub enum $name:ident: $list:literal {
            $( $(#[$variant_meta:meta])* $variant:ident = $word:literal ),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $( $(#[$variant_meta])* #[serde(rename = $word)] $variant ),+
        }

        impl $name {
            /// Every value, in the order of their stored index.
            pub const ALL: &'static [Self] = &[$( Self::$variant ),+];

            /// The word for this value, as JSON carries it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $word ),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::closed::UnknownWord;

            /// Takes the word in any case, with `-` or a blank for `_`.
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let wanted = $crate::closed::folded(text);
                Self::ALL.iter().copied().find(|value| value.as_str() == wanted).ok_or(
                    $crate::closed::UnknownWord {
                        list: $list,
                        expected: $crate::closed::joined!($( $word ),+),
                    },
                )
            }
        }
    };
}

/// `joined!("a", "b")` is `"a, b"`.
macro_rules! joined {
    ($first:literal $(, $rest:literal)*) => { concat!($first $(, ", ", $rest)*) };
}

pub(crate) use {closed, joined};
