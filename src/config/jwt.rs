//! SimpleJWT's settings under its names (`JWT_*`), and our own claims. `crypto/` and `tokens/` apply them. `JWT_COOKIE*` are
//! in `cookie`, `JWT_AUTH_CLAIMS` is in `second_factor`.

use std::time::Duration;

use secrecy::SecretString;
use url::{Host, Url};

use super::key;
use super::parse::{self, ValueError};
use super::reader::Reader;
use super::vocabulary::{self, Algorithm, Audience, ExtraClaim, TokenClass, UserIdClaimType, UserIdField};

/// SimpleJWT's settings, under its names.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "SimpleJWT has that many switches, and these are their names")]
pub struct Jwt {
    /// Secret (HS*) or private PEM; `None` means that `SECRET_KEY` signs.
    pub signing_key: Option<SecretString>,
    /// Public PEM; `None` means that it is derived from the signing key.
    pub verifying_key: Option<SecretString>,
    /// `HS256` …
    pub algorithm: Algorithm,
    /// Lifetime of access tokens.
    pub access_token_lifetime: Duration,
    /// Lifetime of refresh tokens.
    pub refresh_token_lifetime: Duration,
    /// Lifetime of sliding tokens.
    pub sliding_token_lifetime: Duration,
    /// How long a sliding token can be refreshed.
    pub sliding_token_refresh_lifetime: Duration,
    /// A refresh also returns a new refresh token.
    pub rotate_refresh_tokens: bool,
    /// … and blacklists the old one.
    pub blacklist_after_rotation: bool,
    /// Logins write `last_login`, at most once a minute per user.
    pub update_last_login: bool,
    /// Accepted (and written) audiences; empty means none.
    pub audience: Audience,
    /// Issuer.
    pub issuer: Option<String>,
    /// Verify only with the key set there; `None` also if the algorithm has no public keys.
    pub jwk_url: Option<Url>,
    /// Tolerated clock difference.
    pub leeway: Duration,
    /// Words that may precede the token in the header; at least one.
    pub auth_header_types: Vec<String>,
    /// Name of the header in lower case: `authorization`.
    pub auth_header_name: String,
    /// Which tokens authenticate a request, tried in this order.
    pub auth_token_classes: Vec<TokenClass>,
    /// Field of the user that the user id claim contains.
    pub user_id_field: UserIdField,
    /// Name of the user id claim.
    pub user_id_claim: String,
    /// How an integer key is written in it. Unset: as in the newest stored token.
    pub user_id_claim_type: Option<UserIdClaimType>,
    /// Name of the token type claim, `None` leaves it out.
    pub token_type_claim: Option<String>,
    /// Name of the jti claim, `None` leaves it out.
    pub jti_claim: Option<String>,
    /// Name of the claim with the time until which a sliding token can be refreshed.
    pub sliding_token_refresh_exp_claim: String,
    /// User fields copied into tokens at login.
    pub extra_claims: Vec<ExtraClaim>,
    /// Inactive users cannot log in, refresh or authenticate.
    pub check_user_is_active: bool,
    /// A token becomes invalid when the password changes.
    pub check_revoke_token: bool,
    /// Name of the claim used for that.
    pub revoke_token_claim: String,
    /// Browsers get a page with a form in place of JSON.
    pub browsable_api: bool,
    /// Name of the claim with the session's id, `None` leaves it out.
    pub session_claim: Option<String>,
    /// An access token becomes invalid when its session ends.
    pub check_session: bool,
}

