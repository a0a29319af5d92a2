//! The addresses of the panel's pages, and the check of addresses that a redirect leads to.

/// The dashboard.
pub const HOME: &str = "/admin/";
/// The login form.
pub const LOGIN: &str = "/admin/login/";
/// The list of users.
pub const USERS: &str = "/admin/auth/user/";
/// The list of outstanding tokens.
pub const OUTSTANDING: &str = "/admin/token_blacklist/outstandingtoken/";
/// The list of blacklisted tokens.
pub const BLACKLISTED: &str = "/admin/token_blacklist/blacklistedtoken/";

/// The list of sessions.
pub const SESSIONS: &str = "/admin/sessions/";
/// "Explain a token".
pub const EXPLAIN: &str = "/admin/explain/";
/// The list of mail.
pub const MAIL: &str = "/admin/mail/";
/// The audit log.
pub const AUDIT_LOG: &str = "/admin/audit_log/";
/// The effective settings and the security posture.
pub const SETTINGS: &str = "/admin/settings/";
/// "My account".
pub const ACCOUNT: &str = "/admin/account/";

/// The login form that leads on to `next`, encoded as Django does it.
pub fn login(next: &str) -> String {
    format!("{LOGIN}?next={}", quote(next))
}

/// A list with a search.
pub fn search(list: &str, q: &str) -> String {
    format!("{list}?q={}", quote(q))
}

/// Percent-encodes everything but letters, digits, `_.-~` and `/`.
pub fn quote(text: &str) -> String {
    use std::fmt::Write;
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"_.-~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

/// `next` if it is a page of the panel, else the dashboard. Never another site, and never the logout.
pub fn local(next: &str) -> &str {
    let path = next.split(['?', '#']).next().unwrap_or_default();
    let is_page = path.starts_with(HOME) && !path.contains("//") && !path.contains("/.");
    let is_plain = next.len() <= 2000 && next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let is_door = ["/admin/login", "/admin/logout", "/admin/theme"].iter().any(|door| path.starts_with(door));
    if is_page && is_plain && !is_door { next } else { HOME }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_is_encoded_as_django_encodes_it() {
        assert_eq!(
            login("/admin/token_blacklist/outstandingtoken/?q=x"),
            "/admin/login/?next=/admin/token_blacklist/outstandingtoken/%3Fq%3Dx"
        );
        assert_eq!(login("/admin/?q=%C3%A4&x"), "/admin/login/?next=/admin/%3Fq%3D%25C3%25A4%26x");
    }

    #[test]
    fn pages_of_the_panel_are_reached_again() {
        for next in
            ["/admin/", "/admin/auth/user/7/change/", "/admin/auth/user/?q=a%20b&sort=-id", "/admin/auth/user/?q=//x"]
        {
            assert_eq!(local(next), next);
        }
    }

    #[test]
    fn a_redirect_never_leaves_the_panel() {
        for next in [
            "",
            "/",
            "//evil.test/",
            "https://evil.test/admin/",
            "/admin",
            "/administrator/",
            "/admin//evil.test",
            "/admin/../evil",
            "/admin/\\evil.test",
            "/admin/\r\nSet-Cookie: a=b",
            "/admin/ä",
            "/admin/ x",
            "javascript:alert(1)",
            "/admin/login/?next=/admin/login/",
            "/admin/logout/",
        ] {
            assert_eq!(local(next), HOME, "{next:?}");
        }
    }
}
