//! The words that `JWT_*` settings accept, as enums.

use super::parse::{self, ValueError};

/// `JWT_AUDIENCE`: written as given (one or a list); any of them is accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    /// No audience is written or checked.
    None,
    /// One: written as a text.
    One(String),
    /// Several: written as a list.
    Many(Vec<String>),
}

/// Tokens that may authenticate a request: `JWT_AUTH_TOKEN_CLASSES`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::EnumString)]
#[strum(ascii_case_insensitive)]
pub enum TokenClass {
    /// Access tokens.
    #[strum(serialize = "access", serialize = "AccessToken")]
    Access,
    /// Sliding tokens.
    #[strum(serialize = "sliding", serialize = "SlidingToken")]
    Sliding,
}

/// `JWT_USER_ID_FIELD`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserIdField {
    /// The primary key, as text.
    Id,
    /// A unique column. `uuid` is our own random id (`latchkey_user.uuid`) where the user table has no such column.
    Column(String),
}

/// `JWT_USER_ID_CLAIM_TYPE`: how an integer key is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::VariantArray, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum UserIdClaimType {
    /// `"7"`, as SimpleJWT writes it since 5.5.1.
    Text,
    /// `7`, as it did before.
    Number,
}

/// A user field that tokens may contain: `JWT_EXTRA_CLAIMS` (a closed list).
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::VariantArray, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
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

/// A signature algorithm of SimpleJWT's that we support.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::VariantArray, strum::IntoStaticStr)]
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

impl Algorithm {
    /// RFC 7518's name, as in a token's header.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

impl ExtraClaim {
    /// The name of the field and of the claim.
    pub fn name(self) -> &'static str {
        self.into()
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

/// `none`, one audience, several with commas, or a JSON list.
pub(super) fn audience(value: &str) -> Result<Audience, ValueError> {
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

/// `access` or `sliding`; of SimpleJWT's dotted names only the last part counts.
pub(super) fn token_class(value: &str) -> Result<TokenClass, ValueError> {
    let last = value.rsplit('.').next().unwrap_or(value);
    last.parse().map_err(|_| "is neither access nor sliding".to_owned())
}

/// `id`, `pk` as in Django, or a column.
pub(super) fn user_id_field(value: &str) -> Result<UserIdField, ValueError> {
    match value {
        "id" | "pk" => Ok(UserIdField::Id),
        "password" => Err("would publish password hashes: everybody can read a token".to_owned()),
        _ => column_name(value).map(UserIdField::Column),
    }
}

/// The name of a column or a table.
pub(super) fn column_name(value: &str) -> Result<String, ValueError> {
    let is_good = |c: char| c.is_alphanumeric() || "_$.- ".contains(c);
    if value.chars().all(is_good) && value.len() <= 128 {
        Ok(value.to_owned())
    } else {
        Err("is not the name of a column".to_owned())
    }
}

/// A closed list: a password hash must not appear in a token, which any browser can read.
pub(super) fn extra_claims(value: &str) -> Result<Vec<ExtraClaim>, ValueError> {
    if value.eq_ignore_ascii_case("none") {
        return Ok(Vec::new());
    }
    parse::some(|word| match word {
        "password" => Err("would publish password hashes: everybody can read a token".to_owned()),
        word => parse::variant(word),
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
