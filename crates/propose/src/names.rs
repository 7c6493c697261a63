//! What names of columns say, in English and Chinese. In: a name. Out: its words, and the roles that they hint at.

mod meanings;

pub(crate) use meanings::{
    Meaning, is_aftermath, is_amount, is_attribute, is_code, is_duration, is_extent, is_grade,
    is_outcome_of_people, is_propensity, is_shuffled, is_suspicious, is_target, is_watch_time, label,
};

/// The words of a name, in lower case: parts between signs and blanks, between `aB`, and between Latin and Chinese.
pub(crate) fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut before: Option<char> = None;
    for character in name.chars() {
        if character.is_alphanumeric() {
            let begins = before.is_none_or(|before| {
                (before.is_lowercase() && character.is_uppercase())
                    || is_chinese(before) != is_chinese(character)
            });
            if begins {
                words.push(String::new());
            }
            if let Some(word) = words.last_mut() {
                word.extend(character.to_lowercase());
            }
        }
        before = Some(character).filter(|character| character.is_alphanumeric());
    }
    words
}

fn is_chinese(character: char) -> bool {
    ('\u{3400}'..='\u{9fff}').contains(&character)
}

/// Whether `word` is one of the words of `list`.
fn has(list: &str, word: &str) -> bool {
    list.split_ascii_whitespace().any(|other| other == word)
}

fn any(words: &[String], list: &str) -> bool {
    words.iter().any(|word| has(list, word))
}

/// Whether one of the words of `list` is a part of `name`.
fn contains(name: &str, list: &str) -> bool {
    list.split_ascii_whitespace().any(|part| name.contains(part))
}

/// Nouns of a key, in Latin and in Chinese; those that are ids by themselves.
pub(crate) struct Nouns(&'static str, &'static str, &'static str);

pub(crate) const USER: Nouns = Nouns(
    "\
        user users u uid visitor consumer customer cust member account person viewer reader client \
        subscriber listener msno",
    "用户 会员 客户 访客",
    "uid msno",
);
pub(crate) const ITEM: Nouns = Nouns(
    "\
        item items i iid video vid doc document product prod pid sku asin gtin ean isbn upc ad creative article news \
        movie film song track photo post listing hotel property prop book content note goods offer \
        job restaurant poi candidate clip episode show game",
    "视频 商品 物品 文章 内容 作品 广告 歌曲 电影 新闻 笔记 职位 直播",
    "iid vid pid sku asin gtin ean isbn upc",
);
pub(crate) const SLATE: Nouns = Nouns(
    "\
        slate session sess query q qid request req rid search srch impression imp pageview list \
        visit sid ranking feed",
    "会话 请求 曝光 搜索 列表",
    "qid rid sid",
);
pub(crate) const POSITION: Nouns = Nouns("position pos rank slot", "位置 排名 坑位 序位", "");
pub(crate) const TIME: Nouns = Nouns(
    "time timestamp ts datetime date at dt day when",
    "时间 日期 时刻",
    "",
);
pub(crate) const WEIGHT: Nouns = Nouns("weight", "权重", "");
pub(crate) const QUERY_ITEM: Nouns = Nouns("watching seed anchor", "", "");

/// How surely a name is that of a key: 0 the noun itself or with a word for ids, 1 with a word before, as of a nested object.
pub(crate) fn key(name: &str, nouns: &Nouns) -> Option<u8> {
    const IDS: &str = "id ids idx index key no num hash uuid guid code pk";
    let words = words(name);
    if let Some(noun) = nouns.1.split_ascii_whitespace().find(|noun| name.contains(*noun)) {
        let rest: String = name.to_lowercase().replacen(noun, "", 1);
        let rest = rest.trim_matches(|character: char| !character.is_alphanumeric());
        return (rest.is_empty() || has("id 编号 标识 号 序号 戳", rest)).then_some(0);
    }
    let is_noun = |word: &str| {
        let bare = word.strip_suffix("id").filter(|bare| bare.len() > 2);
        (
            has(nouns.0, word) && (word.len() > 1 || words.len() > 1),
            bare.is_some_and(|bare| has(nouns.0, bare)),
        )
    };
    match words.as_slice() {
        [word] if is_noun(word) != (false, false) => Some(0),
        [word, id] if is_noun(word).0 && has(IDS, id) => Some(0),
        [.., word, id] if is_noun(word).0 && word.len() > 1 && has(IDS, id) => Some(1),
        // An id's own noun behind what it is an id of: `product.sku`.
        [.., word, id] if is_noun(word).0 && word.len() > 1 && has(nouns.2, id) => Some(1),
        [first, word]
            if has(
                "event log shown display sample instance example impression",
                first,
            ) && is_noun(word).0 =>
        {
            Some(1)
        }
        _ => None,
    }
}

/// How surely a name is that of the time of the impression: 0 to 2; none for times of something else.
pub(crate) fn time(name: &str) -> Option<u8> {
    let words = words(name);
    let other = any(
        &words,
        "\
            publish published upload uploaded created create release released birth register \
            registered signup joined updated play stay watch dwell click buy purchase order end \
            expire expiry duration spent first last zone",
    );
    if other || contains(name, "发布 上传 注册 停留 播放 观看 结束") || is_extent_unit(&words) {
        return None;
    }
    let unit = |word: &String| has("ms us s sec seconds millis utc unix epoch", word);
    let bare: Vec<String> = words.iter().filter(|word| !unit(word)).cloned().collect();
    if key(name, &TIME).is_some() || key(&bare.join("_"), &TIME).is_some() {
        return Some(0);
    }
    let noun = |word: &String| has(TIME.0, word) || word == "timestamp";
    match (words.iter().any(noun), contains(name, TIME.1)) {
        (true, _) if words.len() <= 2 => Some(1),
        (true, _) | (_, true) => Some(2),
        _ => None,
    }
}

fn is_extent_unit(words: &[String]) -> bool {
    any(words, "age length hours minutes remaining elapsed since")
}

/// Whether a name is that of a time in the life of an item or a user, as when it was uploaded.
pub(crate) fn is_birth(name: &str) -> bool {
    const BIRTHS: &str = "\
        publish published upload uploaded created create release released register registered signup";
    any(&words(name), BIRTHS) || contains(name, "发布 上传 注册")
}

/// Whom a name says that a value describes; `true` of both a user and an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Described {
    User,
    Item,
    Both,
    Moment,
}

