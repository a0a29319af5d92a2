//! Slowing down whoever guesses, so that the owner is not kept out: tries are counted for each address, for each account
//! at an address, and for each account, and too many have to wait longer and longer; nothing is ever locked. An address
//! that the account was used from lately is not held back by what strangers do. A try is counted before the password is
//! looked at, so that a thousand at once are a thousand; a right one is taken back.
//!
//! The counts are rows of `latchkey_throttle`, so instances share them and a restart forgets nothing. What a row is about
//! is hashed into one of 4 million buckets for each rule: an attack cannot fill the disk.

use std::time::Duration;

use crate::app::{App, Tx};
use crate::crypto::keyed;
use crate::db::DbError;
use crate::db::latchkey_throttle::{self, Row};
use crate::db::types::{Instant, UserId};

/// How tries of one kind are slowed down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Part of the bucket: rules do not share counts.
    number: u8,
    /// So many tries are free.
    pub free: i32,
    /// How long the next one waits; each further one twice as long as the one before.
    pub first: Duration,
    /// But never longer than this.
    pub longest: Duration,
    /// One try is forgotten in this time.
    pub forget: Duration,
}

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

/// Wrong passwords and codes from one address, whomever they name.
pub const ADDRESS: Rule = Rule {
    number: 1,
    free: 30,
    first: Duration::from_secs(10),
    longest: Duration::from_secs(10),
    forget: Duration::from_secs(10),
};
/// Wrong passwords for one account from one address.
pub const ACCOUNT_AT_ADDRESS: Rule =
    Rule { number: 2, free: 5, first: SECOND, longest: Duration::from_mins(15), forget: HOUR };
/// Wrong passwords for one account, from anywhere but the addresses that it is used from.
pub const ACCOUNT: Rule = Rule { number: 3, free: 20, first: SECOND, longest: Duration::from_mins(15), forget: HOUR };
/// Mail that one address asks for.
pub const MAIL_ASKED: Rule = Rule { number: 4, free: 10, first: MINUTE, longest: MINUTE, forget: MINUTE };
/// Mail that is sent to one recipient because somebody asked for it.
pub const MAIL_SENT: Rule = Rule { number: 5, free: 3, first: Duration::from_mins(5), longest: HOUR, forget: HOUR };

/// Mail to one user about new devices.
pub const DEVICES_TOLD: Rule = Rule { number: 7, free: 5, first: HOUR, longest: HOUR, forget: HOUR };

/// Codes that are mailed to one user; those that are asked for where the account is used count apart.
pub const CODES_SENT: Rule =
    Rule { number: 6, free: 5, first: MINUTE, longest: Duration::from_mins(15), forget: Duration::from_mins(10) };

/// Wrong second factors of one user from one address. These rules are about users, those above about names that somebody
/// typed: what one types as a name must not keep anybody from giving a factor.
pub const FACTOR_AT_ADDRESS: Rule = Rule { number: 8, ..ACCOUNT_AT_ADDRESS };
/// Wrong second factors of one user, from anywhere but the addresses that the account is used from.
pub const FACTOR: Rule = Rule { number: 9, ..ACCOUNT };

const RULES: [Rule; 9] =
    [ADDRESS, ACCOUNT_AT_ADDRESS, ACCOUNT, MAIL_ASKED, MAIL_SENT, CODES_SENT, DEVICES_TOLD, FACTOR_AT_ADDRESS, FACTOR];

/// Buckets of a rule.
const BUCKETS: u32 = 1 << 22;

/// A rule, and what it is about this time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key(i64);

/// Tries that were counted; `forgive` takes them back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use = "a try that was right has to be taken back"]
pub struct Counted(Vec<Key>);

/// How long to wait before the next try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait(pub Duration);

impl Wait {
    /// In whole seconds, rounded up: the next try at that time is allowed.
    pub fn seconds(self) -> u64 {
        self.0.as_secs() + u64::from(self.0.subsec_nanos() > 0)
    }
}

impl Rule {
    fn of(key: Key) -> Option<Self> {
        RULES.into_iter().find(|rule| i64::from(rule.number) == key.0 >> 32)
    }

    /// The wait after so many tries.
    fn wait(self, tries: i32) -> Duration {
        let doublings = tries - self.free;
        if doublings < 0 {
            return Duration::ZERO;
        }
        self.first.saturating_mul(1 << doublings.min(20)).min(self.longest)
    }

