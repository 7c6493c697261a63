//! What a column holds, in plain words.

use arrow_schema::DataType;

/// What columns of type `found` hold, for messages: `text`, `whole numbers`, `lists of numbers`.
pub(crate) fn plain_type(found: &DataType) -> &'static str {
    match found {
        DataType::Null => "nothing",
        DataType::Boolean => "true/false",
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "text",
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            "bytes"
        }
        DataType::Date32 | DataType::Date64 => "dates",
        DataType::Timestamp(..) => "timestamps",
        DataType::Time32(_) | DataType::Time64(_) => "times of day",
        DataType::Duration(_) | DataType::Interval(_) => "durations",
        DataType::Dictionary(_, value) => plain_type(value),
        DataType::RunEndEncoded(_, values) => plain_type(values.data_type()),
        DataType::List(element)
        | DataType::LargeList(element)
        | DataType::FixedSizeList(element, _)
        | DataType::ListView(element)
        | DataType::LargeListView(element) => lists_of(element.data_type()),
        DataType::Struct(_) | DataType::Map(..) => "objects",
        DataType::Union(..) => "values of several types",
        found if found.is_integer() => "whole numbers",
        _ => "numbers",
    }
}

fn lists_of(element: &DataType) -> &'static str {
    match plain_type(element) {
        "nothing" => "empty lists",
        "true/false" => "lists of true/false",
        "text" => "lists of text",
        "whole numbers" => "lists of whole numbers",
        "numbers" => "lists of numbers",
        "timestamps" | "dates" => "lists of times",
        "objects" => "lists of objects",
        _ => "lists",
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_schema::{Field, TimeUnit};

    use super::*;

    #[test]
    fn a_type_is_said_in_words_that_need_no_arrow() {
        let list = |element| DataType::List(Arc::new(Field::new_list_field(element, true)));
        for (found, words) in [
            (DataType::LargeUtf8, "text"),
            (DataType::UInt16, "whole numbers"),
            (DataType::Float16, "numbers"),
            (DataType::Decimal128(10, 2), "numbers"),
            (DataType::Boolean, "true/false"),
            (DataType::Null, "nothing"),
            (DataType::Timestamp(TimeUnit::Nanosecond, None), "timestamps"),
            (
                DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
                "text",
            ),
            (list(DataType::Float64), "lists of numbers"),
            (list(DataType::Int8), "lists of whole numbers"),
            (list(DataType::Utf8View), "lists of text"),
            (list(list(DataType::Null)), "lists"),
        ] {
            assert_eq!(plain_type(&found), words, "{found}");
        }
    }
}
