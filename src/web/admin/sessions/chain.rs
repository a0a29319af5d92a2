//! The chain of rotations as a picture: one row per token, with a bar on a common time axis. Of a long chain only the first
//! and the last tokens are shown.

use chrono_tz::Tz;

use crate::db::latchkey_session::Session;
use crate::db::latchkey_token::chain::SessionToken;
use crate::db::types::{Instant, TokenId};
use crate::web::admin::status::{self, Badge, Status, badge};
use crate::web::words::{Jti, Reader, amount};

/// How many tokens are shown at the beginning and at the end of a long chain.
const FIRST: usize = 5;
const LAST: usize = 40;

/// The width of the view box; the browser stretches it.
const WIDTH: f64 = 1000.0;
/// The width of the mark where a token came back.
const MARK: f64 = 26.0;
/// The width below which a bar could not be seen.
const MIN_WIDTH: f64 = 2.0;

/// The places of the tokens that are shown; `also` is one of them.
pub fn shown(ids: &[TokenId], also: Option<TokenId>) -> Vec<usize> {
    if ids.len() <= FIRST + LAST {
        return (0..ids.len()).collect();
    }
    let also = also.and_then(|id| ids.binary_search(&id).ok());
    let is_shown = |at: &usize| *at < FIRST || *at >= ids.len() - LAST || Some(*at) == also;
    (0..ids.len()).filter(is_shown).collect()
}

/// A line of the picture.
pub enum Row {
    /// A token.
    Token(Box<Token>),
    /// Rotations that are left out, in words.
    Gap(String),
}

/// A token of the chain.
pub struct Token {
    /// Its place in the chain.
    pub number: usize,
    /// Its page.
    pub id: i64,
    /// Its jti.
    pub jti: Jti,
    /// Its bar.
    pub bar: Bar,
    /// How long it was usable.
    pub usable: String,
    /// How it ended.
    pub badge: Badge,
    /// The address that it was issued to.
    pub ip: Option<String>,
}

/// A bar, in the units of the view box.
pub struct Bar {
    /// The text for screen readers.
    pub words: String,
    /// Whether it was rotated.
    pub is_past: bool,
    /// Start and width of the time in which it was usable.
    pub usable: (String, String),
    /// Start and width of the time in which it must not come back.
    pub tail: Option<(String, String)>,
    /// The mark where it came back.
    pub reused: Option<String>,
}

/// The common axis.
#[derive(Debug, Clone, Copy)]
pub struct Axis {
    from: Instant,
    /// When the session ended, or now.
    end: Instant,
    /// The end of the picture.
    to: Instant,
    zone: Tz,
}

impl Axis {
    /// Spans a session, with room for the mark where a token came back.
    pub fn new(session: &Session, ends_at: Instant, reader: Reader) -> Self {
        let from = session.created_at;
        let end = session.ended_at.unwrap_or(ends_at.min(reader.now)).max(from);
        let span = (end.datetime() - from.datetime()).to_std().unwrap_or_default();
        let to = end + (span / 25).max(std::time::Duration::from_secs(1));
        Self { from, end, to, zone: reader.zone }
    }

    fn at(&self, at: Instant) -> f64 {
        let share = seconds(self.from, at) / seconds(self.from, self.to);
        (share * WIDTH).clamp(0.0, WIDTH)
    }

    fn stretch(&self, from: Instant, to: Instant) -> (String, String) {
        let (from, to) = (self.at(from), self.at(to));
        (format!("{from:.1}"), format!("{:.1}", (to - from).max(MIN_WIDTH)))
    }

    /// A time as short as the length of the axis allows.
    fn label(&self, at: Instant) -> String {
        let format = match seconds(self.from, self.to) / 3600.0 {
            ..36.0 => "%H:%M",
            ..720.0 => "%-d %b %H:%M",
            _ => "%-d %b %Y",
        };
        at.datetime().with_timezone(&self.zone).format(format).to_string()
    }

    /// The labels below: four times, evenly spaced.
    pub fn ticks(&self) -> [String; 4] {
        let third = (self.to.datetime() - self.from.datetime()).to_std().unwrap_or_default() / 3;
        [0, 1, 2, 3].map(|at| self.label(self.from + third * at))
    }
}

fn seconds(from: Instant, to: Instant) -> f64 {
    (to.datetime() - from.datetime()).as_seconds_f64()
}

/// A chain of tokens, of which some are shown.
pub struct Chain<'a> {
    /// The common time axis.
    pub axis: Axis,
    /// The places of the shown tokens in the chain.
    pub places: &'a [usize],
    /// How many tokens there are.
    pub length: usize,
    /// The jti of the token that came back, and when.
    pub reused: Option<(&'a str, Instant)>,
    /// The time.
    pub now: Instant,
}

