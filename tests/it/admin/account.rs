//! "My account": one's own password, sessions and time zone.

use crate::harness::{Backend, PASSWORD, Panel, Server};

const ACCOUNT: &str = "/admin/account/";

fn is_in(panel: &mut Panel) -> bool {
    panel.get("/admin/").status == 200
}

both!(ones_own_password_is_changed_and_this_session_goes_on);
fn ones_own_password_is_changed_and_this_session_goes_on(backend: Backend) {
    let server = Server::start(backend);
    server.add_superuser("root");
    server.add_staff("sam");
    let (mut here, mut there, pair) = (server.panel_of("sam"), server.panel_of("sam"), server.log_in("sam"));
    let mut root = server.panel_of("root");
    let page = here.get(ACCOUNT);
    let new = [("password1", "quiet-lantern-23"), ("password2", "quiet-lantern-23")];
    for (old, text) in [("", "This field is required."), ("wrong", "Your password was entered incorrectly.")] {
        let answer = here.submit(&page, "/account/password/", &[new[0], new[1], ("old_password", old)]);
        assert!(answer.expect_status(200).text().contains(text), "{}", answer.text());
    }
    let unusable = [("old_password", PASSWORD), ("usable_password", "false")];
    assert!(here.submit(&page, "/account/password/", &unusable).text().contains("This field is required."));
    assert!(is_in(&mut there));
    let answer = here.submit(&page, "/account/password/", &[new[0], new[1], ("old_password", PASSWORD)]);
    assert!(here.follow(&answer).expect_status(200).text().contains("Your password was changed."));
    assert!(is_in(&mut here) && !is_in(&mut there) && is_in(&mut root));
    server.refresh(&pair.refresh).expect_status(401);
    server.obtain("sam", "quiet-lantern-23").expect_status(200);
    server.obtain("sam", PASSWORD).expect_status(401);
    // Also with a page that was opened before.
    assert_eq!(here.submit(&page, "/account/password/", &[]).status, 200);
}

both!(somebody_elses_change_of_my_password_ends_my_session);
fn somebody_elses_change_of_my_password_ends_my_session(backend: Backend) {
    let server = Server::start(backend);
    let sam = server.add_staff("sam");
    let mut panel = server.panel_of("sam");
    assert!(is_in(&mut panel));
    server.set_password(sam.id, "quiet-lantern-23");
    assert!(!is_in(&mut panel));
}

both!(ones_own_sessions_are_listed_and_ended);
fn ones_own_sessions_are_listed_and_ended(backend: Backend) {
    let server = Server::start(backend);
    server.add_staff("sam");
    server.add_staff("eve");
    let (pair, mut there, mut eve) = (server.log_in("sam"), server.panel_of("sam"), server.panel_of("eve"));
    let mut here = server.panel_of("sam");
    let page = here.get(ACCOUNT).expect_status(200).text();
    assert_eq!((page.matches("This session").count(), page.matches("/account/sessions/").count()), (1, 1), "{page}");
    let sessions = "SELECT id FROM latchkey_admin_session ORDER BY id";
    let (theirs, current) = (format!("{sessions} LIMIT 1"), format!("{sessions} DESC LIMIT 1"));
    let end = |id: &str| format!("/admin/account/sessions/{id}/end/");

    // Not the one in use, not somebody else's, not one that is none.
    let page = here.get(ACCOUNT);
    let token = page.text().split("name=\"csrf_token\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    here.post(&end(&server.db.count(&current).to_string()), &[("csrf_token", &token)]).expect_status(303);
    let eves = eve.get(ACCOUNT);
    let eves_token =
        eves.text().split("name=\"csrf_token\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    eve.post(&end(&server.db.count(&theirs).to_string()), &[("csrf_token", &eves_token)]).expect_status(303);
    here.post(&end("999999"), &[("csrf_token", &token)]).expect_status(303);
    for bad in ["x", "99999999999999999999", "%00"] {
        here.post(&end(bad), &[("csrf_token", &token)]).expect_status(404);
    }
    here.post(&end(&server.db.count(&theirs).to_string()), &[]).expect_status(400);
    assert!(is_in(&mut here) && is_in(&mut there) && is_in(&mut eve));

    here.submit(&page, "/account/sessions/", &[]).expect_status(303);
    assert!(is_in(&mut here) && !is_in(&mut there));
    here.submit(&page, "/account/api_sessions/", &[]).expect_status(303);
    server.refresh(&pair.refresh).expect_status(401);
    assert_eq!(server.db.count("SELECT count(*) FROM latchkey_audit_log WHERE action = 'admin.session_end'"), 1);
}

both!(a_time_zone_is_remembered_and_used);
fn a_time_zone_is_remembered_and_used(backend: Backend) {
    let server = Server::start(backend);
    let root = server.add_superuser("root");
    let mut panel = server.panel_of("root");
    let page = panel.get(ACCOUNT);
    assert!(page.text().contains("Times in UTC"));
    let answer = panel.submit(&page, "/time_zone/", &[("time_zone", "Asia/Tokyo")]);
    let page = panel.follow(&answer);
    assert!(page.text().contains("Times in Asia/Tokyo") && page.text().contains("value=\"Asia/Tokyo\" selected"));
    assert!(panel.get(&format!("/admin/auth/user/{}/change/", root.id)).text().contains("21:00:00 JST"));
    for bad in ["", "Nowhere/Land", "<script>", "\0"] {
        let answer = panel.submit(&page, "/time_zone/", &[("time_zone", bad)]);
        assert!(panel.follow(&answer).text().contains("This time zone does not exist."), "{bad}");
    }
}
