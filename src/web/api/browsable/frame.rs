//! What stands round every page of the API: the endpoints, and which of them this is.

/// An endpoint as the navigation has it: icon, words, and its address behind `/api/`.
pub struct Endpoint(pub &'static str, pub &'static str, pub &'static str);

/// The endpoints by what they are about.
pub const GROUPS: [(&str, &[Endpoint]); 5] = [
    (
        "Token pairs",
        &[
            Endpoint("key", "Obtain", "token/"),
            Endpoint("rotate", "Refresh", REFRESH),
            Endpoint("check", "Verify", VERIFY),
            Endpoint("ban", "Blacklist", BLACKLIST),
            Endpoint("info", "Introspect", "token/introspect/"),
            Endpoint("x", "Revoke", "token/revoke/"),
        ],
    ),
    ("Sliding tokens", &[Endpoint("key", "Obtain", "token/sliding/"), Endpoint("rotate", "Refresh", SLIDING_REFRESH)]),
    (
        "Logged in",
        &[Endpoint("user", "Me", ME), Endpoint("users", "Sessions", SESSIONS), Endpoint("out", "Log out", LOGOUT)],
    ),
    (
        "Second factors",
        &[
            Endpoint("check", "Log in: finish", FACTOR),
            Endpoint("info", "Log in: mail a code", MAIL),
            Endpoint("key", "Log in: passkey", "token/second-factor/passkey/"),
            Endpoint("users", "List, add", FACTORS),
            Endpoint("check", "Add: confirm", CONFIRM),
            Endpoint("lock", "Challenge", "second-factors/challenge/"),
            Endpoint("rotate", "Recovery codes", "second-factors/recovery-codes/"),
        ],
    ),
    (
        "Passwords and addresses",
        &[
            Endpoint("lock", "Change password", "password/change/"),
            Endpoint("rotate", "Reset password", "password/reset/"),
            Endpoint("check", "Reset: confirm", "password/reset/confirm/"),
            Endpoint("info", "Change address", "email/change/"),
            Endpoint("check", "Address: confirm", "email/confirm/"),
        ],
    ),
];

/// Addresses that pages lead to.
pub const REFRESH: &str = "token/refresh/";
pub const VERIFY: &str = "token/verify/";
pub const BLACKLIST: &str = "token/blacklist/";
pub const SLIDING_REFRESH: &str = "token/sliding/refresh/";
pub const ME: &str = "me/";
pub const SESSIONS: &str = "sessions/";
pub const LOGOUT: &str = "logout/";
pub const FACTOR: &str = "token/second-factor/";
pub const MAIL: &str = "token/second-factor/email/";
pub const FACTORS: &str = "second-factors/";
pub const CONFIRM: &str = "second-factors/confirm/";

/// The frame of a page.
pub struct Frame {
    /// The address that the page has.
    pub here: String,
    /// What its neighbours' addresses begin with.
    pub base: &'static str,
}

impl Frame {
    /// Of the page at this address.
    pub fn new(path: &str) -> Self {
        let base = if path.starts_with("/api/v1/") { "/api/v1/" } else { "/api/" };
        Self { here: path.to_owned(), base }
    }

    /// Whether this is an endpoint's page.
    pub fn is_at(&self, endpoint: &str) -> bool {
        let here = self.here.trim_end_matches('/');
        let aliased = if here == "/logout_token" { "/api/logout" } else { here };
        aliased.strip_prefix(self.base) == Some(endpoint.trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_knows_its_place_with_and_without_a_slash() {
        assert!(Frame::new("/api/token/").is_at("token/") && Frame::new("/api/token").is_at("token/"));
        assert!(Frame::new("/api/v1/me").is_at(ME) && !Frame::new("/api/v1/me").is_at("token/"));
        assert!(Frame::new("/logout_token/").is_at(LOGOUT));
        assert!(!Frame::new("/api/token/refresh/").is_at("token/"));
    }
}
