//! The types of columns in plain words, for messages.

use arrow_schema::DataType;

/// What a column of type `found` holds: `text`, `whole numbers`, `lists of numbers`.
pub(crate) fn plain_type(found: &DataType) -> String {
    let plain = match found {
        DataType::Null => "nothing: all its cells are empty",
        DataType::Boolean => "true or false",
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "text",
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            "bytes"
        }
        DataType::Timestamp(..) => "times",
        DataType::Date32 | DataType::Date64 => "dates",
        DataType::Time32(_) | DataType::Time64(_) => "times of day",
        DataType::Duration(_) | DataType::Interval(_) => "durations",
        DataType::Struct(_) => "objects",
        DataType::Map(..) => "maps",
        DataType::Dictionary(_, value) => return plain_type(value),
        DataType::FixedSizeList(element, width) => {
            return format!("lists of {width} {}", elements(element.data_type()));
        }
        DataType::List(element)
        | DataType::LargeList(element)
        | DataType::ListView(element)
        | DataType::LargeListView(element) => {
            return match element.data_type() {
                DataType::Null => "empty lists".to_owned(),
                element => format!("lists of {}", elements(element)),
            };
        }
        other if other.is_integer() => "whole numbers",
        other if other.is_numeric() => "numbers",
        _ => "values of a type that is not read",
    };
    plain.to_owned()
}

fn elements(element: &DataType) -> String {
    match element {
        DataType::Null => "nothing".to_owned(),
        element => plain_type(element),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_schema::{Field, TimeUnit};

    use super::*;

    #[test]
    fn a_type_is_named_in_plain_words() {
        let list = |element| DataType::List(Arc::new(Field::new_list_field(element, true)));
        let dictionary = DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::LargeUtf8));
        for (found, words) in [
            (DataType::Utf8, "text"),
            (dictionary, "text"),
            (DataType::UInt8, "whole numbers"),
            (DataType::Float16, "numbers"),
            (DataType::Decimal128(9, 2), "numbers"),
            (DataType::Boolean, "true or false"),
            (DataType::Timestamp(TimeUnit::Second, None), "times"),
            (list(DataType::Utf8), "lists of text"),
            (list(list(DataType::Int8)), "lists of lists of whole numbers"),
            (list(DataType::Null), "empty lists"),
        ] {
            assert_eq!(plain_type(&found), words);
        }
    }
}
