//! The three lists: what they show, search, sorting, paging.

use super::{BLACKLISTED, OUTSTANDING, USERS, link_with};
use crate::harness::forge::jti;
use crate::harness::{Backend, Panel, Server};

/// A server with a superuser who has logged in, and two users with a rotated token each.
fn server_with_tokens(backend: Backend) -> (Server, Panel, [String; 2]) {
    let server = Server::start(backend);
    server.add_superuser("root");
    let tokens = ["alice", "bob"].map(|name| {
        server.add_user(name);
        let token = server.log_in(name).refresh;
        server.refresh(&token).expect_status(200);
        token
    });
    let panel = server.panel_of("root");
    (server, panel, tokens)
}

/// The page that a search in a list leads to.
#[track_caller]
fn search(panel: &mut Panel, list: &str, q: &str) -> String {
    let page = panel.get(list);
    let answer = panel.submit(&page, list, &[("q", q)]);
    answer.expect_status(303);
    panel.follow(&answer).expect_status(200).text()
}

/// The part of a page between `<main` and `</main>`, without the search field and its chips.
fn rows(page: &str) -> String {
    let table = page.split("<tbody").nth(1).unwrap_or_default();
    table.split("</tbody>").next().unwrap().to_owned()
}

both!(users_are_found_by_name_address_and_id);
fn users_are_found_by_name_address_and_id(backend: Backend) {
    let (server, mut panel, _) = server_with_tokens(backend);
    let all = panel.get(USERS).expect_status(200).text();
    assert!(["root", "alice", "bob"].iter().all(|name| rows(&all).contains(name)), "{all}");
    let id = server.db.count("SELECT id FROM auth_user WHERE username = 'alice'").to_string();
    for q in ["alice", "ALI", "alice@example.com", &id] {
        let found = rows(&search(&mut panel, USERS, q));
        assert!(found.contains("alice") && !found.contains("bob"), "{q}: {found}");
    }
    assert!(rows(&search(&mut panel, USERS, "50%_\\")).is_empty());
}

both!(tokens_are_found_by_user_and_jti);
fn tokens_are_found_by_user_and_jti(backend: Backend) {
    let (server, mut panel, [alices, bobs]) = server_with_tokens(backend);
    let id = server.db.count("SELECT id FROM auth_user WHERE username = 'alice'").to_string();
    for list in [OUTSTANDING, BLACKLISTED] {
        let all = rows(&panel.get(list).expect_status(200).text());
        assert!(all.contains(&jti(&alices)) && all.contains(&jti(&bobs)), "{list}: {all}");
        for q in ["alice", "alice@example.com", &id, &jti(&alices)] {
            let found = rows(&search(&mut panel, list, q));
            assert!(found.contains(&jti(&alices)) && !found.contains(&jti(&bobs)), "{list} {q}: {found}");
        }
    }
}

both!(a_pasted_token_is_reduced_to_its_jti);
fn a_pasted_token_is_reduced_to_its_jti(backend: Backend) {
    let (_server, mut panel, [token, _]) = server_with_tokens(backend);
    for list in [OUTSTANDING, BLACKLISTED] {
        for pasted in [token.clone(), format!(" Bearer {token}\n")] {
            let page = panel.get(list);
            let answer = panel.submit(&page, list, &[("q", &pasted)]);
            let expected = format!("{list}?q={}", jti(&token));
            assert_eq!((answer.status, answer.header("location")), (303, Some(expected.as_str())));
            let found = panel.follow(&answer).expect_status(200).text();
            assert!(rows(&found).contains(&jti(&token)) && !found.contains(&token));
        }
        // Somebody who types it into the address is led away from there too.
        let answer = panel.get(&format!("{list}?q={token}"));
        assert_eq!((answer.status, answer.header("location")), (303, Some(&*format!("{list}?q={}", jti(&token)))));
    }
}

