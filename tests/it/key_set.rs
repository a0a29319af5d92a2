//! The remote key set against a real source: when it is fetched, how often, and what a bad source can do.
//! What a client of the API sees of it is in `api/jwk_url.rs`.

use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use futures_util::FutureExt;
use futures_util::future::join_all;
use latchkey::clock::Clock;
use latchkey::config::Algorithm;
use latchkey::key_set::fetch::{FetchError, Source};
use latchkey::key_set::{COOLDOWN, KeySet, LIFESPAN, RETRY};
use serde_json::json;
use tokio::runtime::{Builder, Runtime};

use crate::harness::http::PATIENCE;
use crate::harness::key_source::{KeySource, Signer, nobody};
use crate::harness::server::NOW;

/// A key set, its source, and a clock that stands still.
struct Set {
    keys: KeySet,
    clock: Clock,
    runtime: Runtime,
}

impl Set {
    fn of(url: &str) -> Self {
        let clock = Clock::fixed(DateTime::from_timestamp(NOW, 0).unwrap());
        let source = Source { url: url.parse().unwrap(), algorithm: Algorithm::EdDSA, timeout: PATIENCE };
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        Self { keys: KeySet::new(source, clock.clone()), clock, runtime }
    }

    /// Whether the set has a key that verified the token's signature.
    async fn look(&self, token: &str) -> bool {
        let Ok(key) = self.keys.key_of(token).await else { return false };
        let expect = latchkey::crypto::jwt::Expect { audience: &[], issuer: None, leeway: 0.0, now: 0.0 };
        latchkey::crypto::jwt::decode(&key, token, &expect).is_ok()
    }

    fn knows(&self, signer: &Signer) -> bool {
        self.runtime.block_on(self.look(&signer.token()))
    }

    fn advance(&self, by: Duration) {
        self.clock.advance(TimeDelta::from_std(by).unwrap());
    }
}

const MOMENT: Duration = Duration::from_millis(1);

#[test]
fn a_set_is_fetched_once_while_it_is_fresh_and_again_when_it_is_old() {
    let (a, b) = (Signer::new("a"), Signer::new("b"));
    let source = KeySource::of(&[&a, &b]);
    let set = Set::of(&source.url());
    assert!(set.knows(&a) && set.knows(&b) && set.knows(&a));
    assert!(!set.knows(&Signer::new("a")), "an id is not enough");
    set.advance(LIFESPAN.saturating_sub(MOMENT));
    assert!(set.knows(&a));
    assert_eq!(source.asked(), 1);
    set.advance(MOMENT);
    assert!(set.knows(&a) && set.knows(&b));
    assert_eq!(source.asked(), 2);
    // A key that is withdrawn is gone.
    source.publish(&[&b]);
    set.advance(LIFESPAN);
    assert!(!set.knows(&a) && set.knows(&b));
    assert_eq!(source.asked(), 3);
}

#[test]
fn a_new_key_is_fetched_when_a_token_names_it_but_not_more_often_than_the_cooldown() {
    let (old, new) = (Signer::new("old"), Signer::new("new"));
    let source = KeySource::of(&[&old]);
    let set = Set::of(&source.url());
    assert!(set.knows(&old) && !set.knows(&new));
    source.publish(&[&old, &new]);
    set.advance(COOLDOWN.saturating_sub(MOMENT));
    assert!(!set.knows(&new));
    assert_eq!(source.asked(), 1);
    set.advance(MOMENT);
    assert!(set.knows(&new) && set.knows(&old));
    assert_eq!(source.asked(), 2);
}

#[test]
fn tokens_that_cannot_be_ours_are_not_asked_about() {
    let source = KeySource::of(&[&Signer::new("a")]);
    let set = Set::of(&source.url());
    for token in ["", "a.b.c", "eyJhbGciOiJFZERTQSJ9.e30.", "eyJhbGciOiJub25lIiwia2lkIjoiYSJ9.e30."] {
        assert!(!set.runtime.block_on(set.look(token)), "{token}");
    }
    assert_eq!(source.asked(), 0);
}

#[test]
fn many_unknown_keys_at_once_are_one_fetch() {
    let known = Signer::new("known");
    let source = KeySource::of(&[&known]);
    let set = Set::of(&source.url());
    let tokens: Vec<_> = (0..64).map(|number| Signer::new(&format!("unknown {number}")).token()).collect();
    let found = set.runtime.block_on(join_all(tokens.iter().map(|token| set.look(token))));
    assert!(found.iter().all(|found| !found) && set.knows(&known));
    assert_eq!(source.asked(), 1);
    // And one for each time the cooldown is over.
    set.advance(COOLDOWN);
    set.runtime.block_on(join_all(tokens.iter().map(|token| set.look(token))));
    assert_eq!(source.asked(), 2);
}