/// Whom a column describes, by its name.
pub(crate) fn described(name: &str) -> Option<Described> {
    let words = words(name);
    let first = words.first().map(String::as_str).unwrap_or_default();
    let rest = words.get(1..).unwrap_or_default();
    let long = |nouns: &Nouns| rest.iter().any(|word| word.len() > 1 && has(nouns.0, word));
    let user = has(USER.0, first) && words.len() > 1 || contains(name, USER.1);
    let item = has(ITEM.0, first) && words.len() > 1 || contains(name, ITEM.1);
    if (user && long(&ITEM)) || (item && long(&USER)) || (user && item) {
        return Some(Described::Both);
    }
    if user && !item && is_of_a_users_moment(name) {
        return Some(Described::Moment);
    }
    if user || item {
        return Some(if user { Described::User } else { Described::Item });
    }
    let moment = "\
        hour hourmin weekday dow device os browser network platform session page request ip referrer \
        referer app context ctx query search srch tab surface";
    let moment = any(&words, moment) && !is_amount(name) || contains(name, "设备 小时 星期 网络 搜索 页面");
    moment.then_some(Described::Moment)
}

/// Whether a name that begins with the user is that of what changes from visit to visit: `user.device`, `user_hour`.
pub(crate) fn is_of_a_users_moment(name: &str) -> bool {
    let words = words(name);
    let user = words.first().is_some_and(|first| has(USER.0, first)) || contains(name, USER.1);
    let moment = "\
        hour hourmin minute weekday dow device os browser network connection platform ip referrer referer useragent";
    let moment = any(&words, moment) || contains(name, "设备 小时 星期 网络");
    let lasting = is_amount(name)
        || is_birth(name)
        || is_history(name)
        || any(&words, "favorite favourite usual main preferred home last first");
    user && moment && !lasting
}

/// Whether a name that is no key's may be that of an item's id: `product_ref`, `catalog.sku`.
pub(crate) fn is_nearly_item(name: &str) -> bool {
    let words = words(name);
    let other = "\
        category cat cate brand class type genre region city country channel topic group cluster tag tags seller author \
        owner shop store language color currency status";
    let told = words.iter().any(|word| word.len() > 1 && has(ITEM.0, word)) || contains(name, ITEM.1);
    let is_id = any(&words, ITEM.2)
        || any(
            &words,
            "id ids ref reference slug handle number name title url link key",
        );
    let described =
        any(&words, USER.0) || is_amount(name) || is_extent(name) || is_history(name) || is_birth(name);
    (told && is_id || words.last().is_some_and(|word| has(ITEM.2, word))) && !described && !any(&words, other)
}