both!(a_search_without_a_hit_says_what_was_looked_for);
fn a_search_without_a_hit_says_what_was_looked_for(backend: Backend) {
    let (_server, mut panel, _) = server_with_tokens(backend);
    for list in [USERS, OUTSTANDING, BLACKLISTED] {
        let page = search(&mut panel, list, "nobody-of-this-name");
        assert!(rows(&page).is_empty() && page.contains("nobody-of-this-name"), "{page}");
    }
}

both!(empty_lists_are_pages_too);
fn empty_lists_are_pages_too(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    let mut panel = server.panel_of("root");
    for list in [OUTSTANDING, BLACKLISTED] {
        let page = panel.get(list).expect_status(200).text();
        assert!(rows(&page).is_empty());
    }
}

both!(turning_the_pages_shows_every_token_once);
fn turning_the_pages_shows_every_token_once(backend: Backend) {
    const TOKENS: usize = 260;
    let server = Server::start(backend);
    server.add_superuser("root");
    // Several have the same time of expiry: the order must be total all the same.
    let numbers: Vec<String> = (0..TOKENS)
        .map(|n| format!("('h.p', '2026-03-01 12:00:00', '2026-03-0{} 12:00:00', NULL, 'jti-{n:04}-end')", 2 + n % 5))
        .collect();
    server.db.execute(&format!(
        "INSERT INTO token_blacklist_outstandingtoken (token, created_at, expires_at, user_id, jti) VALUES {}",
        numbers.join(",")
    ));
    let mut panel = server.panel_of("root");
    for start in [OUTSTANDING.to_owned(), other_order(&panel.get(OUTSTANDING).text())] {
        let (mut seen, mut pages, mut next) = (Vec::new(), 0, Some(start));
        while let Some(address) = next.take() {
            let page = panel.get(&address).expect_status(200).text();
            let found: Vec<String> =
                page.match_indices(">jti-").map(|(at, _)| page[at + 1..at + 13].to_owned()).collect();
            assert!(!found.is_empty(), "{address}");
            seen.extend(found);
            pages += 1;
            next = link_with(&page, "after=");
            assert!(pages < 50);
        }
        assert!(pages > 1);
        assert_eq!(seen.len(), TOKENS);
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), TOKENS);
    }
}

both!(addresses_that_make_no_sense_are_answered_all_the_same);
fn addresses_that_make_no_sense_are_answered_all_the_same(backend: Backend) {
    let (_server, mut panel, _) = server_with_tokens(backend);
    for list in [USERS, OUTSTANDING, BLACKLISTED] {
        for query in [
            "o=-99",
            "sort=password",
            "after=x",
            "after=1~x",
            "before=9~9",
            "after=1~99999999999999999999",
            "q=%00",
            "q=%ff",
            "page=2",
            "sort=-expires&after=1~-5",
        ] {
            let answer = panel.get(&format!("{list}?{query}"));
            assert!(answer.status < 500, "{list}?{query}: {}", answer.text());
        }
    }
}

fn other_order(page: &str) -> String {
    link_with(page, "expires").expect("a link that sorts by expiry")
}

both!(an_exact_name_is_found_among_many_that_begin_so);
fn an_exact_name_is_found_among_many_that_begin_so(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    let many: Vec<String> = (0..1100)
        .map(|n| format!("('x', false, 'bulk{n}', '', '', 'bulk{n}@example.com', false, true, '2026-03-01 12:00:00')"))
        .collect();
    server.db.execute(&format!(
        "INSERT INTO auth_user (password, is_superuser, username, first_name, last_name, email, is_staff, is_active, \
         date_joined) VALUES {}",
        many.join(",")
    ));
    server.add_user("bulk");
    let token = server.log_in("bulk").refresh;
    let mut panel = server.panel_of("root");
    for q in ["bulk", "BULK"] {
        assert!(rows(&search(&mut panel, USERS, q)).contains(">bulk<"), "{q}");
        assert!(rows(&search(&mut panel, OUTSTANDING, q)).contains(&jti(&token)), "{q}");
    }
}
