//! `PATH_ALIASES`: further paths of the API's endpoints, so that the clients of a Django project need no change.

use super::parse::{self, ValueError};

/// A further path of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathAlias {
    /// The path, without its last slash: `/auth/jwt/create`.
    pub path: String,
    /// The endpoint below `/api/`, without its last slash: `token/refresh`.
    pub endpoint: &'static str,
}

/// The endpoints that an alias can lead to, below `/api/`; a test compares them with the routes.
pub const ALIASED: &[&str] = &[
    "token",
    "token/refresh",
    "token/verify",
    "token/blacklist",
    "token/introspect",
    "token/revoke",
    "token/sliding",
    "token/sliding/refresh",
    "token/second-factor",
    "token/second-factor/email",
    "token/second-factor/passkey",
    "me",
    "sessions",
    "logout",
    "password/change",
    "password/reset",
    "password/reset/confirm",
    "email/change",
    "email/confirm",
    "second-factors",
    "second-factors/confirm",
    "second-factors/challenge",
    "second-factors/recovery-codes",
];

/// `/auth/jwt/create/=token,/auth/jwt/refresh/=refresh`
pub(super) fn path_aliases(value: &str) -> Result<Vec<PathAlias>, ValueError> {
    let aliases = parse::some(path_alias)(value)?;
    let mut paths: Vec<_> = aliases.iter().map(|alias| &alias.path).collect();
    paths.sort();
    paths.dedup();
    if paths.len() < aliases.len() { Err("has one path twice".to_owned()) } else { Ok(aliases) }
}

fn path_alias(value: &str) -> Result<PathAlias, ValueError> {
    let (path, name) = value.split_once('=').ok_or_else(|| "is not PATH=ENDPOINT".to_owned())?;
    let (path, name) = (path.trim().trim_end_matches('/'), name.trim().trim_matches('/'));
    let is_good = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte);
    if !path.starts_with('/') || path.contains("//") || !path.bytes().all(is_good) {
        return Err("does not begin with a path such as /auth/jwt/create/".to_owned());
    }
    let taken = ["/admin", "/account", "/static", "/healthz", "/readyz"];
    if let Some(taken) = taken.into_iter().find(|taken| path == *taken || path.starts_with(&format!("{taken}/"))) {
        return Err(format!("is below {taken}, which has pages of its own"));
    }
    // `refresh` for `token/refresh`, as long as the last word means one endpoint.
    let is_meant = |endpoint: &&&str| **endpoint == name || endpoint.strip_prefix("token/") == Some(name);
    let endpoint = ALIASED.iter().find(is_meant).ok_or_else(|| format!("names {name:?}, which is not an endpoint"))?;
    Ok(PathAlias { path: path.to_owned(), endpoint })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_is_a_path_and_an_endpoint() {
        let aliases = path_aliases("/auth/jwt/create/=token, /auth/jwt/refresh=refresh,/bye/=logout").unwrap();
        let pairs: Vec<_> = aliases.iter().map(|alias| (alias.path.as_str(), alias.endpoint)).collect();
        assert_eq!(pairs, [("/auth/jwt/create", "token"), ("/auth/jwt/refresh", "token/refresh"), ("/bye", "logout")]);
        for bad in
            ["token", "/a", "a=token", "/a=tokens", "/=token", "/a{b}=token", "/admin/x=token", "/a=token,/a/=me"]
        {
            assert!(path_aliases(bad).is_err(), "{bad}");
        }
    }
}