impl Jwt {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let mut jwt = Self {
            signing_key: reader.optional("JWT_SIGNING_KEY", key::inline_or_file),
            verifying_key: reader.optional("JWT_VERIFYING_KEY", key::inline_or_file),
            algorithm: reader.read("JWT_ALGORITHM", parse::variant),
            access_token_lifetime: reader.read("JWT_ACCESS_TOKEN_LIFETIME", parse::positive_duration),
            refresh_token_lifetime: reader.read("JWT_REFRESH_TOKEN_LIFETIME", parse::positive_duration),
            sliding_token_lifetime: reader.read("JWT_SLIDING_TOKEN_LIFETIME", parse::positive_duration),
            sliding_token_refresh_lifetime: reader.read("JWT_SLIDING_TOKEN_REFRESH_LIFETIME", parse::positive_duration),
            rotate_refresh_tokens: reader.read("JWT_ROTATE_REFRESH_TOKENS", parse::boolean),
            blacklist_after_rotation: reader.read("JWT_BLACKLIST_AFTER_ROTATION", parse::boolean),
            update_last_login: reader.read("JWT_UPDATE_LAST_LOGIN", parse::boolean),
            audience: reader.optional("JWT_AUDIENCE", vocabulary::audience).unwrap_or(Audience::None),
            issuer: reader.optional("JWT_ISSUER", parse::text_or_none).flatten(),
            jwk_url: reader.optional("JWT_JWK_URL", jwk_url),
            leeway: reader.read("JWT_LEEWAY", parse::duration),
            auth_header_types: reader.read("JWT_AUTH_HEADER_TYPES", parse::some(parse::http_token)),
            auth_header_name: reader.read("JWT_AUTH_HEADER_NAME", header_name),
            auth_token_classes: reader.read("JWT_AUTH_TOKEN_CLASSES", parse::some(vocabulary::token_class)),
            user_id_field: reader.read("JWT_USER_ID_FIELD", vocabulary::user_id_field),
            user_id_claim: reader.read("JWT_USER_ID_CLAIM", claim_name),
            user_id_claim_type: reader.optional("JWT_USER_ID_CLAIM_TYPE", parse::variant),
            token_type_claim: reader.read("JWT_TOKEN_TYPE_CLAIM", claim_name_or_none),
            jti_claim: reader.read("JWT_JTI_CLAIM", claim_name_or_none),
            sliding_token_refresh_exp_claim: reader.read("JWT_SLIDING_TOKEN_REFRESH_EXP_CLAIM", claim_name),
            extra_claims: reader.optional("JWT_EXTRA_CLAIMS", vocabulary::extra_claims).unwrap_or_default(),
            check_user_is_active: reader.read("JWT_CHECK_USER_IS_ACTIVE", parse::boolean),
            check_revoke_token: reader.read("JWT_CHECK_REVOKE_TOKEN", parse::boolean),
            revoke_token_claim: reader.read("JWT_REVOKE_TOKEN_CLAIM", claim_name),
            browsable_api: reader.read("JWT_BROWSABLE_API", parse::boolean),
            session_claim: reader.read("JWT_SESSION_CLAIM", claim_name_or_none),
            check_session: reader.read("JWT_CHECK_SESSION", parse::boolean),
        };
        if jwt.check_session && jwt.session_claim.is_none() {
            let fault = "leaves out what JWT_CHECK_SESSION needs: which session an access token is of";
            reader.refuse_with("JWT_SESSION_CLAIM", Some("none"), fault, "JWT_SESSION_CLAIM=sid");
        }
        if jwt.token_type_claim.is_none() {
            reader.warnings.push(
                "JWT_TOKEN_TYPE_CLAIM=none: every token is taken for every purpose, so that an access token can be refreshed"
                    .to_owned(),
            );
        }
        jwt.refuse_claims_of_one_name(reader);
        jwt.look_at_jwk_url(reader);
        jwt
    }

    /// The claims with configurable names, and the settings that name them.
    pub(super) fn named_claims(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let named = [
            ("JWT_USER_ID_CLAIM", Some(&self.user_id_claim)),
            ("JWT_TOKEN_TYPE_CLAIM", self.token_type_claim.as_ref()),
            ("JWT_JTI_CLAIM", self.jti_claim.as_ref()),
            ("JWT_SLIDING_TOKEN_REFRESH_EXP_CLAIM", Some(&self.sliding_token_refresh_exp_claim)),
            ("JWT_REVOKE_TOKEN_CLAIM", Some(&self.revoke_token_claim)),
            ("JWT_SESSION_CLAIM", self.session_claim.as_ref()),
        ];
        named.into_iter().filter_map(|(setting, claim)| Some((setting, claim?.as_str())))
    }

    /// Two claims with the same name would overwrite each other and change what the tokens mean.
    fn refuse_claims_of_one_name(&self, reader: &mut Reader<'_>) {
        let extra = self.extra_claims.iter().map(|claim| ("JWT_EXTRA_CLAIMS", claim.name()));
        let mut taken: Vec<(&str, &str)> = Vec::new();
        for (setting, claim) in self.named_claims().chain(extra) {
            match taken.iter().find(|(_, other)| *other == claim) {
                Some((other, _)) => {
                    let fault = format!("uses the claim {claim:?}, which {other} uses already");
                    reader.refuse(setting, None, &fault);
                }
                None => taken.push((setting, claim)),
            }
        }
    }

    /// Warns about the surprises of a remote key set. With a secret it has no effect, as in SimpleJWT.
    fn look_at_jwk_url(&mut self, reader: &mut Reader<'_>) {
        use Algorithm::{HS256, HS384, HS512};
        if self.jwk_url.is_none() {
            return;
        }
        if matches!(self.algorithm, HS256 | HS384 | HS512) {
            let name = self.algorithm.name();
            reader.warnings.push(format!("JWT_JWK_URL has no use with {name}: a secret is in no public key set"));
            self.jwk_url = None;
        } else {
            reader.warnings.push(
                "JWT_JWK_URL is set: only tokens that name a key of that set are accepted. Those that this server \
                 issues name none, as in SimpleJWT, so it refuses them itself"
                    .to_owned(),
            );
        }
    }
}

