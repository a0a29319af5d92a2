//! Slows down guessing without keeping the owner out: attempts are counted per address, per account at an address, and
//! per account. Too many have to wait longer and longer; nothing is ever locked. An address that the account was
//! recently used from is not affected by attempts from elsewhere. An attempt is counted before the password is checked,
//! so that a thousand in parallel are a thousand; a correct one is taken back.
//!
//! The counts are rows of `latchkey_throttle`, so instances share them and they survive a restart. The subject of a row
//! is hashed into one of 4 million buckets per rule, so an attack cannot fill the disk.

use std::time::Duration;

use crate::app::{App, Tx};
use crate::crypto::keyed;
use crate::db::DbError;
use crate::db::latchkey_throttle::{self, Row};
use crate::db::types::{Instant, UserId};

/// How attempts of one kind are slowed down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Part of the bucket: rules do not share counts.
    number: u8,
    /// How many attempts are free.
    pub free: i32,
    /// How long the next one has to wait; each further one waits twice as long as the one before.
    pub first: Duration,
    /// The longest wait.
    pub longest: Duration,
    /// One attempt is forgotten in this time.
    pub forget: Duration,
}

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

/// Wrong passwords and codes from one address, for any account.
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
/// Mail requested from one address.
pub const MAIL_ASKED: Rule = Rule { number: 4, free: 10, first: MINUTE, longest: MINUTE, forget: MINUTE };
/// Mail sent to one recipient because somebody requested it.
pub const MAIL_SENT: Rule = Rule { number: 5, free: 3, first: Duration::from_mins(5), longest: HOUR, forget: HOUR };

/// Mail to one user about new devices.
pub const DEVICES_TOLD: Rule = Rule { number: 7, free: 5, first: HOUR, longest: HOUR, forget: HOUR };

/// Codes mailed to one user; those requested from where the account is used are counted separately.
pub const CODES_SENT: Rule =
    Rule { number: 6, free: 5, first: MINUTE, longest: Duration::from_mins(15), forget: Duration::from_mins(10) };

/// Wrong second factors of one user from one address. These rules count by user, those above by the name that was
/// typed: typing a name must not keep its user from giving a factor.
pub const FACTOR_AT_ADDRESS: Rule = Rule { number: 8, ..ACCOUNT_AT_ADDRESS };
/// Wrong second factors of one user, from anywhere but the addresses that the account is used from.
pub const FACTOR: Rule = Rule { number: 9, ..ACCOUNT };

const RULES: [Rule; 9] =
    [ADDRESS, ACCOUNT_AT_ADDRESS, ACCOUNT, MAIL_ASKED, MAIL_SENT, CODES_SENT, DEVICES_TOLD, FACTOR_AT_ADDRESS, FACTOR];

/// Buckets per rule.
const BUCKETS: u32 = 1 << 22;

/// The bucket of a rule and a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key(i64);

/// Attempts that were counted; `forgive` takes them back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use = "an attempt that was right has to be taken back"]
pub struct Counted(Vec<Key>);

/// How long to wait before the next attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait(pub Duration);

impl Wait {
    /// The wait in whole seconds, rounded up, so that an attempt at that time is allowed.
    pub fn seconds(self) -> u64 {
        self.0.as_secs() + u64::from(self.0.subsec_nanos() > 0)
    }
}

impl Rule {
    fn of(key: Key) -> Option<Self> {
        RULES.into_iter().find(|rule| i64::from(rule.number) == key.0 >> 32)
    }

    /// The wait after that many attempts.
    fn wait(self, tries: i32) -> Duration {
        let doublings = tries - self.free;
        if doublings < 0 {
            return Duration::ZERO;
        }
        self.first.saturating_mul(1 << doublings.min(20)).min(self.longest)
    }

    /// Attempts are counted up to where the wait stops growing, so that they are forgotten in a reasonable time.
    fn most(self) -> i32 {
        let doublings =
            self.longest.as_secs().checked_div(self.first.as_secs()).unwrap_or(1).next_power_of_two().ilog2();
        self.free + i32::try_from(doublings).unwrap_or(0) + 1
    }

    /// The attempts that are not forgotten yet, and when the current period of forgetting began.
    fn remembered(self, row: &Row, now: Instant) -> (i32, Instant) {
        let elapsed = now.datetime().signed_duration_since(row.last_at.datetime()).num_milliseconds().max(0);
        let period = i64::try_from(self.forget.as_millis()).unwrap_or(i64::MAX).max(1);
        let forgotten = i32::try_from(elapsed / period).unwrap_or(i32::MAX);
        if forgotten >= row.failures {
            return (0, now);
        }
        // The time served of the current period counts: frequent attempts are forgiven as fast as rare ones.
        let served = self.forget.saturating_mul(u32::try_from(forgotten).unwrap_or(0));
        (row.failures - forgotten, row.last_at + served)
    }
}

impl Key {
    /// The bucket of `subject` under a rule. It depends on `SECRET_KEY`, so an attacker cannot find out which subjects
    /// share one.
    pub fn new(app: &App, rule: Rule, subject: &[&str]) -> Self {
        let rule_number = rule.number.to_string();
        let parts: Vec<_> = [rule_number.as_str()].iter().chain(subject).copied().collect();
        let [a, b, c, d, ..] = keyed::mac(&app.config.secret_key, "latchkey throttle", &parts).bytes();
        Self(i64::from(rule.number) << 32 | i64::from(u32::from_be_bytes([a, b, c, d]) % BUCKETS))
    }
}

/// Counts an attempt under each key; or counts nothing and returns how long to wait. Part of a transaction.
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

/// The bucket after one more attempt.
fn another(row: &Row, now: Instant) -> Option<Row> {
    let rule = Rule::of(Key(row.bucket))?;
    let (remembered, last_at) = rule.remembered(row, now);
    let failures = (remembered + 1).min(rule.most());
    Some(Row { failures, last_at, free_at: now + rule.wait(failures), ..*row })
}

/// The keys that a login counts under. Logins from where the account was recently used only wait for attempts on it
/// from there: neither strangers nor people behind the same address who try other accounts can keep the user out.
pub fn login_keys(app: &App, network: &str, login: &str, is_known: bool) -> Vec<Key> {
    let at_address = Key::new(app, ACCOUNT_AT_ADDRESS, &[login, network]);
    if is_known {
        return vec![at_address];
    }
    vec![at_address, Key::new(app, ADDRESS, &[network]), Key::new(app, ACCOUNT, &[login])]
}

/// The same for a second factor. Beginning more challenges allows no more attempts.
pub fn factor_keys(app: &App, network: &str, user: UserId, is_known: bool) -> Vec<Key> {
    let user = user.to_string();
    let at_address = Key::new(app, FACTOR_AT_ADDRESS, &[&user, network]);
    if is_known {
        return vec![at_address];
    }
    vec![at_address, Key::new(app, ADDRESS, &[network]), Key::new(app, FACTOR, &[&user])]
}

/// Runs `forgive` in a transaction of its own.
pub async fn take_back(app: &App, counted: Counted, was_right: bool) -> Result<(), DbError> {
    if counted.0.is_empty() {
        return Ok(());
    }
    app.write(move |tx| forgive(tx, &counted, was_right)).await
}

/// Takes attempts back: they were right, or were never made. A right one also clears the count of the user at this
/// address.
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

/// How long anything is remembered at most: older rows can be deleted.
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
        // 20 more attempts in 180 seconds, in which 18 are forgotten.
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
