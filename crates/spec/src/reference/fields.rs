//! The keys of a field.

use super::{ANY, DROPOUT, Key, NUMBER, Preset, Table, Type, key};

const TABLED: &[&str] = &["id", "ids", "text"];
const IDS: &[&str] = &["id", "ids"];
const SCALES: &[&str] = &["none", "standard", "quantile", "log"];

/// An entry of `[fields]`.
pub(crate) static FIELD: Table = Table {
    name: "fields",
    meaning: "Each entry is one named value of a request. Its name is the key in requests and in the \
         service's log, and the column in a flat file: letters and digits of any script and `_`, no \
         digit first. `position` is built in and no field.

`side` says whom the value describes: `user` (the person), `context` (the moment: device, \
         hour, place), `query` (the item being watched when the request is made), `item` (the \
         candidate), `pair` (computed from two other fields). Values of user, query and item come \
         with the request, else from the catalogue entry of that user or item.

`kind` says what the value is and how it enters the network:

- `id`: one id. It reads a row of an embedding table, `dim` numbers wide, which is learned. \
         `buckets`, `capacity`, `values` or `shares` says which rows there are. A whole number is an id too. \
         Every table has one row more, for *new* ids: those that were never met.
- `ids`: several ids, whose rows are pooled.
- `number`: one number, scaled; with `edges` the row of the bucket that it falls into.
- `text`: its words, hashed to rows that are pooled. Words are runs of letters and digits, \
         lower case; a character of a script without spaces is a word.
- `vector`: `width` numbers, as a pretrained embedding.

A field with none of `from`, `since`, `rate`, `part`, `cross`, `dot` and `product` is given; \
         with one of them it is derived.",
    keys: &KEYS,
    later: &[],
};

