//! `[keys]`: weights, times and absent columns.

use super::{check, spec};

#[test]
fn the_columns_of_weights_and_the_format_of_times_are_not_empty() {
    check(
        "[keys]
weight = '' #~ `weight` is empty => expected the name of a column
time_format = '' #~ `time_format` is empty => expected how times are written, as `%Y-%m-%d %H:%M:%S`",
    );
    let keys = spec(
        "[keys]
weight = 'sample weight'
time_format = '%d/%m/%Y'",
    )
    .keys;
    assert_eq!(
        (keys.weight.as_deref(), keys.time_format.as_deref()),
        (Some("sample weight"), Some("%d/%m/%Y"))
    );
    let keys = spec("").keys;
    assert_eq!((keys.weight, keys.time_format), (None, None));
}

#[test]
fn local_time_is_ahead_of_utc_by_hours_and_minutes() {
    for wrong in [
        "8", "+8:00", "+08", "08:00", "+15:00", "+14:01", "+08:60", "++8:00", "+08:0", "z", "", "+é:00",
    ] {
        check(&format!(
            "[keys]
utc_offset = '{wrong}' #~ `utc_offset` is `{wrong}` => expected how far local time is ahead of UTC, as `+08:00` or `-03:30`"
        ));
    }
    for (typed, minutes) in [
        ("+08:00", 480),
        ("-03:30", -210),
        ("+14:00", 840),
        ("+00:00", 0),
        ("Z", 0),
    ] {
        let spec = spec(&format!("[keys]\nutc_offset = '{typed}'"));
        assert_eq!(spec.keys.utc_offset_minutes, minutes, "{typed}");
    }
    assert_eq!(spec("").keys.utc_offset_minutes, 0);
}

#[test]
fn an_absent_key_has_no_column() {
    check(
        "[keys]
user = 'u'
absent = ['user', 'tim', 'item', 'item', 'query'] #~ `user` is in `absent` and has a column => leave one of them out #~ `tim` in `absent` => expected any of: `user`, `item`, `time` (did you mean `time`?) #~ `item` is twice in `absent` => expected it once #~ `query` in `absent`",
    );
    check(
        "[keys]
absent = 'time' #~ `absent` is the string `time`",
    );
    let absent = |text: &str| {
        let keys = spec(text).keys;
        (keys.no_user, keys.no_item, keys.no_time)
    };
    assert_eq!(absent(""), (false, false, false));
    assert_eq!(absent("[keys]\nabsent = ['time', 'user']"), (true, false, true));
    assert_eq!(absent("[keys]\nabsent = ['item']"), (false, true, false));
}
