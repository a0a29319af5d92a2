//! The settings page: what is in force, where it came from, nothing secret; and the posture's rows, which change with them.

use crate::harness::{Backend, Server};

const SETTINGS: &str = "/admin/settings/";

fn page(server: &Server) -> String {
    server.add_staff("sam");
    server.panel_of("sam").get(SETTINGS).expect_status(200).text()
}

/// The row of a table with this id.
#[track_caller]
fn row(page: &str, id: &str) -> String {
    let start = page.find(&format!("<tr id=\"{id}\">")).unwrap_or_else(|| panic!("no row {id} in {page}"));
    page[start..].split("</tr>").next().unwrap().to_owned()
}

both!(every_setting_stands_there_with_its_value_and_origin);
fn every_setting_stands_there_with_its_value_and_origin(backend: Backend) {
    let server = Server::with(backend, &[("JWT_ISSUER", "me & <you>")]);
    let page = page(&server);
    for setting in latchkey::config::SETTINGS {
        row(&page, setting.name);
    }
    let issuer = row(&page, "JWT_ISSUER");
    assert!(issuer.contains("me &#38; &#60;you&#62;") && issuer.contains(">environment<"), "{issuer}");
    assert!(row(&page, "JWT_ALGORITHM").contains(">default<"));
    assert!(row(&page, "STAFF_MAY_VIEW").contains("<code>true</code>"), "the default that holds here");
    assert!(row(&page, "PUBLIC_URL").contains(">worked out<"));
}

both!(no_secret_is_shown);
fn no_secret_is_shown(backend: Backend) {
    let secret = "hush-hush-0123456789-hush-hush-0123456789-hush-hush-0123456789";
    let settings = [
        ("SECRET_KEY", secret),
        ("JWT_SIGNING_KEY", secret),
        ("INTROSPECTION_CLIENT_ID", "my-api"),
        ("INTROSPECTION_CLIENT_SECRET", secret),
    ];
    let server = Server::with(backend, &settings);
    let page = page(&server);
    assert!(!page.contains("hush"), "{page}");
    for name in ["SECRET_KEY", "JWT_SIGNING_KEY", "INTROSPECTION_CLIENT_SECRET"] {
        let row = row(&page, name);
        assert!(row.contains("(set, not shown)"), "{name}");
        assert!(!row.contains(&secret.len().to_string()), "not even how long it is");
    }
    if let Some((_, rest)) = server.db.url.split_once("://").filter(|_| backend == Backend::Postgres) {
        let password = rest.split('@').next().unwrap().split(':').nth(1).filter(|password| password.len() > 3);
        assert!(password.is_none_or(|password| !row(&page, "DATABASE_URL").contains(password)));
    }
}

both!(the_posture_s_rows_change_with_the_settings);
fn the_posture_s_rows_change_with_the_settings(backend: Backend) {
    let ids = ["asvs-9.2.3", "rfc8725-3.8", "rfc9700-4.14.2", "asvs-7.4.1"];
    let strict = [("JWT_AUDIENCE", "us"), ("JWT_ISSUER", "me"), ("JWT_CHECK_SESSION", "true")];
    let page_before = page(&Server::with(backend, &[("JWT_ROTATE_REFRESH_TOKENS", "false")]));
    let page_after = page(&Server::with(backend, &strict));
    for id in ids {
        assert!(row(&page_before, id).contains(">Not met<") || row(&page_before, id).contains("Not met"), "{id}");
        assert!(row(&page_before, id).contains("To meet it"), "{id}");
        assert!(!row(&page_after, id).contains("Not met"), "{id}");
    }
    assert!(row(&page_after, "asvs-6.5.2").contains("Not met"), "no setting makes what is not there");
}

both!(staff_may_look_and_nobody_else);
fn staff_may_look_and_nobody_else(backend: Backend) {
    let server = Server::start(backend);
    server.panel().get(SETTINGS).expect_status(302);
    server.add_staff("sam");
    server.panel_of("sam").post(SETTINGS, &[]).expect_status(405);
}