#[test]
fn during_a_fetch_a_known_key_is_used_and_an_unknown_one_waits() {
    let (old, new) = (Signer::new("old"), Signer::new("new"));
    let source = KeySource::of(&[&old]);
    let set = Set::of(&source.url());
    assert!(set.knows(&old));
    source.wait_for_request();
    source.publish(&[&old, &new]);
    set.advance(LIFESPAN);
    let gate = source.hold();
    let (old_token, new_token) = (old.token(), new.token());
    set.runtime.block_on(async {
        let mut first = Box::pin(set.look(&old_token));
        assert!(first.as_mut().now_or_never().is_none());
        source.wait_for_request();
        assert!(set.look(&old_token).now_or_never().unwrap(), "what is known is used meanwhile");
        let mut waiting = Box::pin(set.look(&new_token));
        assert!(waiting.as_mut().now_or_never().is_none());
        // Who asked first goes away: the fetch goes on.
        drop(first);
        assert!(waiting.as_mut().now_or_never().is_none());
        drop(gate);
        assert!(waiting.await);
    });
    assert_eq!(source.asked(), 2);
}

#[test]
fn a_good_set_stays_in_use_while_its_source_is_down_or_says_nonsense() {
    let (a, b) = (Signer::new("a"), Signer::new("b"));
    let source = KeySource::of(&[&a]);
    let set = Set::of(&source.url());
    assert!(set.knows(&a));
    let huge = format!(r#"{{"keys":[],"x":"{}"}}"#, "x".repeat(256 * 1024));
    let secret = json!({"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "a", "alg": "EdDSA"}]}).to_string();
    let mut asked = 1;
    set.advance(LIFESPAN);
    for fault in [
        &|| source.go_away(),
        &|| source.answer(500, ""),
        &|| source.answer(404, "<html>"),
        &|| source.answer(200, "<html>"),
        &|| source.answer(200, ""),
        &|| source.answer(200, "[]"),
        &|| source.answer(200, r#"{"keys":[]}"#),
        &|| source.answer(200, &huge),
        &|| source.answer(200, &secret),
        &|| source.send("no HTTP at all\r\n\r\n"),
        &|| source.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"),
    ] as [&dyn Fn(); 11]
    {
        fault();
        assert!(set.knows(&a) && !set.knows(&b));
        asked += 1;
        assert_eq!(source.asked(), asked, "a failed fetch is not repeated at once");
        set.advance(RETRY);
    }
    source.publish(&[&b]);
    assert!(set.knows(&b) && !set.knows(&a));
}

#[test]
fn a_document_of_256_kib_is_read_and_a_larger_one_is_not() {
    let a = Signer::new("a");
    let source = KeySource::of(&[]);
    let document = |size: usize| {
        let text = json!({"keys": [a.jwk()]}).to_string();
        format!("{text}{}", " ".repeat(size - text.len()))
    };
    source.answer(200, &document(256 * 1024 + 1));
    let set = Set::of(&source.url());
    assert!(!set.knows(&a));
    // Also where it does not say how long it is.
    source.send(&format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}", document(256 * 1024 + 1)));
    set.advance(RETRY);
    assert!(!set.knows(&a));
    source.answer(200, &document(256 * 1024));
    set.advance(RETRY);
    assert!(set.knows(&a));
}

#[test]
fn redirects_are_not_followed() {
    let a = Signer::new("a");
    let (source, other) = (KeySource::of(&[]), KeySource::of(&[&a]));
    for status in [301, 302, 303, 307, 308] {
        let (url, body) = (other.url(), json!({"keys": [a.jwk()]}).to_string());
        let length = body.len();
        source.send(&format!(
            "HTTP/1.1 {status} X\r\nLocation: {url}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        ));
        assert!(!Set::of(&source.url()).knows(&a), "{status}");
    }
    assert_eq!((source.asked(), other.asked()), (5, 0));
}

#[test]
fn a_source_that_hangs_is_given_up() {
    let source = KeySource::of(&[]);
    let url: url::Url = source.url().parse().unwrap();
    for begun in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"keys\":["] {
        source.stall_after(begun);
        let short = Source { url: url.clone(), algorithm: Algorithm::EdDSA, timeout: Duration::from_millis(50) };
        assert!(matches!(short.fetch(), Err(FetchError::Slow(_))), "{begun}");
    }
}

#[test]
fn a_source_that_nobody_is_at_fails_and_is_asked_again_later() {
    let a = Signer::new("a");
    assert!(!Set::of(&nobody()).knows(&a));
    let source = KeySource::of(&[&a]);
    source.go_away();
    let set = Set::of(&source.url());
    assert!(!set.knows(&a));
    source.publish(&[&a]);
    set.advance(RETRY.saturating_sub(MOMENT));
    assert!(!set.knows(&a));
    set.advance(MOMENT);
    assert!(set.knows(&a));
}

#[test]
fn a_clock_that_was_set_back_does_not_stop_the_fetches() {
    let (a, b) = (Signer::new("a"), Signer::new("b"));
    let source = KeySource::of(&[&a]);
    let set = Set::of(&source.url());
    assert!(set.knows(&a));
    source.publish(&[&b]);
    set.clock.advance(TimeDelta::days(-1));
    assert!(set.knows(&b));
}

#[test]
fn a_set_that_is_warmed_waits_for_the_first_token() {
    let a = Signer::new("a");
    let source = KeySource::of(&[&a]);
    let set = Set::of(&source.url());
    set.runtime.block_on(set.keys.warm());
    source.go_away();
    assert!(set.knows(&a));
    assert_eq!(source.asked(), 1);
}