static KEYS: [Key; 31] = [
    key(
        "side",
        Type::Words(&["user", "context", "query", "item", "pair"], &[]),
        Preset::Required,
        "Whom the value describes.",
        r#"country = { side = "user", kind = "id", dim = 4, buckets = 300 }"#,
    ),
    key(
        "kind",
        Type::Words(&["id", "ids", "number", "text", "vector"], &[]),
        Preset::Required,
        "What the value is.",
        r#"age_days = { side = "item", kind = "number" }"#,
    ),
    key(
        "dim",
        Type::Whole(1, 1024),
        Preset::Words("required where the main tower reads the table"),
        "Width of an embedding: 4 to 16 for few ids, 16 to 64 for many. A number has one only with \
         `edges`.",
        r#"user_id = { side = "user", kind = "id", dim = 16, buckets = 1_000_000 }"#,
    )
    .of(&["id", "ids", "text", "number"]),
    key(
        "buckets",
        Type::Whole(1, 1_000_000_000),
        Preset::Words("required without `capacity`, `values`, `shares` and `part`"),
        "Rows that ids, words or pairs of ids are hashed into: for many, also unknown ones. Take one \
         to three times as many as there are ids; two that fall into one row are one to the model.",
        r#"user_id = { side = "user", kind = "id", dim = 16, buckets = 1_000_000 }"#,
    )
    .of(TABLED),
    key(
        "capacity",
        Type::Whole(1, 1_000_000_000),
        Preset::Words("ids are hashed, see `buckets`"),
        "Most ids that have a row of their own, each its own: the table grows as training meets ids, and \
         no two share a row. When it is full, further ids read the row of new ids, unless \
         `forget_after` frees a row.",
        r#"user_id = { side = "user", kind = "id", dim = 16, capacity = 2_000_000 }"#,
    )
    .of(IDS),
    key(
        "forget_after",
        Type::Duration,
        Preset::Words("no id is forgotten"),
        "An id that training has not met for this long, by the times of the log, gives its row back and \
         is new again; it may take up to a 64th longer. Only with `capacity`.",
        r#"video_id = { side = "item", kind = "id", dim = 16, capacity = 500_000, forget_after = "30d" }"#,
    )
    .of(IDS),
    key(
        "admit_after",
        Type::Whole(1, 255),
        Preset::Toml("1"),
        "Sightings in training before an id reads a row of its own; until then it reads the row of \
         new ids.",
        r#"video_id = { side = "item", kind = "id", dim = 16, buckets = 100_000, admit_after = 2 }"#,
    )
    .of(TABLED),
    key(
        "values",
        Type::List(&Type::Text, 1, ANY),
        Preset::Words("ids are hashed, see `buckets`"),
        "The known ids, a row each; any other id is new. For few ids.",
        r#"device = { side = "context", kind = "id", dim = 4, values = ["phone", "desktop", "tv"] }"#,
    )
    .of(IDS),
    key(
        "shares",
        Type::Text,
        Preset::Words("a table of its own"),
        "The field whose table it reads, in the place of `dim`, `buckets`, `capacity`, `values`, \
         `admit_after` and `forget_after`: where two fields hold ids of one sort.",
        r#"watching = { side = "query", kind = "id", shares = "video_id" }"#,
    )
    .of(IDS),
    key(
        "use",
        Type::Words(&["main", "bias", "both"], &[]),
        Preset::Toml("\"main\""),
        "Which tower reads it. `bias` and `both` are for the shallow tower, which `[bias] fields` \
         must list: kind `id` with `values`, `part`, or at most 64 `buckets`. `bias` needs no `dim`.",
        r#"screen = { side = "context", kind = "id", dim = 2, values = ["phone", "tv"], use = "both" }"#,
    ),
    key(
        "attribute",
        Type::Text,
        Preset::OwnName,
        "Key of its value in the catalogue entry. Lets a query field and an item field read the same \
         one. Not for sides `context` and `pair`, nor where the value is derived.",
        r#"watched_content = { side = "query", kind = "vector", width = 64, attribute = "content" }"#,
    ),
    key(
        "from",
        Type::Text,
        Preset::Words("given in the request"),
        "`feedback.KIND`: the last items that the user gave this kind of feedback, as they were known \
         at the time of the request. Side `user`. In flat files a column of lists.",
        r#"liked = { side = "user", kind = "ids", shares = "video_id", from = "feedback.like", last = 20 }"#,
    )
    .of(&["ids"]),
    key(
        "last",
        Type::Whole(1, 200),
        Preset::Toml("50"),
        "Most ids of a history, the newest; only with `from`.",
        r#"liked = { side = "user", kind = "ids", shares = "video_id", from = "feedback.like", last = 20 }"#,
    )
    .of(&["ids"]),
    key(
        "pool",
        Type::Words(&["mean", "sum"], &[]),
        Preset::Toml("\"mean\""),
        "How several rows become one vector; with `weights`, the weighted mean or sum. Without any \
         row it is zeros.",
        r#"topics = { side = "item", kind = "ids", dim = 8, buckets = 500, pool = "sum" }"#,
    )
    .of(&["ids", "text"]),
    key(
        "id_dropout",
        DROPOUT,
        Preset::Toml("0"),
        "Share of reads in training that see the row of new ids instead, so that a new id means \
         something: 0.1 to 0.3 where many ids are new when served.",
        r#"video_id = { side = "item", kind = "id", dim = 16, buckets = 100_000, id_dropout = 0.3 }"#,
    )
    .of(TABLED),
    key(
        "scale",
        Type::Words(SCALES, &[]),
        Preset::Toml("\"standard\""),
        "How the number is scaled, fitted on the training part: `none`; `standard` (less the mean, by \
         the deviation); `quantile` (its rank among the distinct training values, 0 to 1; for skewed \
         numbers); `log` (sign(x) ln(1 + |x|), then standard; for many magnitudes). Not with `edges`.",
        r#"age_days = { side = "item", kind = "number", scale = "quantile" }"#,
    )
    .of(&["number"]),
    key(
        "powers",
        Type::Flag,
        Preset::Toml("false"),
        "Whether x^2 and sqrt(max(x, 0)) enter beside x. Not with `edges`.",
        r#"age_days = { side = "item", kind = "number", powers = true }"#,
    )
    .of(&["number"]),
    key(
        "missing",
        NUMBER,
        Preset::Words("none: only an absent value is missing"),
        "A value that stands for \"not known\", as 0 for a duration.",
        r#"duration_ms = { side = "item", kind = "number", missing = 0 }"#,
    )
    .of(&["number"]),
    key(
        "width",
        Type::Whole(1, 65536),
        Preset::Words("required; with `product` that of the two vectors"),
        "Number of elements.",
        r#"content = { side = "item", kind = "vector", width = 64 }"#,
    )
    .of(&["vector"]),
    key(
        "column",
        Type::Text,
        Preset::OwnName,
        "Its column in flat files, where that has another name. Not for side `pair`.",
        r#"age_days = { side = "item", kind = "number", column = "Item Age (d)" }"#,
    ),
    key(
        "weights",
        Type::Text,
        Preset::Words("every id counts the same"),
        "Each id has a weight: in requests an object `{\"music\": 0.8}` in the place of the list, in \
         flat files a list of numbers in the column of this name. Not with `from`.",
        r#"topics = { side = "item", kind = "ids", dim = 8, buckets = 500, weights = "topic_weights" }"#,
    )
    .of(&["ids"]),
    key(
        "ngrams",
        Type::Whole(1, 4),
        Preset::Toml("1"),
        "Longest run of words that has a row of its own; 2 tells `not good` from `good`.",
        r#"title = { side = "item", kind = "text", dim = 16, buckets = 100_000, ngrams = 2 }"#,
    )
    .of(&["text"]),
    key(
        "edges",
        Type::List(&NUMBER, 1, 10_000),
        Preset::Words("the number itself enters"),
        "Rising numbers between buckets: a number reads the row of its bucket, one more than edges; \
         an edge belongs to the bucket above it. Needs `dim`. A missing number reads the row of new \
         ids.",
        r#"age_days = { side = "item", kind = "number", dim = 4, edges = [1, 7, 30, 365] }"#,
    )
    .of(&["number"]),
    key(
        "since",
        Type::Text,
        Preset::Words("given in the request"),
        "`SIDE.TIME`: hours from that time to the request, an age. The time is of the field's own \
         side, `user`, `query` or `item`: milliseconds since 1970 in its catalogue entry, in flat \
         files a column of times.",
        r#"age_hours = { side = "item", kind = "number", since = "item.uploaded_at", scale = "log" }"#,
    )
    .of(&["number"]),
    key(
        "rate",
        Type::Text,
        Preset::Words("given in the request"),
        "A kind of feedback: the share of the item's impressions in the last `window` that were given \
         it, as it was known at the time of the request; missing without impressions. Side `item`. In \
         flat files a column of numbers.",
        r#"ctr_7d = { side = "item", kind = "number", rate = "click", window = "7d" }"#,
    )
    .of(&["number"]),
    key(
        "window",
        Type::Duration,
        Preset::Words("required with `rate`"),
        "How far `rate` looks back.",
        r#"ctr_7d = { side = "item", kind = "number", rate = "click", window = "7d" }"#,
    )
    .of(&["number"]),
    key(
        "part",
        Type::Words(&["hour", "weekday"], &[]),
        Preset::Words("given in the request"),
        "A part of a local time: `hour` (`0` to `23`) or `weekday` (`mon` to `sun`), a row each. \
         Local is by `[keys] utc_offset`. Without `of` it is of the request's time, on side \
         `context`.",
        r#"hour = { side = "context", kind = "id", dim = 4, part = "hour" }"#,
    )
    .of(&["id"]),
    key(
        "of",
        Type::Text,
        Preset::Words("the time of the request"),
        "`SIDE.TIME`: the time that `part` is of, as with `since`.",
        r#"upload_day = { side = "item", kind = "id", dim = 2, part = "weekday", of = "item.uploaded_at" }"#,
    )
    .of(&["id"]),
    key(
        "cross",
        Type::List(&Type::Text, 2, 2),
        Preset::Words("required on side `pair`"),
        "Two fields of kind `id`: each pair of their ids is an id of its own, hashed into `buckets`. \
         Side `pair`.",
        r#"fit = { side = "pair", kind = "id", dim = 8, buckets = 100_000, cross = ["user_id", "topic"] }"#,
    )
    .of(&["id"]),
    key(
        "dot",
        Type::List(&Type::Text, 2, 2),
        Preset::Words("required on side `pair`"),
        "Inner product of two vectors of equal width, one of the user or query, one of the item, each \
         as `SIDE.FIELD`. Side `pair`.",
        r#"affinity = { side = "pair", kind = "number", dot = ["user.taste", "item.content"] }"#,
    )
    .of(&["number"]),
    key(
        "product",
        Type::List(&Type::Text, 2, 2),
        Preset::Words("required on side `pair`"),
        "Elementwise product of two vectors, named as in `dot`. Side `pair`.",
        r#"overlap = { side = "pair", kind = "vector", product = ["user.taste", "item.content"] }"#,
    )
    .of(&["vector"]),
];
