//! What all pages of the panel have in common.

use super::{BLACKLISTED, OUTSTANDING, USERS};
use crate::harness::{Backend, Panel, Server};

/// Every kind of page, seen by a superuser. Tokens and the user have the number 1 to 2.
fn pages(server: &Server) -> (Panel, Vec<String>) {
    server.add_superuser("root");
    let token = server.log_in("root").refresh;
    server.refresh(&token).expect_status(200);
    let id = server.db.count("SELECT min(id) FROM auth_user");
    let paths = [
        "/admin/".to_owned(),
        USERS.to_owned(),
        format!("{USERS}{id}/change/"),
        format!("{USERS}{id}/blacklist/"),
        format!("{USERS}{id}/delete/"),
        format!("{USERS}add/"),
        "/admin/account/".to_owned(),
        OUTSTANDING.to_owned(),
        format!("{OUTSTANDING}?q=nobody-of-this-name"),
        format!("{OUTSTANDING}1/change/"),
        format!("{OUTSTANDING}2/blacklist/"),
        BLACKLISTED.to_owned(),
        format!("{BLACKLISTED}1/change/"),
    ];
    (server.panel_of("root"), paths.to_vec())
}

both!(every_page_is_guarded_by_its_headers);
fn every_page_is_guarded_by_its_headers(backend: Backend) {
    let server = Server::start(backend);
    let (mut panel, mut paths) = pages(&server);
    let mut anonymous = server.panel();
    paths.push("/admin/nothing/".to_owned());
    let answers: Vec<_> = paths.iter().map(|path| panel.get(path)).chain([anonymous.get("/admin/login/")]).collect();
    for answer in answers {
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("x-frame-options"), Some("DENY"));
        let policy = answer.header("content-security-policy").expect("a policy");
        assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe-inline"), "{policy}");
    }
}

both!(no_page_has_scripts_or_styles_in_it);
fn no_page_has_scripts_or_styles_in_it(backend: Backend) {
    let server = Server::start(backend);
    let (mut panel, paths) = pages(&server);
    for path in paths {
        let page = panel.get(&path).expect_status(200).text();
        for forbidden in ["<script>", "<style", " style=", " onclick=", " onload=", "javascript:"] {
            assert!(!page.contains(forbidden), "{path} has {forbidden}");
        }
        assert_eq!(page.matches("<h1").count(), 1, "{path}");
        assert!(page.contains("<html lang=\"en\""), "{path}");
    }
}

both!(what_users_are_called_is_text_and_nothing_else);
fn what_users_are_called_is_text_and_nothing_else(backend: Backend) {
    let server = Server::start(backend);
    let user = server.add_user("mallory");
    let token = server.log_in("mallory").refresh;
    server.refresh(&token).expect_status(200);
    // Django's own forms would refuse such a name; a database does not.
    let evil = "<script>alert(1)</script>\"'&";
    server.db.execute(&format!(
        "UPDATE auth_user SET username = '{0}', email = '{0}@x', first_name = '{0}'",
        evil.replace('\'', "''")
    ));
    let (mut panel, mut paths) = pages(&server);
    paths.push(format!("{USERS}{}/change/", user.id));
    for list in [USERS, OUTSTANDING, BLACKLISTED] {
        paths.push(format!("{list}?q=%3Cscript%3Ealert(1)%3C/script%3E"));
    }
    for path in paths {
        let page = panel.get(&path).expect_status(200).text();
        assert!(!page.contains("<script>alert"), "{path}");
        assert!(!page.contains("</script>\"'&"), "{path}");
    }
    assert!(panel.get(USERS).text().contains("alert(1)"));
    let form = panel.get("/admin/login/?next=%22%3E%3Cscript%3Ealert(1)%3C/script%3E");
    assert!(!form.text().contains("<script>alert"));
}

both!(what_is_not_there_has_a_page_of_its_own);
fn what_is_not_there_has_a_page_of_its_own(backend: Backend) {
    let server = Server::start(backend);
    let (mut panel, _) = pages(&server);
    let ids = ["999999", "0", "-1", "99999999999999999999", "x", "1%00", "%ff"];
    let mut missing = vec!["/admin/nothing/".to_owned(), "/admin/auth/nothing/".to_owned()];
    for list in [USERS, OUTSTANDING, BLACKLISTED] {
        missing.extend(ids.iter().map(|id| format!("{list}{id}/change/")));
    }
    for path in missing {
        let answer = panel.get(&path);
        assert_eq!(answer.status, 404, "{path}: {}", answer.text());
        assert!(answer.text().contains("/admin/") && answer.text().contains("<h1"), "{path}");
    }
}

both!(forms_at_addresses_without_one_are_refused_in_order);
fn forms_at_addresses_without_one_are_refused_in_order(backend: Backend) {
    let server = Server::start(backend);
    let (mut panel, paths) = pages(&server);
    for path in paths {
        assert!((400..500).contains(&panel.post(&path, &[("a", "b")]).status), "{path}");
    }
    for body in [&b"\xff\xfe"[..], b"%ff=%ff", b"q=%00&csrf_token=%00", &vec![b'a'; 200 * 1024]] {
        let cookies = panel.cookies();
        let form = ("content-type", "application/x-www-form-urlencoded");
        let answer = server.client.send("POST", "/admin/logout/", &[("cookie", &cookies), form], body);
        assert!((400..500).contains(&answer.status), "{answer:?}");
    }
    assert_eq!(panel.get("/admin/").status, 200);
}

both!(every_link_of_the_panel_leads_somewhere);
fn every_link_of_the_panel_leads_somewhere(backend: Backend) {
    let server = Server::start(backend);
    let (mut panel, mut open) = pages(&server);
    let mut seen = std::collections::BTreeSet::new();
    while let Some(path) = open.pop() {
        if !seen.insert(path.clone()) || seen.len() > 200 {
            continue;
        }
        let mut answer = panel.get(&path);
        while [301, 302, 303].contains(&answer.status) {
            answer = panel.follow(&answer);
        }
        assert_eq!(answer.status, 200, "{path}");
        let page = answer.text();
        let tags =
            page.split("<a").skip(1).chain(page.split("<link").skip(1)).map(|tag| tag.split('>').next().unwrap());
        for href in tags.filter_map(|tag| crate::harness::admin::attribute(tag, "href")) {
            if href.starts_with('?') {
                open.push(format!("{}{href}", path.split('?').next().unwrap()));
            } else if href.starts_with('/') {
                open.push(href);
            } else {
                // The sources of the security posture are the only other places that anything leads to.
                assert!(href.starts_with('#') || href.starts_with("https://"), "{path} leads to {href}");
            }
        }
    }
    assert!(seen.len() > 10, "{seen:?}");
}