/// Keys fetched over an unprotected connection could be anybody's.
fn jwk_url(value: &str) -> Result<Url, ValueError> {
    let url = Url::parse(value).map_err(|_| "is not a web address".to_owned())?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("holds a name or password".to_owned());
    }
    let is_this_machine = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_this_machine => Ok(url),
        _ => Err("does not start with https:// (http:// will do on this machine only)".to_owned()),
    }
}

/// `X-Access-Token`, or Django's spelling of it: `HTTP_X_ACCESS_TOKEN`.
fn header_name(value: &str) -> Result<String, ValueError> {
    let name = value.strip_prefix("HTTP_").map(|name| name.replace('_', "-"));
    parse::header_name(name.as_deref().unwrap_or(value))
}

fn claim_name(value: &str) -> Result<String, ValueError> {
    claim_name_or_none(value)?.ok_or_else(|| "cannot be left out".to_owned())
}

/// A claim's name; names with a fixed meaning in RFC 7519 that are written anyway are refused.
fn claim_name_or_none(value: &str) -> Result<Option<String>, ValueError> {
    if matches!(value, "exp" | "iat" | "nbf" | "iss" | "aud") {
        return Err("is a claim that means something else (RFC 7519 section 4.1)".to_owned());
    }
    parse::text_or_none(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_sets_come_over_https_or_from_this_machine() {
        for good in
            ["https://a.example/jwks?p=1", "http://localhost:8000/jwks", "http://127.1.2.3/", "http://[::1]:8000/jwks"]
        {
            assert!(jwk_url(good).is_ok(), "{good}");
        }
        for bad in [
            "http://a.example/jwks",
            "http://localhost.example/",
            "http://10.0.0.1/",
            "http://0.0.0.0/",
            "https://user:pass@a.example/",
            "https://user@a.example/",
            "file:///etc/jwks.json",
            "ftp://localhost/jwks",
            "a.example/jwks",
            "https://",
        ] {
            assert!(jwk_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_key_set_has_no_use_with_a_secret_and_a_warning_without() {
        let load = |algorithm: &'static str| {
            let get = move |name: &str| match name {
                "JWT_JWK_URL" => Some("https://a.example/jwks".to_owned()),
                "JWT_ALGORITHM" => Some(algorithm.to_owned()),
                _ => None,
            };
            let mut reader = Reader::new(&get);
            (Jwt::read(&mut reader).jwk_url, reader.warnings.join(""))
        };
        let (url, warning) = load("HS512");
        assert!(url.is_none() && warning.contains("no use with HS512"), "{warning}");
        let (url, warning) = load("ES256");
        assert!(url.is_some() && warning.contains("issues name none"), "{warning}");
    }
}
