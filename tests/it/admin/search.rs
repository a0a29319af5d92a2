//! The search field on every page: straight to a user, a session or a token, else to a list.

use super::{OUTSTANDING, USERS};
use crate::harness::forge::jti;
use crate::harness::{Backend, Server};

both!(the_search_leads_straight_to_what_is_meant);
fn the_search_leads_straight_to_what_is_meant(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    let alice = server.add_user("alice");
    let pair = server.log_in("alice");
    let session = server.db.text("SELECT id AS t FROM latchkey_session").unwrap();
    let user = format!("{USERS}{}/change/", alice.id);
    let token = format!("{OUTSTANDING}{}/change/", server.token_id(&pair.refresh));
    let unknown = "0123456789abcdef0123456789abcdef";
    let mut panel = server.panel_of("root");
    let page = panel.get("/admin/");
    for (typed, address) in [
        ("alice", &*user),
        (" ALICE ", &user),
        ("Alice@example.com", &user),
        (&alice.id.to_string(), &user),
        (&session, &format!("/admin/sessions/{session}/")),
        (&jti(&pair.refresh), &token),
        (&pair.refresh, &token),
        (&format!("Authorization: Bearer {}", pair.refresh), &token),
        (&pair.access, "/admin/explain/"),
        ("eyJhbGciOiJIUzI1NiJ9.broken.c2ln", "/admin/explain/"),
        ("ali", &format!("{USERS}?q=ali")),
        (unknown, &format!("{OUTSTANDING}?q={unknown}")),
        ("a\0b", &format!("{USERS}?q=ab")),
        ("", "/admin/"),
        ("-1", &format!("{USERS}?q=-1")),
        ("99999999999999999999", &format!("{USERS}?q=99999999999999999999")),
    ] {
        let answer = panel.submit(&page, "/admin/search/", &[("q", typed)]);
        assert_eq!((answer.status, answer.header("location")), (303, Some(address)), "{typed}");
    }
}

both!(what_names_two_users_leads_to_the_list);
fn what_names_two_users_leads_to_the_list(backend: Backend) {
    let server = Server::start(backend);
    let root = server.add_superuser("root");
    let id = root.id.to_string();
    server.add_user(&id);
    let mut panel = server.panel_of("root");
    let page = panel.get("/admin/");
    let answer = panel.submit(&page, "/admin/search/", &[("q", &id)]);
    assert_eq!(answer.header("location"), Some(&*format!("{USERS}?q={id}")));
}