    /// Where the wait does not grow any more, tries are not counted on: what is over is forgotten in a bearable time.
    fn most(self) -> i32 {
        let doublings =
            self.longest.as_secs().checked_div(self.first.as_secs()).unwrap_or(1).next_power_of_two().ilog2();
        self.free + i32::try_from(doublings).unwrap_or(0) + 1
    }

    /// Tries that are not forgotten yet, and since when the next one is being forgotten.
    fn remembered(self, row: &Row, now: Instant) -> (i32, Instant) {
        let elapsed = now.datetime().signed_duration_since(row.last_at.datetime()).num_milliseconds().max(0);
        let period = i64::try_from(self.forget.as_millis()).unwrap_or(i64::MAX).max(1);
        let forgotten = i32::try_from(elapsed / period).unwrap_or(i32::MAX);
        if forgotten >= row.failures {
            return (0, now);
        }
        // What was served of the next period counts: who tries often is forgiven as fast as who does not.
        let served = self.forget.saturating_mul(u32::try_from(forgotten).unwrap_or(0));
        (row.failures - forgotten, row.last_at + served)
    }
}

impl Key {
    /// The bucket of `subject` under a rule. Which one it is nobody can work out without `SECRET_KEY`, so nobody can aim
    /// at somebody else's.
    pub fn new(app: &App, rule: Rule, subject: &[&str]) -> Self {
        let rule_number = rule.number.to_string();
        let parts: Vec<_> = [rule_number.as_str()].iter().chain(subject).copied().collect();
        let [a, b, c, d, ..] = keyed::mac(&app.config.secret_key, "latchkey throttle", &parts).bytes();
        Self(i64::from(rule.number) << 32 | i64::from(u32::from_be_bytes([a, b, c, d]) % BUCKETS))
    }
}

/// Counts a try under each of the keys, or says how long it has to wait; then nothing is counted. One transaction's work.
pub fn count(tx: &mut Tx<'_>, keys: &[Key]) -> Result<Result<Counted, Wait>, DbError> {
    let mut keys = keys.to_vec();
    keys.sort_unstable();
    keys.dedup();
    let buckets: Vec<_> = keys.iter().map(|key| key.0).collect();
    if buckets.is_empty() {
        return Ok(Ok(Counted::default()));
    }
    let rows = latchkey_throttle::lock(tx.conn, &buckets, tx.now)?;
    if let Some(free_at) = rows.iter().map(|row| row.free_at).max().filter(|free_at| *free_at > tx.now) {
        let wait = free_at.datetime().signed_duration_since(tx.now.datetime()).to_std().unwrap_or_default();
        return Ok(Err(Wait(wait)));
    }
    let counted: Vec<_> = rows.iter().filter_map(|row| another(row, tx.now)).collect();
    latchkey_throttle::upsert(tx.conn, &counted)?;
    Ok(Ok(Counted(keys)))
}

/// A bucket after one more try.
fn another(row: &Row, now: Instant) -> Option<Row> {
    let rule = Rule::of(Key(row.bucket))?;
    let (remembered, last_at) = rule.remembered(row, now);
    let failures = (remembered + 1).min(rule.most());
    Some(Row { failures, last_at, free_at: now + rule.wait(failures), ..*row })
}

/// What a login counts under. Who comes from where the account was used from lately only waits for what was tried there:
/// strangers cannot keep them out, and neither can somebody behind the same address who names other accounts.
pub fn login_keys(app: &App, network: &str, login: &str, is_known: bool) -> Vec<Key> {
    let at_address = Key::new(app, ACCOUNT_AT_ADDRESS, &[login, network]);
    if is_known {
        return vec![at_address];
    }
    vec![at_address, Key::new(app, ADDRESS, &[network]), Key::new(app, ACCOUNT, &[login])]
}

/// What a second factor counts under, in the same way. Who has the password gets no more tries by more challenges.
pub fn factor_keys(app: &App, network: &str, user: UserId, is_known: bool) -> Vec<Key> {
    let user = user.to_string();
    let at_address = Key::new(app, FACTOR_AT_ADDRESS, &[&user, network]);
    if is_known {
        return vec![at_address];
    }
    vec![at_address, Key::new(app, ADDRESS, &[network]), Key::new(app, FACTOR, &[&user])]
}

