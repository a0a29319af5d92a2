//! Rotation: a refresh token works exactly once, whatever happens at the same time.

use std::sync::Barrier;
use std::thread;

use serde_json::json;

use crate::harness::forge::{self, claims, jti};
use crate::harness::{Answer, Backend, Pair, Server};

fn blacklisted(answer: &Answer) -> bool {
    let refused = answer.status == 401;
    if refused {
        answer.expect(401, json!({"detail": "Token is blacklisted", "code": "token_not_valid"}));
    }
    refused
}

both!(a_refresh_token_works_once);
fn a_refresh_token_works_once(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("alice");
    let first = server.log_in("alice");
    let answer = server.refresh(&first.refresh);
    let text = answer.text();
    assert!(text.find("\"access\"") < text.find("\"refresh\""), "{text}");
    let second = Pair::of(&answer);
    assert_ne!(jti(&first.refresh), jti(&second.refresh));
    assert_eq!(claims(&first.refresh)["user_id"], claims(&second.refresh)["user_id"]);

    assert!(blacklisted(&server.refresh(&first.refresh)));
    server.me(&second.access).expect_status(200);
    Pair::of(&server.refresh(&second.refresh));
}

both!(the_tutorial_works_word_for_word);
fn the_tutorial_works_word_for_word(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("admin");
    let pair = server.log_in("admin");
    let pair = Pair::of(&server.refresh(&pair.refresh));
    let answer = server.client.bearer("POST", "/logout_token/", &pair.access, &json!({"refresh_token": pair.refresh}));
    answer.expect(200, json!({"status": "OK, goodbye"}));
    assert!(blacklisted(&server.refresh(&pair.refresh)));
    let pair = server.log_in("admin");
    let answer = server.client.bearer("POST", "/logout_token/", &pair.access, &json!({"all": "1"}));
    answer.expect(200, json!({"status": "OK, goodbye, all refresh tokens blacklisted"}));
    assert!(blacklisted(&server.refresh(&pair.refresh)));
}

both!(of_eight_parallel_refreshes_one_wins);
fn of_eight_parallel_refreshes_one_wins(backend: Backend) {
    const CLIENTS: usize = 8;
    let server = Server::start(backend);
    server.add_user("alice");
    for _round in 0..5 {
        let pair = server.log_in("alice");
        let start = Barrier::new(CLIENTS);
        let answers: Vec<Answer> = thread::scope(|scope| {
            let clients: Vec<_> = (0..CLIENTS)
                .map(|_| {
                    scope.spawn(|| {
                        start.wait();
                        server.refresh(&pair.refresh)
                    })
                })
                .collect();
            clients.into_iter().map(|client| client.join().unwrap()).collect()
        });
        let (lost, won): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| blacklisted(answer));
        assert_eq!((won.len(), lost.len()), (1, CLIENTS - 1));
        Pair::of(&server.refresh(&Pair::of(won[0]).refresh));
    }
}

both!(no_refresh_token_survives_a_logout_of_all);
fn no_refresh_token_survives_a_logout_of_all(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("alice");
    for _round in 0..5 {
        let sessions: Vec<Pair> = (0..4).map(|_| server.log_in("alice")).collect();
        let start = Barrier::new(sessions.len() + 1);
        let answers: Vec<Answer> = thread::scope(|scope| {
            let refreshes: Vec<_> = sessions
                .iter()
                .map(|pair| {
                    scope.spawn(|| {
                        start.wait();
                        server.refresh(&pair.refresh)
                    })
                })
                .collect();
            start.wait();
            let access = &sessions[0].access;
            server.client.bearer("POST", "/api/logout/", access, &json!({"all": true})).expect_status(200);
            refreshes.into_iter().map(|refresh| refresh.join().unwrap()).collect()
        });
        // Whoever was first got a new token; afterwards none of them is good for anything.
        for answer in answers.iter().filter(|answer| !blacklisted(answer)) {
            assert!(blacklisted(&server.refresh(&Pair::of(answer).refresh)));
        }
        let live = "SELECT count(*) FROM token_blacklist_outstandingtoken o WHERE NOT EXISTS \
                    (SELECT 1 FROM token_blacklist_blacklistedtoken b WHERE b.token_id = o.id)";
        assert_eq!(server.db.count(live), 0);
    }
}

both!(a_well_signed_token_that_was_never_recorded_is_accepted_and_recorded);
fn a_well_signed_token_that_was_never_recorded_is_accepted_and_recorded(backend: Backend) {
    let server = Server::start(backend);
    let user = server.add_user("alice");
    let token = forge::token("refresh", user.id, |_| {});
    Pair::of(&server.refresh(&token));
    assert!(blacklisted(&server.refresh(&token)));
    assert_eq!(server.db.count("SELECT count(*) FROM token_blacklist_outstandingtoken"), 2);
}

both!(unknown_claims_travel_into_the_new_tokens);
fn unknown_claims_travel_into_the_new_tokens(backend: Backend) {
    let server = Server::start(backend);
    let user = server.add_user("alice");
    let token = forge::token("refresh", user.id, |claims| claims["plan"] = json!({"seats": 5}));
    let pair = Pair::of(&server.refresh(&token));
    assert_eq!(claims(&pair.access)["plan"], json!({"seats": 5}));
    assert_eq!(claims(&pair.refresh)["plan"], json!({"seats": 5}));
}

both!(a_refresh_token_expires);
fn a_refresh_token_expires(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("alice");
    let pair = server.log_in("alice");
    server.advance(86_400);
    server.refresh(&pair.refresh).expect(401, json!({"detail": "Token is expired", "code": "token_not_valid"}));
}

both!(without_rotation_a_refresh_token_goes_on_working);
fn without_rotation_a_refresh_token_goes_on_working(backend: Backend) {
    let server = Server::with(backend, &[("JWT_ROTATE_REFRESH_TOKENS", "false")]);
    server.add_user("alice");
    let pair = server.log_in("alice");
    for _ in 0..2 {
        let body = server.refresh(&pair.refresh).expect_status(200).json();
        assert!(body.get("refresh").is_none(), "{body}");
        server.me(body["access"].as_str().unwrap()).expect_status(200);
    }
}
