//! Blacklisting and logging out.

use serde_json::{Value, json};

use crate::harness::{Answer, Backend, Pair, Server};

fn log_out(server: &Server, access: &str, body: Value) -> Answer {
    server.client.bearer("POST", "/api/logout/", access, &body)
}

fn is_blacklisted(server: &Server, refresh: &str) -> bool {
    server.client.post("/api/token/verify/", &json!({"token": refresh})).status == 400
}

both!(logout_blacklists_one_token_and_leaves_the_others);
fn logout_blacklists_one_token_and_leaves_the_others(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("alice");
    let (one, other) = (server.log_in("alice"), server.log_in("alice"));
    log_out(&server, &one.access, json!({"refresh_token": one.refresh})).expect(200, json!({"status": "OK, goodbye"}));
    assert!(is_blacklisted(&server, &one.refresh));
    Pair::of(&server.refresh(&other.refresh));
}

both!(logout_of_all_leaves_other_users_alone);
fn logout_of_all_leaves_other_users_alone(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("alice");
    server.add_user("bob");
    let (one, two, bobs) = (server.log_in("alice"), server.log_in("alice"), server.log_in("bob"));
    let goodbye = json!({"status": "OK, goodbye, all refresh tokens blacklisted"});
    log_out(&server, &one.access, json!({"all": true})).expect(200, goodbye);
    assert!(is_blacklisted(&server, &one.refresh) && is_blacklisted(&server, &two.refresh));
    Pair::of(&server.refresh(&bobs.refresh));
    Pair::of(&server.refresh(&server.log_in("alice").refresh));
}

both!(logout_needs_a_token_of_ones_own);
fn logout_needs_a_token_of_ones_own(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("alice");
    server.add_user("bob");
    let (alices, bobs) = (server.log_in("alice"), server.log_in("bob"));
    for body in
        [json!({}), json!({"refresh_token": null}), json!({"refresh_token": ""}), json!({"refresh": bobs.refresh})]
    {
        log_out(&server, &alices.access, body).expect_status(400);
    }
    let stolen = log_out(&server, &alices.access, json!({"refresh_token": bobs.refresh}));
    assert!((400..500).contains(&stolen.status), "{stolen:?}");
    assert!(!is_blacklisted(&server, &bobs.refresh));
    server
        .client
        .post("/api/logout/", &json!({"all": true}))
        .expect(401, json!({"detail": "Authentication credentials were not provided."}));
}

both!(blacklist_takes_any_live_refresh_token_and_only_once);
fn blacklist_takes_any_live_refresh_token_and_only_once(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("alice");
    let pair = server.log_in("alice");
    let blacklist = |token: &str| server.client.post("/api/token/blacklist/", &json!({"refresh": token}));
    blacklist(&pair.access).expect(401, json!({"detail": "Token has wrong type", "code": "token_not_valid"}));
    blacklist(&pair.refresh).expect(200, json!({}));
    blacklist(&pair.refresh).expect(401, json!({"detail": "Token is blacklisted", "code": "token_not_valid"}));
    assert_eq!(server.db.count("SELECT count(*) FROM token_blacklist_blacklistedtoken"), 1);
}

both!(an_access_token_outlives_its_logout);
fn an_access_token_outlives_its_logout(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("alice");
    let pair = server.log_in("alice");
    log_out(&server, &pair.access, json!({"refresh_token": pair.refresh})).expect_status(200);
    server.me(&pair.access).expect_status(200);
}