impl Chain<'_> {
    /// The rows of the picture; `links` are the shown tokens in their order.
    pub fn rows(&self, links: Vec<SessionToken>) -> Vec<Row> {
        let mut rows = Vec::new();
        let mut next = 0;
        for (link, place) in links.into_iter().zip(self.places) {
            rows.extend(gap(next, *place));
            next = place + 1;
            rows.push(Row::Token(Box::new(self.token(link, place + 1))));
        }
        rows.extend(gap(next, self.length));
        rows
    }

    fn token(&self, link: SessionToken, number: usize) -> Token {
        let (axis, now) = (self.axis, self.now);
        let came_back = self.reused.filter(|(jti, _)| *jti == link.jti).map(|(_, at)| at);
        let status = Status::of(link.rotated_at, link.blacklisted_at, link.expires_at, now);
        let from = link.created_at.unwrap_or(axis.from);
        let until = link.rotated_at.or(link.blacklisted_at).unwrap_or(link.expires_at).min(axis.end).max(from);
        let refused = link.expires_at.min(axis.end);
        let badge = match status {
            _ if came_back.is_some() => badge("blacklisted", "alert", "Reused"),
            Status::Blacklisted => status::reason(link.blacklist_reason.as_deref()),
            other => other.badge(),
        };
        let again = came_back.map(|at| format!(", presented again at {}", axis.label(at))).unwrap_or_default();
        Token {
            number,
            id: link.id.0,
            jti: Jti(link.jti),
            usable: length(until.timestamp() - from.timestamp()),
            badge,
            ip: link.ip,
            bar: Bar {
                words: format!("From {} to {}{again}", axis.label(from), axis.label(until)),
                is_past: status == Status::Rotated,
                usable: axis.stretch(from, until),
                tail: (status == Status::Rotated && refused > until).then(|| axis.stretch(until, refused)),
                reused: came_back.map(|at| {
                    let x = axis.at(at).min(WIDTH - MARK);
                    format!("M{x:.1} -1l{MARK} 9-{MARK} 9-{MARK}-9z")
                }),
            },
        }
    }
}

fn gap(from: usize, to: usize) -> Option<Row> {
    let count = i64::try_from(to.saturating_sub(from)).unwrap_or(i64::MAX);
    (count > 0).then(|| Row::Gap(amount(count, "rotation")))
}

/// A length of time in two units: `1 h 03 min`.
fn length(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86_400 => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3600 % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Instant {
        Instant::from_timestamp(seconds).unwrap()
    }

    fn session(ended: Option<i64>) -> Session {
        Session {
            id: "a".to_owned(),
            user_id: crate::db::types::UserId::Integer(1),
            created_at: at(0),
            last_refreshed_at: None,
            expires_at: at(90_000),
            ended_at: ended.map(at),
            end_reason: None,
            ended_by: None,
            ip: None,
            user_agent: String::new(),
            label: String::new(),
        }
    }

    fn link(id: i64, from: i64, rotated: Option<i64>) -> SessionToken {
        SessionToken {
            id: TokenId(id),
            jti: format!("jti-{id}"),
            created_at: Some(at(from)),
            expires_at: at(90_000),
            blacklisted_at: rotated.map(at),
            rotated_at: rotated.map(at),
            blacklist_reason: None,
            ip: None,
        }
    }

    #[test]
    fn a_bar_lies_where_its_token_was_usable() {
        let axis = Axis::new(&session(Some(10_000)), at(90_000), Reader::in_utc(at(20_000)));
        let links = vec![link(1, 0, Some(5000)), link(2, 5000, None)];
        let reused = Some(("jti-1", at(10_000)));
        let rows = Chain { axis, places: &[0, 1], length: 2, reused, now: at(20_000) }.rows(links);
        let [Row::Token(first), Row::Token(second)] = &rows[..] else { panic!("two tokens") };
        assert_eq!((&*first.bar.usable.0, &*first.bar.usable.1), ("0.0", "480.8"));
        assert_eq!(first.bar.tail, Some(("480.8".to_owned(), "480.8".to_owned())));
        assert_eq!(first.bar.reused.as_deref(), Some("M961.5 -1l26 9-26 9-26-9z"));
        assert_eq!(first.bar.words, "From 00:00 to 01:23, presented again at 02:46");
        assert_eq!((first.badge.word, first.usable.as_str()), ("Reused", "1 h 23 min"));
        assert_eq!((&*second.bar.usable.0, &*second.bar.usable.1), ("480.8", "480.8"));
        assert!(!second.bar.is_past && second.bar.tail.is_none());
    }

    #[test]
    fn a_long_chain_shows_its_beginning_its_end_and_what_came_back() {
        let ids: Vec<_> = (0..10_000).map(|id| TokenId(id * 3)).collect();
        let places = shown(&ids, Some(TokenId(300)));
        assert_eq!(places.len(), FIRST + LAST + 1);
        assert_eq!(places[FIRST], 100);
        let axis = Axis::new(&session(None), at(90_000), Reader::in_utc(at(50_000)));
        let links = places.iter().map(|place| link(ids[*place].0, 1, Some(2))).collect();
        let chain = Chain { axis, places: &places, length: ids.len(), reused: None, now: at(9) };
        let gaps: Vec<_> = chain
            .rows(links)
            .into_iter()
            .filter_map(|row| if let Row::Gap(words) = row { Some(words) } else { None })
            .collect();
        assert_eq!(gaps, ["95 rotations", "9,859 rotations"]);
        assert_eq!(shown(&ids[..45], None).len(), 45);
    }

    #[test]
    fn a_session_that_has_just_begun_has_an_axis_too() {
        let axis = Axis::new(&session(None), at(90_000), Reader::in_utc(at(0)));
        assert_eq!(axis.ticks(), ["00:00", "00:00", "00:00", "00:00"]);
        assert_eq!(axis.stretch(at(0), at(0)), ("0.0".to_owned(), "2.0".to_owned()));
        assert_eq!(
            [length(59), length(3599), length(3780), length(90_000)],
            ["59 s", "59 min", "1 h 03 min", "1 d 1 h"]
        );
    }
}
