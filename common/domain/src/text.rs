//! Values that people read as text and machines keep as a few bytes: one serde form for JSON, one for bincode.

/// `text_in_json!(Type, Compact)`: serde writes `Display`/`FromStr` text into readable formats and `Compact` into
/// binary ones. Needs `From<Type> for Compact` and `TryFrom<Compact> for Type`; both ways back validate.
macro_rules! text_in_json {
    ($type:ty, $compact:ty) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    serializer.collect_str(self)
                } else {
                    serde::Serialize::serialize(&<$compact>::from(*self), serializer)
                }
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if deserializer.is_human_readable() {
                    let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                    text.parse().map_err(serde::de::Error::custom)
                } else {
                    let compact = <$compact as serde::Deserialize>::deserialize(deserializer)?;
                    <$type>::try_from(compact).map_err(serde::de::Error::custom)
                }
            }
        }
    };
}

pub(crate) use text_in_json;
