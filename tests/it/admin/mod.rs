//! The panel over HTTP, as a browser without scripts uses it. `tests/browser/` looks at it in a real one.

mod dashboard;
mod lists;
mod login;
mod pages;
mod tokens;

pub const OUTSTANDING: &str = "/admin/token_blacklist/outstandingtoken/";
pub const BLACKLISTED: &str = "/admin/token_blacklist/blacklistedtoken/";
pub const USERS: &str = "/admin/auth/user/";
