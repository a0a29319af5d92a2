//! Delivers the mails in the queue. Whoever takes a mail postpones its next attempt beyond the longest time that one can take:
//! so only one of several instances has it, and another takes over if that one dies. A mail is sent at least once, and twice
//! only if the process dies between the server's answer and our note of it.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{sleep, timeout};

use super::delivery_error::DeliveryError;
use super::letter::Letter;
use super::mailer::{Draft, Mailer, context};
use crate::clock::Clock;
use crate::crypto::random;
use crate::db::latchkey_mail::{self, Claimed, Done, FAILED, Held, SENT};
use crate::db::types::Instant;
use crate::db::{Db, DbError};

/// How many mails are sent at once, so that one that hangs does not hold up the others.
const WORKERS: usize = 4;
/// How long a mail belongs to whoever took it.
const LEASE: Duration = Duration::from_mins(10);
/// How often the queue is checked without a notification, for mails of other instances and for further attempts.
const POLL_INTERVAL: Duration = Duration::from_secs(15);
/// When the process is about to end, an attempt may go on for this fraction of its deadline: five seconds.
const STOP_DIVISOR: u32 = 12;
/// How long we try to note that a mail was sent; together with the attempt less than `LEASE`.
const NOTE_TIMEOUT: Duration = Duration::from_mins(8);
/// The pause between two attempts to note that a mail was sent.
const NOTE_RETRY_DELAY: Duration = Duration::from_secs(1);
/// Maximum pause between two attempts to send a mail.
const MAX_RETRY_DELAY: Duration = Duration::from_hours(1);

/// How many of the due mails ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Delivered {
    /// The server accepted them.
    pub sent: usize,
    /// They will be tried again.
    pub again: usize,
    /// They were given up.
    pub given_up: usize,
}

/// Sends what is due, when notified and at intervals, until `Mailer::stop`.
pub async fn run(db: &Db, mailer: &Mailer, clock: &Clock) {
    let mut stop = mailer.stop.subscribe();
    while !*stop.borrow_and_update() {
        if let Err(error) = deliver_due(db, mailer, clock).await {
            tracing::warn!(%error, "the queue of mail could not be read; it is tried again soon");
        }
        tokio::select! {
            () = mailer.bell.notified() => {}
            () = sleep(POLL_INTERVAL) => {}
            _ = stop.changed() => {}
        }
    }
}

/// Sends every mail that is due now.
pub async fn deliver_due(db: &Db, mailer: &Mailer, clock: &Clock) -> Result<Delivered, DbError> {
    let now = Instant::from(clock.now());
    if !db.read(move |conn| latchkey_mail::is_due(conn, now)).await? {
        return Ok(Delivered::default());
    }
    let worker = Worker { db, mailer, clock };
    // Every worker is awaited: dropping an attempt could lose the note that its mail was sent.
    let ends = join_all((0..WORKERS).map(|_| worker.work())).await;
    let mut all = Delivered::default();
    for end in ends {
        let end = end?;
        all.sent += end.sent;
        all.again += end.again;
        all.given_up += end.given_up;
    }
    Ok(all)
}

#[derive(Clone, Copy)]
struct Worker<'a> {
    db: &'a Db,
    mailer: &'a Mailer,
    clock: &'a Clock,
}

