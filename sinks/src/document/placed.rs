//! YAML nodes as the reader gives them, asked for their places and tags or not.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};
use serde_saphyr::{Spanned, Tagged};

use super::yaml::{Entry, Kind, Node};

/// What is said where a tag stands.
pub(super) const TAGGED: &str = "tags are not read";

/// A node as the YAML reader gives it, asked for its place and tag or not.
pub(super) struct Placed<const PLACED: bool> {
    at: usize,
    bare: Bare<PLACED>,
}

struct Key<const PLACED: bool> {
    at: usize,
    name: String,
}

impl<'de, const PLACED: bool> Deserialize<'de> for Key<PLACED> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        if !PLACED {
            return String::deserialize(from).map(|name| Key { at: 0, name });
        }
        let placed = Spanned::<String>::deserialize(from)?;
        Ok(Key {
            at: offset(&placed.referenced),
            name: placed.value,
        })
    }
}

enum Bare<const PLACED: bool> {
    Scalar(Value),
    List(Vec<Placed<PLACED>>),
    Map(Vec<(Key<PLACED>, Placed<PLACED>)>),
}

impl<const PLACED: bool> From<Placed<PLACED>> for Node {
    fn from(placed: Placed<PLACED>) -> Self {
        let kind = match placed.bare {
            Bare::Scalar(value) => Kind::Scalar(value),
            Bare::List(list) => Kind::List(list.into_iter().map(Node::from).collect()),
            Bare::Map(entries) => Kind::Map(
                entries
                    .into_iter()
                    .map(|(key, placed)| Entry {
                        key_at: key.at,
                        key: key.name,
                        node: placed.into(),
                    })
                    .collect(),
            ),
        };
        Node { at: placed.at, kind }
    }
}

fn offset(location: &serde_saphyr::Location) -> usize {
    location.span().byte_offset().unwrap_or_default() as usize
}

impl<'de, const PLACED: bool> Deserialize<'de> for Placed<PLACED> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        if !PLACED {
            return Bare::deserialize(from).map(|bare| Placed { at: 0, bare });
        }
        let placed = Spanned::<Tagged<Bare<PLACED>>>::deserialize(from)?;
        let at = offset(&placed.referenced);
        match placed.value {
            Tagged(bare, None) => Ok(Placed { at, bare }),
            Tagged(_, Some(_)) => Err(D::Error::custom(TAGGED)),
        }
    }
}

impl<'de, const PLACED: bool> Deserialize<'de> for Bare<PLACED> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Any::<PLACED>)
    }
}

struct Any<const PLACED: bool>;

impl<'de, const PLACED: bool> Visitor<'de> for Any<PLACED> {
    type Value = Bare<PLACED>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Bare::Scalar(Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Bare::Scalar(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Bare::Scalar(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Bare::Scalar(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Self::Value, E> {
        match Number::from_f64(value) {
            Some(number) => Ok(Bare::Scalar(number.into())),
            None => Err(E::custom("expected a finite number")),
        }
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Bare::Scalar(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = access.next_element()? {
            list.push(item);
        }
        Ok(Bare::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = access.next_entry()? {
            entries.push(entry);
        }
        Ok(Bare::Map(entries))
    }
}