/// Whether a name is that of something that people have.
pub(crate) fn is_personal(name: &str) -> bool {
    let list = "age gender sex education income marital occupation race citizenship household religion";
    any(&words(name), list) || contains(name, "性别 年龄 职业 学历")
}

/// Whether a name is that of a list of what a person did before.
pub(crate) fn is_history(name: &str) -> bool {
    any(
        &words(name),
        "hist history historical clicked watched viewed recent past previous seq sequence",
    ) || name.contains("历史")
}

/// The letters before the number that a name ends with, as of `f12` and `affinity_7`.
pub(crate) fn family(name: &str) -> Option<&str> {
    let stem = name.trim_end_matches(|character: char| character.is_ascii_digit());
    (stem.len() < name.len()).then_some(stem)
}

/// `text` as a name of a declaration: letters, digits and `_`, no digit first.
pub(crate) fn declared(text: &str) -> String {
    let mut name = String::new();
    for character in text.trim().chars() {
        if character.is_alphanumeric() || character == '_' {
            name.push(character);
        } else if !name.ends_with('_') {
            name.push('_');
        }
    }
    let trimmed = name.trim_end_matches('_');
    let name = if trimmed.is_empty() { "column" } else { trimmed };
    match name.chars().next() {
        Some(first) if first.is_alphabetic() || first == '_' => name.to_owned(),
        _ => format!("_{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_from_attributes_by_their_names() {
        for name in [
            "user_id",
            "userId",
            "UID",
            "visitorid",
            "consumer_idx",
            "event.user.id",
            "account.uid",
            "用户ID",
            "会员编号",
        ] {
            assert!(key(name, &USER).is_some(), "{name}");
        }
        for name in [
            "user_age",
            "user_active_degree",
            "u",
            "user_feature_0",
            "用户年龄",
        ] {
            assert!(key(name, &USER).is_none(), "{name}");
        }
        for name in [
            "sku",
            "item_sku",
            "product.sku",
            "product.id",
            "shown.product.asin",
        ] {
            assert!(key(name, &ITEM).is_some(), "{name}");
        }
        assert!(key("last_sku", &ITEM).is_none() && key("product.brand", &ITEM).is_none());
        assert!(key("视频id", &ITEM).is_some() && key("item_category", &ITEM).is_none());
        assert!(
            key("query_id", &SLATE).is_some()
                && key("srch_id", &SLATE).is_some()
                && key("query_text", &SLATE).is_none()
        );
    }

    #[test]
    fn what_is_known_only_afterwards_is_told_from_statistics_of_the_past() {
        for name in [
            "play_time_ms",
            "stay_time",
            "comment_stay_time",
            "Y3_search_order",
            "revenue",
            "click_time",
            "watch_ratio",
            "观看时长",
        ] {
            assert!(is_aftermath(name), "{name}");
        }
        for name in [
            "avg_watch_time",
            "user_click_rate",
            "duration_ms",
            "like_count",
            "order_type",
            "position",
            "order_value_last_30d",
            "视频时长",
        ] {
            assert!(!is_aftermath(name), "{name}");
        }
    }

    #[test]
    fn labels_have_meanings() {
        for (name, meaning) in [
            ("is_click", Some(Meaning::Engaged)),
            ("long_view", Some(Meaning::Engaged)),
            ("Y2_buy", Some(Meaning::Satisfied)),
            ("isLike", Some(Meaning::Satisfied)),
            ("is_hate", Some(Meaning::Negative)),
            ("label", Some(Meaning::Plain)),
            ("is_profile_enter", Some(Meaning::Satisfied)),
            ("点击", Some(Meaning::Engaged)),
            ("是否点赞", Some(Meaning::Satisfied)),
            ("is_weekend", None),
            ("click_count", None),
            ("点击数", None),
            ("is_odd", Some(Meaning::Weak)),
        ] {
            assert_eq!(label(name), meaning, "{name}");
        }
    }

    #[test]
    fn names_become_names_of_a_declaration() {
        for (name, expected) in [
            ("user.id", "user_id"),
            ("user-item affinity", "user_item_affinity"),
            ("3d", "_3d"),
            ("观看时长", "观看时长"),
            ("price ($)", "price"),
            ("??", "column"),
        ] {
            assert_eq!(declared(name), expected);
        }
    }
}