impl Worker<'_> {
    /// One mail after another, until none is due or the process is about to end.
    async fn work(self) -> Result<Delivered, DbError> {
        let mut done = Delivered::default();
        while !*self.mailer.stop.borrow() {
            let (now, claim) = (self.now(), random::jti());
            let held = claim.clone();
            let claimed =
                self.db.write(move |conn| latchkey_mail::claim_due(conn, &held, (now, now + LEASE), 1)).await?;
            let Some(mail) = claimed.into_iter().next() else { break };
            self.deliver(mail, claim, &mut done).await?;
        }
        Ok(done)
    }

    fn now(self) -> Instant {
        Instant::from(self.clock.now())
    }

    /// Tries to send a mail and notes the result.
    async fn deliver(self, mail: Claimed, claim: String, done: &mut Delivered) -> Result<(), DbError> {
        let attempt = self.attempt(&mail).await;
        let (now, id, attempts) = (self.now(), mail.id, mail.attempts.saturating_add(1));
        let Err(fault) = attempt else {
            done.sent += 1;
            tracing::info!(mail = id.0, template = mail.template, "sent a mail");
            self.note_sent(&mail, &claim, now).await;
            return Ok(());
        };
        let next = now + wait(attempts);
        let (is_over, error) = (fault.is_permanent || next >= mail.give_up_at, fault.text);
        if is_over {
            done.given_up += 1;
            tracing::warn!(mail = id.0, template = mail.template, attempts, error, "gave a mail up");
        } else {
            done.again += 1;
            tracing::warn!(mail = id.0, template = mail.template, attempts, error, "a mail could not be sent yet");
        }
        let note = move |conn: &mut _| {
            let held = Held { id, claim: &claim };
            if is_over {
                latchkey_mail::update_done(conn, held, &Done { status: FAILED, at: now, error: Some(&error) })
            } else {
                latchkey_mail::update_failed(conn, held, next, &error)
            }
        };
        self.db.write(note).await.map(drop)
    }

    async fn attempt(self, mail: &Claimed) -> Result<(), DeliveryError> {
        let mailer = self.mailer;
        let give_up = |reason: &str| Err(DeliveryError::permanent(reason.to_owned()));
        if self.now() >= mail.give_up_at {
            return give_up("It waited for too long: nothing was there to send it in time.");
        }
        let Some(letter) = Letter::of(&mail.template, &mail.parameters) else {
            return give_up("Another version of Latchkey wrote it, and this one cannot read it.");
        };
        let secret = match &mail.secret {
            None => None,
            Some(sealed) => match mailer.seal.open(&context(&mail.recipient, &mail.template), sealed) {
                None => return give_up("Its link cannot be decrypted: SECRET_KEY has changed since it was written."),
                secret => secret,
            },
        };
        // The time distinguishes mails of two databases behind one host.
        let id = format!("{}.{}", mail.id, mail.created_at.datetime().timestamp_micros());
        let written = mailer.write(Draft {
            id: &id,
            at: mail.created_at,
            to: &mail.recipient,
            subject: &mail.subject,
            letter: &letter,
            secret,
        })?;
        tokio::select! {
            sent = mailer.transport.send(written) => sent,
            () = self.cut_off() => Err(DeliveryError::temporary("Latchkey was stopped before the mail server was done.".to_owned())),
        }
    }

    /// Waits for the stop, and then a little longer.
    async fn cut_off(self) {
        let mut stop = self.mailer.stop.subscribe();
        // The sender lives as long as the mailer, so this cannot fail.
        let _ = stop.wait_for(|stopped| *stopped).await;
        sleep(self.mailer.transport.deadline() / STOP_DIVISOR).await;
    }

    /// Notes that the server accepted a mail. Until that is stored the mail may be sent again, so this keeps trying for as long as
    /// nobody else can take the mail.
    async fn note_sent(self, mail: &Claimed, claim: &str, at: Instant) {
        let noted = async {
            loop {
                let (id, claim) = (mail.id, claim.to_owned());
                let note = move |conn: &mut _| {
                    let done = Done { status: SENT, at, error: None };
                    latchkey_mail::update_done(conn, Held { id, claim: &claim }, &done)
                };
                match self.db.write(note).await {
                    Ok(_) => return,
                    Err(error) => {
                        tracing::warn!(mail = id.0, %error, "a mail was sent and that could not be noted yet");
                    }
                }
                sleep(NOTE_RETRY_DELAY).await;
            }
        };
        if timeout(NOTE_TIMEOUT, noted).await.is_err() {
            tracing::error!(mail = mail.id.0, "a mail was sent and that could not be noted: it will be sent again");
        }
    }
}

/// The pause before the next attempt: 1, 2, 4 … minutes, at most an hour.
fn wait(attempts: i32) -> Duration {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0).min(6);
    Duration::from_mins(1 << doublings).min(MAX_RETRY_DELAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_become_rarer_up_to_once_an_hour() {
        let minutes: Vec<u64> = (1..=9).map(|attempts| wait(attempts).as_secs() / 60).collect();
        assert_eq!(minutes, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(wait(i32::MAX), MAX_RETRY_DELAY);
        assert_eq!(wait(0), Duration::from_mins(1));
    }
}
