//! Reads what a user pasted: a token, bare or after `Bearer`, over several lines, or in a JSON answer; or the id of
//! one. The panel's search fields read it the same way.

use serde_json::Value;

/// The fields of a JSON answer that hold a token; the first one present counts.
const FIELDS: [&str; 4] = ["refresh", "refresh_token", "token", "access"];

/// The longest id that a token can have.
const LONGEST_ID: usize = 255;

/// What the text is. No `Debug`: a token is a secret.
#[derive(PartialEq, Eq)]
pub enum Pasted {
    /// Nothing but white space.
    Nothing,
    /// A token, or a text that the server would treat as an invalid one.
    Token(String),
    /// A jti.
    Jti(String),
}

impl Pasted {
    /// Reads the text.
    pub fn read(pasted: &str) -> Self {
        if let Some(token) = find_token(pasted) {
            return Self::Token(token);
        }
        let text = pasted.trim();
        let is_id = text.chars().count() <= LONGEST_ID
            && !text.contains(|c: char| c == '.' || c.is_whitespace() || c.is_control());
        match (text.is_empty(), is_id) {
            (true, _) => Self::Nothing,
            (false, true) => Self::Jti(text.to_owned()),
            (false, false) => Self::Token(text.to_owned()),
        }
    }
}

/// Finds the token in a text, if something in it looks like one.
pub fn find_token(pasted: &str) -> Option<String> {
    let pasted = pasted.trim();
    if pasted.starts_with('{') {
        let answer: Value = serde_json::from_str(pasted).ok()?;
        let token = FIELDS.into_iter().find_map(|name| answer.get(name)?.as_str())?;
        return is_token(token).then(|| token.to_owned());
    }
    let words: Vec<&str> =
        pasted.split(|c: char| c.is_whitespace() || ":\"',".contains(c)).filter(|word| !word.is_empty()).collect();
    // A terminal breaks a token into lines: then its words together make one.
    let start = words.iter().position(|word| word.starts_with("ey"))?;
    let joined = words[start..].concat();
    let last = words[start..].iter().rfind(|word| is_token(word));
    if is_token(&joined) { Some(joined) } else { last.map(|word| (*word).to_owned()) }
}

/// Two or three parts in base64url, of which the first is an object (`{"` is `eyJ`).
fn is_token(text: &str) -> bool {
    let is_base64 = |part: &str| part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_=".contains(&b));
    let parts: Vec<&str> = text.split('.').collect();
    (2..=3).contains(&parts.len()) && text.starts_with("ey") && parts[0].len() > 10 && parts.into_iter().all(is_base64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.eyJqdGkiOiI2YTQ2ZTBhMSJ9.c2ln";

    #[test]
    fn a_token_is_found_however_it_was_copied() {
        let (start, end) = TOKEN.split_at(30);
        for pasted in [
            TOKEN.to_owned(),
            format!("  {TOKEN}\n"),
            format!("Bearer {TOKEN}"),
            format!("JWT {TOKEN}"),
            format!("Authorization: Bearer {TOKEN}"),
            format!("X-Access-Token:{TOKEN}"),
            format!("Authorization: Bearer {start}\n   {end}"),
            format!("curl -H 'Authorization: Bearer {TOKEN}' https://api.example.com/me/"),
            format!(r#"{{"access":"x","refresh":"{TOKEN}"}}"#),
            format!("\"{TOKEN}\","),
        ] {
            assert_eq!(find_token(&pasted).as_deref(), Some(TOKEN), "{pasted}");
        }
        let stored = TOKEN.rsplit_once('.').unwrap().0;
        assert_eq!(find_token(stored).as_deref(), Some(stored));
    }

    #[test]
    fn what_is_no_token_may_be_the_id_of_one() {
        assert!(Pasted::read(" \n ") == Pasted::Nothing);
        for id in ["6a46e0a19d1b4f3c8f3d2b1a0c9e8d7f", "eyjafjallajokull", "7"] {
            assert!(Pasted::read(&format!(" {id}\n")) == Pasted::Jti(id.to_owned()));
        }
        for bad in ["a.b", "a b", "{\"refresh\": 5}", "a\0b", &"x".repeat(256), "eyJhbGciOiJIUzI1NiJ9.!.x"] {
            assert!(Pasted::read(bad) == Pasted::Token(bad.to_owned()), "{bad}");
        }
    }
}
