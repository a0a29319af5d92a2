//! THE list of pages: a name, an address, and the form to send where only a form leads there. All that is to hold of
//! every page is tested over it, here and in `tests/it/admin/`. A new page is a line in `PAGES`.

use crate::harness::PASSWORD;

pub use super::seeded::{Site, log_in};

/// A page of a seeded site. `{words}` in its address and its fields are `Site::places`.
pub struct Page {
    pub name: &'static str,
    pub(super) path: &'static str,
    /// Part of the action of the form on it that leads to the page meant, and what is filled in.
    pub(super) form: Option<(&'static str, &'static [(&'static str, &'static str)])>,
    pub status: u16,
    /// Whose visit to their own account it is seen in.
    pub(super) visitor: &'static str,
}

const fn at(name: &'static str, path: &'static str) -> Page {
    Page { name, path, form: None, status: 200, visitor: "nobody" }
}

impl Page {
    const fn sending(self, action: &'static str, fields: &'static [(&'static str, &'static str)]) -> Self {
        Self { form: Some((action, fields)), ..self }
    }

    const fn visited_by(self, visitor: &'static str) -> Self {
        Self { visitor, ..self }
    }

    const fn answering(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// Whether it is one of `/api/`.
    pub fn is_of_the_api(&self) -> bool {
        self.path.starts_with("/api/")
    }
}

pub(super) const OUTSTANDING: &str = "/admin/token_blacklist/outstandingtoken/";
const BLACKLISTED: &str = "/admin/token_blacklist/blacklistedtoken/";

const FACTORS: &str = "/account/second-factors/";

const CHOOSE: &str = "/account/password/reset/confirm/?token={reset_token}";

/// The page before the login. It comes first, because nobody who is logged in gets there.
pub const LOGIN: Page = at("login", "/admin/login/");

/// The second step of the login, of another user than the one who looks at `PAGES`.
const SECOND_STEP: Page = at("login_second_factor", "/admin/login/")
    .sending("/admin/login/", &[("username", "{lena_name}"), ("password", PASSWORD)]);

/// What nobody sees who is logged in; the last one is the login.
pub const BEFORE: [&Page; 2] = [&SECOND_STEP, &LOGIN];

/// What a superuser sees.
pub const PAGES: &[Page] = &[
    at("index", "/admin/"),
    at("authentication", "/admin/auth/"),
    at("users", "/admin/auth/user/"),
    at("users_chosen", "/admin/auth/user/").sending("/action/", &[("action", "log_out"), ("selected", "{alice}")]),
    at("users_none_found", "/admin/auth/user/?q=nobody-has-this-name"),
    at("user", "/admin/auth/user/{alice}/change/"),
    at("user_wrong", "/admin/auth/user/{alice}/change/")
        .sending("/change/", &[("username", "a b"), ("email", "nobody")]),
    at("user_stale", "/admin/auth/user/{alice}/change/")
        .sending("/change/", &[("as_read", ""), ("username", "alicia")]),
    at("user_add", "/admin/auth/user/add/"),
    at("user_add_refused", "/admin/auth/user/add/")
        .sending("/user/add/", &[("username", "a b"), ("password1", "short")]),
    at("user_password", "/admin/auth/user/{alice}/password/"),
    at("user_password_refused", "/admin/auth/user/{alice}/password/").sending("/password/", &[("password1", "short")]),
    at("user_reset_link", "/admin/auth/user/{alice}/reset_link/"),
    at("user_reset_link_refused", "/admin/auth/user/{tomas}/reset_link/"),
    at("user_with_factors", "/admin/auth/user/{lena}/change/"),
    at("user_factor_remove", "/admin/auth/user/{lena}/second_factors/{factor}/remove/"),
    at("user_factor_gone", "/admin/auth/user/{lena}/second_factors/0/remove/").answering(404),
    at("user_factor_require", "/admin/auth/user/{alice}/second_factors/require/"),
    at("user_factor_unrequire", "/admin/auth/user/{lena}/second_factors/unrequire/"),
    at("user_browsers_forget", "/admin/auth/user/{lena}/browsers/all/forget/"),
    at("user_delete", "/admin/auth/user/{alice}/delete/"),
    at("user_blacklist", "/admin/auth/user/{alice}/blacklist/"),
    at("sessions", "/admin/sessions/"),
    at("sessions_none_found", "/admin/sessions/?q=nobody-has-this-name"),
    at("session", "/admin/sessions/{session}/"),
    at("session_end", "/admin/sessions/{session}/end/"),
    at("mail", "/admin/mail/"),
    at("mail_none_found", "/admin/mail/?q=nobody-has-this-name&status=failed"),
    at("audit_log", "/admin/audit_log/"),
    at("audit_log_none_found", "/admin/audit_log/?action=user.delete"),
    at("tokens", "/admin/token_blacklist/"),
    at("outstanding", OUTSTANDING),
    at("outstanding_none_found", "/admin/token_blacklist/outstandingtoken/?q=nobody-has-this-name"),
    at("outstanding_filtered", "/admin/token_blacklist/outstandingtoken/?status=live&created_from=2026-01-01"),
    at("outstanding_chosen", OUTSTANDING).sending("/action/", &[("action", "blacklist"), ("selected", "{live}")]),
    at("outstanding_live", "/admin/token_blacklist/outstandingtoken/{live}/change/"),
    at("outstanding_rotated", "/admin/token_blacklist/outstandingtoken/{rotated}/change/"),
    at("outstanding_revealed", "/admin/token_blacklist/outstandingtoken/{live}/change/").sending("/reveal/", &[]),
    at("outstanding_blacklist", "/admin/token_blacklist/outstandingtoken/{live}/blacklist/"),
    at("blacklisted", BLACKLISTED),
    at("blacklisted_none_found", "/admin/token_blacklist/blacklistedtoken/?q=nobody-has-this-name"),
    at("blacklisted_rotated", "/admin/token_blacklist/blacklistedtoken/{entry}/change/"),
    at("blacklisted_taken", "/admin/token_blacklist/blacklistedtoken/{taken}/change/"),
    at("blacklisted_delete", "/admin/token_blacklist/blacklistedtoken/{taken}/delete/"),
    at("explain", "/admin/explain/"),
    at("explain_live", "/admin/explain/").sending("/explain/", &[("token", "Bearer {live_token}")]),
    at("explain_rotated", "/admin/explain/").sending("/explain/", &[("token", "{rotated_jti}")]),
    at("explain_nonsense", "/admin/explain/").sending("/explain/", &[("token", "no token at all")]),
    at("account", "/admin/account/"),
    at("account_password_refused", "/admin/account/").sending("/account/password/", &[("old_password", "not it")]),
    at("explain_nothing_known", "/admin/explain/?jti=no-such-token"),
    at("settings", "/admin/settings/"),
    at("not_found", "/admin/nothing/").answering(404),
    at("password_reset", "/account/password/reset/"),
    at("password_reset_refused", "/account/password/reset/").sending("/reset/", &[("email", "nobody")]),
    at("password_choose", CHOOSE),
    at("password_choose_refused", CHOOSE).sending("/confirm/", &[("password1", "alice"), ("password2", "alice")]),
    at("password_link_over", "/account/password/reset/confirm/?token=nonsense").answering(400),
    at("password_change", "/account/password/change/"),
    at("password_change_refused", "/account/password/change/").sending("/change/", &[("password1", "one")]),
    at("email_change", "/account/email/change/"),
    at("email_change_refused", "/account/email/change/").sending("/change/", &[("email", "nobody")]),
    at("email_confirm", "/account/email/confirm/?token={email_token}"),
    at("password_change_needs_factor", "/account/password/change/")
        .sending(
            "/change/",
            &[("username", "{lena_name}"), ("old_password", PASSWORD), ("password1", "x"), ("password2", "x")],
        )
        .answering(403),
    at("password_change_visited", "/account/password/change/").visited_by("lena"),
    at("visit_login", "/account/login/"),
    at("visit_login_over", "/account/login/?again=1"),
    at("visit_second_step", "/account/login/")
        .sending("/login/", &[("username", "{lena_name}"), ("password", PASSWORD)]),
    at("second_factors_none", FACTORS).visited_by("root"),
    at("second_factors", FACTORS).visited_by("lena"),
    at("second_factor_totp", "/account/second-factors/add/totp/").visited_by("root"),
    at("second_factor_totp_wrong", "/account/second-factors/add/totp/")
        .sending("/add/totp/", &[("code", "1"), ("name", "My phone")])
        .visited_by("root"),
    at("second_factor_passkey", "/account/second-factors/add/passkey/").visited_by("root"),
    at("second_factor_email", "/account/second-factors/add/email/").visited_by("root"),
    at("second_factor_email_sent", "/account/second-factors/add/email/")
        .sending("/add/email/", &[("send", "1")])
        .visited_by("root"),
    at("second_factor_refused", "/account/second-factors/add/totp/").visited_by("lena").answering(400),
    at("second_factor_remove", "/account/second-factors/{factor}/remove/").visited_by("lena"),
    at("second_factor_gone", "/account/second-factors/{factor}/remove/").visited_by("root").answering(404),
    at("recovery_codes_new", "/account/second-factors/recovery-codes/").visited_by("lena"),
    at("recovery_codes", "/account/second-factors/recovery-codes/").sending("/recovery-codes/", &[]).visited_by("lena"),
    at("account_nothing", "/account/nothing/").answering(404),
    at("api_token", "/api/token/").answering(405),
    at("api_document", "/api/docs/"),
];
