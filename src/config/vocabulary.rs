//! The closed lists of words that `JWT_*` settings take, and what they are in code.

use super::parse::{self, Fault};

/// `JWT_AUDIENCE`: written as given (text or list), any of them is accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    /// No audience is written or checked.
    None,
    /// One: written as a text.
    One(String),
    /// Several: written as a list.
    Many(Vec<String>),
}

/// What may authenticate a request: `JWT_AUTH_TOKEN_CLASSES`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenClass {
    /// Access tokens.
    Access,
    /// Sliding tokens.
    Sliding,
}

/// `JWT_USER_ID_FIELD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserIdField {
    /// Django's integer key, as text.
    Id,
    /// Our own random id (`latchkey_user.uuid`).
    Uuid,
    /// The username.
    Username,
    /// The e-mail address.
    Email,
}

/// A user field that may go into tokens: `JWT_EXTRA_CLAIMS` (a closed list).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExtraClaim {
    /// `email`
    Email,
    /// `username`
    Username,
    /// `first_name`
    FirstName,
    /// `last_name`
    LastName,
    /// `is_staff`
    IsStaff,
    /// `is_superuser`
    IsSuperuser,
    /// `is_active`
    IsActive,
}

/// A signature algorithm that SimpleJWT knows and we support.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are RFC 7518's")]
pub enum Algorithm {
    HS256,
    HS384,
    HS512,
    RS256,
    RS384,
    RS512,
    PS256,
    PS384,
    PS512,
    ES256,
    ES384,
    EdDSA,
}

pub(super) const ALGORITHMS: &[(&str, Algorithm)] = &[
    ("HS256", Algorithm::HS256),
    ("HS384", Algorithm::HS384),
    ("HS512", Algorithm::HS512),
    ("RS256", Algorithm::RS256),
    ("RS384", Algorithm::RS384),
    ("RS512", Algorithm::RS512),
    ("PS256", Algorithm::PS256),
    ("PS384", Algorithm::PS384),
    ("PS512", Algorithm::PS512),
    ("ES256", Algorithm::ES256),
    ("ES384", Algorithm::ES384),
    ("EdDSA", Algorithm::EdDSA),
];

pub(super) const USER_ID_FIELDS: &[(&str, UserIdField)] = &[
    ("id", UserIdField::Id),
    ("uuid", UserIdField::Uuid),
    ("username", UserIdField::Username),
    ("email", UserIdField::Email),
];

const EXTRA_CLAIMS: &[(&str, ExtraClaim)] = &[
    ("email", ExtraClaim::Email),
    ("username", ExtraClaim::Username),
    ("first_name", ExtraClaim::FirstName),
    ("last_name", ExtraClaim::LastName),
    ("is_staff", ExtraClaim::IsStaff),
    ("is_superuser", ExtraClaim::IsSuperuser),
    ("is_active", ExtraClaim::IsActive),
];

const TOKEN_CLASSES: &[(&str, TokenClass)] = &[
    ("access", TokenClass::Access),
    ("sliding", TokenClass::Sliding),
    ("AccessToken", TokenClass::Access),
    ("SlidingToken", TokenClass::Sliding),
];

impl Algorithm {
    /// RFC 7518's name, as it stands in a token's header.
    pub fn name(self) -> &'static str {
        name_in(ALGORITHMS, self)
    }
}

impl ExtraClaim {
    /// The field's name, which is the claim's too.
    pub fn name(self) -> &'static str {
        name_in(EXTRA_CLAIMS, self)
    }
}

impl Audience {
    /// The audiences, as a list.
    pub fn as_slice(&self) -> &[String] {
        match self {
            Self::None => &[],
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

fn name_in<T: Copy + PartialEq>(words: &[(&'static str, T)], value: T) -> &'static str {
    words.iter().find(|(_, other)| *other == value).map_or("", |(word, _)| word)
}

/// `none`, one audience, several with commas, or a JSON list.
pub(super) fn audience(value: &str) -> Result<Audience, Fault> {
    if value.eq_ignore_ascii_case("none") {
        return Ok(Audience::None);
    }
    if value.starts_with('[') {
        let entries: Vec<String> =
            serde_json::from_str(value).map_err(|_| "looks like a JSON list of texts but is none".to_owned())?;
        let is_good =
            !entries.is_empty() && entries.iter().all(|entry| !entry.is_empty() && parse::text(entry).is_ok());
        return if is_good { Ok(Audience::Many(entries)) } else { Err("has an empty entry or none".to_owned()) };
    }
    let mut entries = parse::some(parse::text)(value)?;
    Ok(if entries.len() == 1 { Audience::One(entries.remove(0)) } else { Audience::Many(entries) })
}

/// `access` or `sliding`; of SimpleJWT's dotted names the last part counts.
pub(super) fn token_class(value: &str) -> Result<TokenClass, Fault> {
    let last = value.rsplit('.').next().unwrap_or(value);
    parse::choice(TOKEN_CLASSES)(last).map_err(|_| "is neither access nor sliding".to_owned())
}

/// The closed list; a hash of a password has no business in a token that any browser can read.
pub(super) fn extra_claims(value: &str) -> Result<Vec<ExtraClaim>, Fault> {
    if value.eq_ignore_ascii_case("none") {
        return Ok(Vec::new());
    }
    parse::some(|word| match word {
        "password" => Err("would publish password hashes: everybody can read a token".to_owned()),
        word => parse::choice(EXTRA_CLAIMS)(word),
    })(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_audience_is_one_or_a_list() {
        let many = |entries: &[&str]| Ok(Audience::Many(entries.iter().map(|entry| (*entry).to_owned()).collect()));
        assert_eq!(audience("a"), Ok(Audience::One("a".to_owned())));
        assert_eq!(audience("a, b"), many(&["a", "b"]));
        assert_eq!(audience(r#"["a"]"#), many(&["a"]));
        assert_eq!(audience(r#"["a,b", "c"]"#), many(&["a,b", "c"]));
        assert_eq!(audience("None"), Ok(Audience::None));
        for bad in ["[", "[]", "[1]", r#"[""]"#, ","] {
            assert!(audience(bad).is_err(), "{bad}");
        }
        assert_eq!(audience("a,b").unwrap().as_slice().len(), 2);
    }

    #[test]
    fn token_classes_may_be_named_as_in_simplejwt() {
        assert_eq!(token_class("access"), Ok(TokenClass::Access));
        assert_eq!(token_class("rest_framework_simplejwt.tokens.SlidingToken"), Ok(TokenClass::Sliding));
        assert!(token_class("rest_framework_simplejwt.tokens.UntypedToken").is_err());
    }

    #[test]
    fn the_password_is_never_a_claim() {
        assert_eq!(extra_claims("email, is_staff"), Ok(vec![ExtraClaim::Email, ExtraClaim::IsStaff]));
        assert_eq!(extra_claims("none"), Ok(Vec::new()));
        assert!(extra_claims("email,password").unwrap_err().contains("hashes"));
        assert!(extra_claims("groups").is_err());
    }

    #[test]
    fn every_word_has_a_name() {
        assert_eq!(Algorithm::EdDSA.name(), "EdDSA");
        assert_eq!(ExtraClaim::IsSuperuser.name(), "is_superuser");
    }
}
