//! Numbers in JSON that may not be finite: as numbers where they are, else as the words `NaN`, `inf`, `-inf`, which JSON's numbers lack.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Exact {
    Finite(f64),
    Word(String),
}

impl From<f64> for Exact {
    fn from(value: f64) -> Exact {
        if value.is_finite() {
            Exact::Finite(value)
        } else {
            Exact::Word(value.to_string())
        }
    }
}

impl Exact {
    fn value<E: serde::de::Error>(self) -> Result<f64, E> {
        match self {
            Exact::Finite(value) => Ok(value),
            Exact::Word(word) => match word.as_str() {
                "NaN" | "inf" | "-inf" => word.parse().map_err(E::custom),
                _ => Err(E::custom(format!(
                    "expected a number, `NaN`, `inf` or `-inf`, found `{word}`"
                ))),
            },
        }
    }
}

pub(crate) fn serialize<S: Serializer>(value: &f64, to: S) -> Result<S::Ok, S::Error> {
    Exact::from(*value).serialize(to)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    Exact::deserialize(from)?.value()
}

/// The same of a number that may be missing.
pub(crate) mod option {
    use super::{Deserialize, Deserializer, Exact, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(value: &Option<f64>, to: S) -> Result<S::Ok, S::Error> {
        value.map(Exact::from).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
        Option::<Exact>::deserialize(from)?.map(Exact::value).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize, Deserialize)]
    struct Some {
        #[serde(with = "super")]
        one: f64,
        #[serde(with = "super::option", skip_serializing_if = "Option::is_none", default)]
        other: Option<f64>,
    }

    #[test]
    fn every_number_comes_back_to_the_bit_and_no_other_word_is_taken() {
        for one in [
            0.1,
            -0.0,
            f64::MAX,
            f64::MIN_POSITIVE,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
        ] {
            for other in [None, Option::Some(one)] {
                let text = serde_json::to_string(&Some { one, other }).unwrap();
                let back: Some = serde_json::from_str(&text).unwrap();
                assert_eq!(back.one.to_bits(), one.to_bits(), "{text}");
                assert_eq!(back.other.map(f64::to_bits), other.map(f64::to_bits), "{text}");
            }
        }
        assert!(
            serde_json::to_string(&Some {
                one: 2.5,
                other: None
            })
            .unwrap()
                == "{\"one\":2.5}"
        );
        for text in [
            "{\"one\":\"1\"}",
            "{\"one\":\"infinity\"}",
            "{\"one\":null}",
            "{}",
        ] {
            assert!(serde_json::from_str::<Some>(text).is_err(), "{text}");
        }
    }
}