/// `forgive` in a transaction of its own.
pub async fn take_back(app: &App, counted: Counted, was_right: bool) -> Result<(), DbError> {
    if counted.0.is_empty() {
        return Ok(());
    }
    app.write(move |tx| forgive(tx, &counted, was_right)).await
}

/// Takes tries back: they were right, or never made. Who was right also starts anew at this address.
pub fn forgive(tx: &mut Tx<'_>, counted: &Counted, was_right: bool) -> Result<(), DbError> {
    let buckets: Vec<_> = counted.0.iter().map(|key| key.0).collect();
    if buckets.is_empty() {
        return Ok(());
    }
    let rows = latchkey_throttle::lock(tx.conn, &buckets, tx.now)?;
    let forgiven: Vec<_> = rows.iter().filter_map(|row| without(row, tx.now, was_right)).collect();
    latchkey_throttle::upsert(tx.conn, &forgiven)
}

fn without(row: &Row, now: Instant, was_right: bool) -> Option<Row> {
    let rule = Rule::of(Key(row.bucket))?;
    if was_right && [ACCOUNT_AT_ADDRESS, FACTOR_AT_ADDRESS].contains(&rule) {
        return Some(Row { failures: 0, last_at: now, free_at: now, ..*row });
    }
    let failures = (row.failures - 1).max(0);
    Some(Row { failures, free_at: row.free_at.min(now + rule.wait(failures)), ..*row })
}

/// The longest that anything is remembered: older rows can be deleted.
pub fn remembered_for() -> Duration {
    let longest =
        RULES.into_iter().map(|rule| rule.forget.saturating_mul(u32::try_from(rule.most()).unwrap_or(u32::MAX)));
    longest.max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Instant {
        Instant::from_timestamp(1_772_366_400 + seconds).unwrap()
    }

    fn fresh(rule: Rule) -> Row {
        Row { bucket: i64::from(rule.number) << 32, failures: 0, last_at: at(0), free_at: at(0) }
    }

    fn seconds(row: Row) -> i64 {
        row.free_at.timestamp() - row.last_at.timestamp()
    }

    #[test]
    fn waits_double_up_to_the_longest() {
        let mut row = fresh(ACCOUNT_AT_ADDRESS);
        let waits: Vec<_> = (0..20)
            .map(|_| {
                row = another(&row, at(0)).unwrap();
                seconds(row)
            })
            .collect();
        assert_eq!(waits, [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900, 900, 900, 900]);
    }

    #[test]
    fn tries_are_forgotten_one_by_one() {
        let row = Row { failures: 7, ..fresh(ACCOUNT_AT_ADDRESS) };
        assert_eq!(another(&row, at(3599)).unwrap().failures, 8);
        assert_eq!(another(&row, at(3600)).unwrap().failures, 7);
        assert_eq!(another(&row, at(86_400)).unwrap().failures, 1);
        assert_eq!(another(&row, at(-60)).unwrap().failures, 8, "the clock went back");
    }

    #[test]
    fn who_tries_often_is_forgiven_as_fast() {
        let mut row = Row { failures: 20, ..fresh(ADDRESS) };
        for step in 1..=20 {
            row = another(&row, at(9 * step)).unwrap();
        }
        // 20 more tries in 180 seconds, in which 18 are forgotten.
        assert_eq!(row.failures, 22);
    }

    #[test]
    fn counts_end_where_the_wait_does_not_grow() {
        for rule in RULES {
            let mut row = fresh(rule);
            for _ in 0..100_000 {
                row = another(&row, at(0)).unwrap();
            }
            assert!(row.failures <= rule.free + 15, "{rule:?}: {}", row.failures);
        }
        assert!(remembered_for() < Duration::from_hours(48));
    }

    #[test]
    fn a_right_try_takes_back_itself_and_at_its_address_all_others() {
        let row = Row { failures: 25, free_at: at(16), ..fresh(ACCOUNT) };
        let right = without(&row, at(1), true).unwrap();
        assert_eq!((right.failures, seconds(right)), (24, 16));
        let row = Row { failures: 9, free_at: at(16), ..fresh(ACCOUNT_AT_ADDRESS) };
        assert_eq!(
            without(&row, at(1), true).unwrap(),
            Row { last_at: at(1), free_at: at(1), ..fresh(ACCOUNT_AT_ADDRESS) }
        );
        assert_eq!(without(&row, at(1), false).unwrap().failures, 8);
    }
}
