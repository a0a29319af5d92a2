//! "Explain a token": what may be pasted, who may ask, and that nothing is kept. Every state and its reason is in `reasons`.

mod reasons;

use serde_json::{Value, json};

use crate::harness::admin::unescape;
use crate::harness::forge::jti;
use crate::harness::{Answer, Backend, Pair, Panel, Server};

const EXPLAIN: &str = "/admin/explain/";

/// A server with somebody to look, and the panel in front of them.
fn server(backend: Backend, settings: &[(&str, &str)]) -> (Server, Panel) {
    let server = Server::with(backend, settings);
    server.add_staff("sam");
    let panel = server.panel_of("sam");
    (server, panel)
}

fn explain(panel: &mut Panel, pasted: &str) -> String {
    let form = panel.get(EXPLAIN);
    panel.submit(form.expect_status(200), EXPLAIN, &[("token", pasted)]).expect_status(200).text()
}

/// The text of a part of a page.
fn text(html: &str) -> String {
    let parts: Vec<&str> = html.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text)).collect();
    unescape(&parts.concat())
}

/// The verdict's headline.
#[track_caller]
fn verdict(page: &str) -> String {
    let start = page.find("id=\"h-verdict\">").unwrap_or_else(|| panic!("no verdict in {page}"));
    text(page[start..].split_once('>').unwrap().1.split("</h2>").next().unwrap())
}

/// What the page says the API answers: request, status, body.
fn answers(page: &str) -> Vec<(String, u16, Value)> {
    let part = page.split("id=\"h-answer\"").nth(1).unwrap().split("</section>").next().unwrap();
    let answer = |part: &str| {
        let (request, rest) = part.split_once("</code> answers <strong>").unwrap();
        let status = rest.split('<').next().unwrap().parse().unwrap();
        let body = rest.split_once("<pre>").map_or(Value::Null, |(_, body)| {
            serde_json::from_str(&text(body.split("</pre>").next().unwrap())).unwrap()
        });
        (request.to_owned(), status, body)
    };
    part.split("<code>").skip(1).map(answer).collect()
}

fn present(server: &Server, request: &str, token: &str) -> Answer {
    let (method, path) = request.split_once(' ').unwrap();
    if method == "GET" {
        return server.client.get(path, &[("authorization", &format!("Bearer {token}"))]);
    }
    let field = if path == "/api/token/refresh/" { "refresh" } else { "token" };
    server.client.post(path, &json!({field: token}))
}

/// Asserts the verdict's beginning, and that each endpoint answers as the page said it would.
#[track_caller]
fn agrees(server: &Server, panel: &mut Panel, token: &str, wanted: &str) -> String {
    let page = explain(panel, token);
    let headline = verdict(&page);
    assert!(headline.starts_with(wanted), "{headline} instead of {wanted}");
    if let Some((_, signature)) = token.rsplit_once('.').filter(|(_, signature)| signature.len() > 20) {
        assert!(!page.contains(signature), "the signature is shown");
    }
    // The refreshes come last: they change what they look at.
    let mut foretold = answers(&page);
    foretold.sort_by_key(|(request, ..)| request.contains("refresh"));
    assert!(foretold.len() >= 2);
    for (request, status, body) in foretold {
        let answer = present(server, &request, token);
        assert_eq!(answer.status, status, "{request}: {}", answer.text());
        match (status, &body) {
            (200, Value::Null) => {}
            (200, Value::Object(fields)) => assert!(fields.keys().all(|name| answer.json().get(name).is_some())),
            _ => assert_eq!(answer.json(), body, "{request}"),
        }
    }
    page
}

both!(a_jti_or_a_stored_text_is_explained_without_its_signature);
fn a_jti_or_a_stored_text_is_explained_without_its_signature(backend: Backend) {
    let (server, mut panel) = server(backend, &[]);
    server.add_user("alice");
    let pair = server.log_in("alice");
    let (stored, _) = pair.refresh.rsplit_once('.').unwrap();
    let id = jti(&pair.refresh);
    for pasted in [id.as_str(), stored] {
        let page = explain(&mut panel, pasted);
        assert!(verdict(&page).ends_with(", if its signature is valid"), "{page}");
        assert!(page.contains("does not store signatures") && page.contains("alice@example.com"), "{page}");
    }
    let page = panel.get(&format!("{EXPLAIN}?jti={id}")).expect_status(200).text();
    assert!(verdict(&page).starts_with("Accepted until"), "{page}");
    Pair::of(&server.refresh(&pair.refresh));
    assert_eq!(verdict(&explain(&mut panel, &id)), "Refused: this refresh token was used already");
    for unknown in ["no-such-id", "<b>", "%00", "ÄÖÜ"] {
        assert_eq!(verdict(&explain(&mut panel, unknown)), "This id is not recorded", "{unknown}");
    }
    let with_token = panel.get(&format!("{EXPLAIN}?jti={}", pair.refresh)).expect_status(200).text();
    assert!(!with_token.contains("h-verdict"), "a token in an address is not looked at");
}

both!(headers_and_json_are_understood_and_nothing_is_kept);
fn headers_and_json_are_understood_and_nothing_is_kept(backend: Backend) {
    let (server, mut panel) = server(backend, &[]);
    server.add_user("alice");
    let pair = server.log_in("alice");
    let (start, end) = pair.access.split_at(40);
    let before = server.db.count("SELECT count(*) FROM latchkey_audit_log");
    for pasted in [
        format!("Authorization: Bearer {}", pair.access),
        format!("JWT {start}\n{end}"),
        json!({"access": pair.access, "refresh": pair.refresh}).to_string(),
    ] {
        assert!(verdict(&explain(&mut panel, &pasted)).starts_with("Accepted until"), "{pasted}");
    }
    assert!(!explain(&mut panel, " \n").contains("h-verdict"));
    assert_eq!(server.db.count("SELECT count(*) FROM latchkey_audit_log"), before);
    let sessions = "SELECT count(*) FROM latchkey_session WHERE last_refreshed_at IS NOT NULL";
    assert_eq!(server.db.count(sessions), 0);
}

both!(only_staff_ask_and_only_through_the_form);
fn only_staff_ask_and_only_through_the_form(backend: Backend) {
    let (server, mut panel) = server(backend, &[]);
    server.add_user("alice");
    let pair = server.log_in("alice");
    panel.post(EXPLAIN, &[("token", &pair.access)]).expect_status(400);
    server.panel().get(EXPLAIN).expect_status(302);
    let huge = "x".repeat(200_000);
    let form = panel.get(EXPLAIN);
    let answer = panel.submit(&form, EXPLAIN, &[("token", &huge)]);
    assert!(answer.status < 500, "{}", answer.status);
    for query in ["?jti=%00", "?jti=%ff", "?jti", "?jti=a&jti=b", "?x=%", "?jti=%0A"] {
        assert!(panel.get(&format!("{EXPLAIN}{query}")).status < 500, "{query}");
    }
}
