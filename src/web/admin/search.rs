//! What was typed into a search field. A whole token is reduced to its jti, so that no live token stands in an address, a
//! history or a log; everything is answered with a redirect to a list's `?q=…`.

use actix_web::HttpResponse;
use serde::Deserialize;

use super::access::Staff;
use super::address::{self, BLACKLISTED, OUTSTANDING, USERS};
use super::csrf::CsrfForm;
use super::error::PageError;
use super::layout::{Message, Tone, see};
use crate::crypto::jwt;
use crate::tokens::explain::pasted::find_token;

/// Longer searches are cut.
const LONGEST: usize = 255;

/// The field of every search form.
#[derive(Deserialize)]
pub struct Fields {
    /// As typed.
    #[serde(default)]
    pub q: String,
}

/// What it turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub enum Sought {
    /// Nothing.
    Nothing,
    /// A name, an address, a number, a jti.
    Text(String),
    /// The jti of a whole token.
    Jti(String),
    /// A token without a jti that could be read.
    Unreadable,
}

impl Sought {
    /// Reads what was typed or pasted.
    pub fn read(typed: &str, jti_claim: Option<&str>) -> Self {
        if let Some(token) = find_token(typed) {
            let jti = jwt::peek(&token).and_then(|(_, claims)| claims.get(jti_claim?)?.as_str().map(clean));
            return jti.filter(|jti| !jti.is_empty()).map_or(Self::Unreadable, Self::Jti);
        }
        let text = clean(typed);
        if text.is_empty() { Self::Nothing } else { Self::Text(text) }
    }
}

/// Trimmed, short, and without the control characters that PostgreSQL refuses.
pub fn clean(text: &str) -> String {
    let text: String = text.chars().filter(|c| !c.is_control()).take(LONGEST).collect();
    text.trim().to_owned()
}

/// The answer to a search in `list`.
pub fn answer(staff: &Staff, list: &'static str, typed: &str) -> Result<HttpResponse, PageError> {
    match Sought::read(typed, staff.visit.app.config.jwt.jti_claim.as_deref()) {
        Sought::Nothing => Ok(see(list)),
        Sought::Text(q) => Ok(see(&address::search(list, &q))),
        Sought::Jti(jti) if list == BLACKLISTED => Ok(see(&address::search(BLACKLISTED, &jti))),
        Sought::Jti(jti) => Ok(see(&address::search(OUTSTANDING, &jti))),
        Sought::Unreadable => {
            let text = "That looks like a token, but no jti can be read from it.".to_owned();
            staff.say(Message { tone: Tone::Bad, text, link: None })?;
            Ok(see(list))
        }
    }
}

/// `POST search/`: the field in the top bar. A jti or a token leads to the tokens, anything else to the users.
pub async fn everything(staff: Staff, CsrfForm(fields): CsrfForm<Fields>) -> Result<HttpResponse, PageError> {
    let typed = fields.q.trim();
    let is_jti = typed.len() == 32 && typed.bytes().all(|byte| byte.is_ascii_hexdigit());
    answer(&staff, if is_jti { OUTSTANDING } else { USERS }, typed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;

    fn token(claims: &str) -> String {
        format!("{}.{}.c2ln", BASE64.encode(r#"{"alg":"HS256","typ":"JWT"}"#), BASE64.encode(claims))
    }

    fn read(typed: &str) -> Sought {
        Sought::read(typed, Some("jti"))
    }

    #[test]
    fn a_pasted_token_becomes_its_jti() {
        let token = token(r#"{"jti":"6a46e0a1"}"#);
        for pasted in [
            token.clone(),
            format!("  {token}\n"),
            format!("Bearer {token}"),
            format!("Authorization: Bearer {token}"),
            format!(r#"{{"refresh":"{token}","access":"x"}}"#),
            format!("\"{token}\""),
            token.rsplit_once('.').unwrap().0.to_owned(),
        ] {
            assert_eq!(read(&pasted), Sought::Jti("6a46e0a1".to_owned()), "{pasted}");
        }
    }

    #[test]
    fn a_token_without_a_jti_never_becomes_a_search() {
        assert_eq!(read(&token(r#"{"user_id":"1"}"#)), Sought::Unreadable);
        assert_eq!(read(&token(r#"{"jti":7}"#)), Sought::Unreadable);
        assert_eq!(read("eyJhbGciOiJIUzI1NiJ9.broken.c2ln"), Sought::Unreadable);
    }

    #[test]
    fn anything_else_is_searched_as_it_is() {
        for text in ["alice", "alice@example.com", "7", "jean.paul.sartre", "eyjafjallajokull", "{not json", "O'Neil"] {
            assert_eq!(read(text), Sought::Text(text.to_owned()));
        }
        assert_eq!(read(" \0\n "), Sought::Nothing);
        assert_eq!(read("a\0b"), Sought::Text("ab".to_owned()));
    }
}
