//! What names say of meaning: what is known only afterwards, what can be a label, what is an amount and what a code.

use super::{any, contains, has, words};

/// Whether a name is that of a length, an age or another extent, which is not 0 where it is known.
pub(crate) fn is_extent(name: &str) -> bool {
    let list = "duration length age height width size price runtime distance year weight len";
    any(&words(name), list) || contains(name, "时长 年龄 价格 长度 距离")
}

/// Whether a name is that of how long what is watched lasts.
pub(crate) fn is_duration(name: &str) -> bool {
    let words = words(name);
    let lasts = any(&words, "duration length runtime len") || contains(name, "时长 总长");
    lasts && !is_aftermath(name) && !any(&words, "list title text session query")
}

/// Whether a name is that of how long was watched or stayed.
pub(crate) fn is_watch_time(name: &str) -> bool {
    let words = words(name);
    let watched = any(
        &words,
        "play played watch watched view viewed viewing listen listened dwell stay read reading",
    );
    let extent = any(&words, "time duration ms sec secs seconds s length");
    let english = watched && extent && !is_statistic(&words) && !any(&words, "comment profile at start end");
    english || contains(name, "播放时长 观看时长 停留时长 观看时间 播放时间")
}

/// Whether a name says that its value is known only after the impression.
pub(crate) fn is_aftermath(name: &str) -> bool {
    let words = words(name);
    if is_statistic(&words) {
        return false;
    }
    if is_watch_time(name) || is_outcome(&words) || contains(name, "停留 完播 收入 成交 播放进度")
    {
        return true;
    }
    let always = "dwell stay revenue gmv payout refund outcome after afterwards watched completion bounce";
    let act = |word: &String| {
        [CLICKS, SATISFIED, NEGATIVE, "play watch view"]
            .iter()
            .any(|list| has(list, word))
    };
    let what = "time ts order at timestamp duration ratio progress percent pct fraction";
    // Of two words: `order` is both an act and what may be told of one.
    let told = words.iter().enumerate().any(|(at, word)| {
        has(what, word)
            && words
                .iter()
                .enumerate()
                .any(|(other, word)| other != at && act(word))
    });
    any(&words, always) || told
}

/// Names like `y`, `Y3_search_order`: an outcome.
fn is_outcome(words: &[String]) -> bool {
    words.first().is_some_and(|word| {
        word.strip_prefix('y')
            .is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
    })
}

/// A statistic of the past, known before.
fn is_statistic(words: &[String]) -> bool {
    let list = "\
        avg mean average hist history historical past prev previous last total 7d 30d 1d 14d 90d \
        count cnt num rate ctr cvr prior range std median affinity";
    any(words, list)
}

/// Whether a name makes a column that predicts well suspect.
pub(crate) fn is_suspicious(name: &str) -> bool {
    let words = words(name);
    is_aftermath(name)
        || any(
            &words,
            "time ts order result feedback label target response reward next final",
        )
        || (any(&words, CLICKS) || any(&words, SATISFIED) || any(&words, NEGATIVE)) && !is_statistic(&words)
}

/// Whether a name is that of the column that says which slates were shuffled.
pub(crate) fn is_shuffled(name: &str) -> bool {
    name == "shuffled"
}

/// Whether a name is that of the probability with which an item was shown.
pub(crate) fn is_propensity(name: &str) -> bool {
    let words = words(name);
    any(&words, "propensity propensities pscore")
        || (any(&words, "action logging behavior behaviour") && any(&words, "prob probability"))
        || name.contains("倾向")
}

/// What a label tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// Clicks, views.
    Engaged,
    /// Likes, purchases, ratings.
    Satisfied,
    /// Hides, dislikes.
    Negative,
    /// `label`, `y`: the file does not say.
    Plain,
    /// `is_...`: may be a label.
    Weak,
}

const CLICKS: &str = "\
    click clicked clicks clk view viewed played opened open tap tapped engaged attributed visited \
    search searched completed finished finish";
const SATISFIED: &str = "\
    like liked likes follow followed comment commented share shared forward forwarded buy bought \
    purchase purchased order ordered conversion converted convert cvr cv install installed subscribe \
    subscribed save saved favorite favourite cart booking booked bool enter applied download \
    downloaded collect retweet reply upvote thumbsup";
const NEGATIVE: &str = "\
    dislike disliked hate hated hide hidden report reported skip skipped dismiss dismissed block \
    blocked unfollow downvote negative spam";
const PLAIN: &str = "label labels target y reward response";
/// Words that make `is_...` an attribute.
const ATTRIBUTES: &str = "\
    weekend holiday new vip mobile premium live author male female member adult night ad promo \
    promoted sponsored original random rand active lowactive streamer paid free hd brand weekday \
    workday returning registered verified bot";

/// What a two-valued column tells by its name, where it is a label.
pub(crate) fn label(name: &str) -> Option<Meaning> {
    let words = words(name);
    if is_statistic(&words) || is_propensity(name) {
        return None;
    }
    let chinese = |list: &str| contains(name, list) && !contains(name, "数 率 时长 时间 历史");
    if any(&words, NEGATIVE) || chinese("不喜欢 举报 屏蔽 跳过 踩") {
        return Some(Meaning::Negative);
    }
    if any(&words, SATISFIED) || chinese("喜欢 点赞 关注 评论 转发 分享 收藏 购买 下单 转化 加购 成交")
    {
        return Some(Meaning::Satisfied);
    }
    if any(&words, CLICKS) || chinese("点击 完播 长播 有效播放 观看") {
        return Some(Meaning::Engaged);
    }
    if any(&words, PLAIN) || is_outcome(&words) || chinese("标签 目标") {
        return Some(Meaning::Plain);
    }
    let weak = words.first().is_some_and(|word| word == "is" || word == "has") || name.starts_with("是否");
    (weak && !any(&words, ATTRIBUTES)).then_some(Meaning::Weak)
}

/// Whether a name as a whole is that of what is to be predicted.
pub(crate) fn is_target(name: &str) -> bool {
    words(name).last().is_some_and(|word| has(PLAIN, word)) || ["标签", "目标"].contains(&name)
}

/// Whether a name is often that of what is to be predicted of people, as in a census.
pub(crate) fn is_outcome_of_people(name: &str) -> bool {
    let words = words(name);
    any(&words, "income outcome churn churned default defaulted")
        || matches!(words.as_slice(), [word] if has("class result response", word))
}

/// Whether a name is that of an attribute, of which yes and no are no feedback.
pub(crate) fn is_attribute(name: &str) -> bool {
    any(&words(name), ATTRIBUTES)
}

/// Whether a name is that of a grade: relevance, a rating.
pub(crate) fn is_grade(name: &str) -> bool {
    const NOUNS: &str = "label relevance rel grade rating ratings stars target y reward judgment judgement";
    let words = words(name);
    let grade = match words.as_slice() {
        [word] => has(NOUNS, word),
        [first, word] => {
            has(
                "user relevance editorial outcome feedback response label labels",
                first,
            ) && has(NOUNS, word)
        }
        _ => false,
    };
    grade || has("评分 相关性 打分", name)
}

/// Whether a name hints at ids among whole numbers.
pub(crate) fn is_code(name: &str) -> bool {
    let list = "\
        id ids code idx index type hash category cat cate class tag tags region city country zip \
        zipcode brand channel device os gender sex hour hourmin weekday dow month kind group cluster \
        flag onehot status topic genre carrier browser platform state";
    let words = words(name);
    words
        .iter()
        .any(|word| has(list, word) || word.starts_with("onehot"))
        || contains(
            name,
            "编号 类型 类目 分类 标签 城市 地区 性别 设备 品牌 频道 小时",
        )
}

/// Whether a name hints at an amount, a number whose order means something.
pub(crate) fn is_amount(name: &str) -> bool {
    let list = "\
        count cnt num number age price amount score days length level year total rate ratio avg mean \
        size weeks hours minutes star stars rating depth ctr duration views likes sum max min \
        position rank starrating per wage salary";
    any(&words(name), list) || contains(name, "数量 数 价格 年龄 时长 评分 率 等级")
}
