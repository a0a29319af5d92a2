//! JSON web tokens: PyJWT's rules for reading, SimpleJWT's layout for writing. Pure CPU.
//! The claims that a standard defines are checked in `registered`. Which claims a token has, and what they mean to us, is in `tokens`.

use serde_json::Value;

pub use super::claims::{Claims, Expect};
use super::decode_error::DecodeError;
use super::keys::Keys;
use super::registered;
use super::segment;
use super::signature::VerifyingKey;
use crate::config::Algorithm;

/// `header.payload`, without a signature, as it is stored.
pub fn unsigned(keys: &Keys, claims: &Claims) -> String {
    format!("{}.{}", keys.header(), segment::write(claims))
}

/// Signs `header.payload` and returns the whole token.
pub fn sign(keys: &Keys, unsigned: &str) -> String {
    format!("{unsigned}.{}", keys.sign(unsigned))
}

/// Reads a token and checks its signature, then its registered claims, as PyJWT does.
///
/// # Errors
/// The first check that fails: [`DecodeError::Expired`] only if everything that PyJWT checks before `exp` passes.
pub fn decode(key: &VerifyingKey, token: &str, expect: &Expect<'_>) -> Result<Claims, DecodeError> {
    let claims = authentic(key, token)?;
    registered::check(&claims, expect)?;
    Ok(claims)
}

/// The same for a stored `header.payload`, which has no signature. Only to explain a token: it authenticates nobody.
///
/// # Errors
/// As `decode`, but for the signature.
pub fn decode_unsigned(text: &str, algorithm: Algorithm, expect: &Expect<'_>) -> Result<Claims, DecodeError> {
    let (header, claims) = peek(text).ok_or(DecodeError::Form)?;
    header_fits(&header, algorithm)?;
    registered::check(&claims, expect)?;
    Ok(claims)
}

/// The `kid` of a token that a key for this algorithm may have signed: it is well-formed and its header fits.
///
/// # Errors
/// What is wrong with the header.
pub fn kid(token: &str, algorithm: Algorithm) -> Result<String, DecodeError> {
    let (header, _) = peek(token).ok_or(DecodeError::Form)?;
    header_fits(&header, algorithm)?;
    header.get("kid").and_then(Value::as_str).map(str::to_owned).ok_or(DecodeError::NoKeyId)
}

/// Whether this key signed the token, whatever the payload.
pub fn is_signed_with(key: &VerifyingKey, token: &str) -> bool {
    matches!(authentic(key, token), Ok(_) | Err(DecodeError::Payload))
}

/// Header and claims of a token or of `header.payload`, unchecked; `None` if it is not a JWT.
pub fn peek(token: &str) -> Option<(Claims, Claims)> {
    let segments: Vec<&str> = token.splitn(4, '.').collect();
    match segments[..] {
        [header, payload] | [header, payload, _] => Some((segment::object(header)?, segment::object(payload)?)),
        _ => None,
    }
}

/// The claims of a well-formed token that this key signed (RFC 7515, 5.2).
fn authentic(key: &VerifyingKey, token: &str) -> Result<Claims, DecodeError> {
    let (message, signature) = token.rsplit_once('.').ok_or(DecodeError::Form)?;
    let (header, payload) =
        message.split_once('.').filter(|(_, payload)| !payload.contains('.')).ok_or(DecodeError::Form)?;
    let signature = segment::unpadded(signature).ok_or(DecodeError::Form)?;
    header_fits(&segment::object(header).ok_or(DecodeError::Form)?, key.algorithm())?;
    if !key.verify(message.as_bytes(), signature) {
        return Err(DecodeError::Signature);
    }
    segment::object(payload).ok_or(DecodeError::Payload)
}

/// The algorithm, and PyJWT's rules for `kid`, `crit` (RFC 7515, 4.1.11) and `b64` (RFC 7797); `typ` may be anything.
fn header_fits(header: &Claims, algorithm: Algorithm) -> Result<(), DecodeError> {
    if header.get("alg").is_none_or(|alg| alg != algorithm.name()) {
        return Err(DecodeError::Algorithm);
    }
    let kid = header.get("kid").is_none_or(Value::is_string);
    let crit = header.get("crit").is_none_or(|crit| {
        let names = crit.as_array().filter(|names| !names.is_empty());
        header.contains_key("b64") && names.is_some_and(|names| names.iter().all(|name| name == "b64"))
    });
    if kid && crit && header.get("b64") != Some(&Value::Bool(false)) { Ok(()) } else { Err(DecodeError::Header) }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::json;

    use super::*;
    use crate::crypto::keys::tests::hs256;

    const NOW: f64 = 1_700_000_000.5;

    fn expect() -> Expect<'static> {
        Expect { audience: &[], issuer: None, leeway: 0.0, now: NOW }
    }

    fn token(header: &str, payload: &str) -> String {
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
        sign(&hs256(), &message)
    }

    fn verdict(header: &str, payload: &str) -> Result<Claims, DecodeError> {
        decode(hs256().verifying(), &token(header, payload), &expect())
    }

    #[test]
    fn a_token_is_byte_for_byte_that_of_pyjwt() {
        let claims = json!({"token_type": "access", "exp": 1_700_000_300, "n": "é😀\u{7f}\n\"/", "l": [1, null, true]});
        let unsigned = unsigned(&hs256(), claims.as_object().unwrap());
        assert_eq!(
            sign(&hs256(), &unsigned),
            concat!(
                "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.",
                "eyJ0b2tlbl90eXBlIjoiYWNjZXNzIiwiZXhwIjoxNzAwMDAwMzAwLCJuIjoiXHUwMGU5XHVkODNkXHVk",
                "ZTAwXHUwMDdmXG5cIi8iLCJsIjpbMSxudWxsLHRydWVdfQ.",
                "KX290uTLep_WPjqw5kVkhXiGUcOaBwehJ9a22hKKFqk"
            )
        );
    }

    #[test]
    fn a_signed_token_reads_back_with_its_claims_in_their_order() {
        let claims = json!({"z": 1, "exp": 1_700_000_300, "a": {"b": [1.5]}});
        let claims = claims.as_object().unwrap();
        let token = sign(&hs256(), &unsigned(&hs256(), claims));
        let read = decode(hs256().verifying(), &token, &expect()).unwrap();
        assert_eq!(read.keys().collect::<Vec<_>>(), ["z", "exp", "a"]);
        assert_eq!(&read, claims);
    }

    #[test]
    fn peek_reads_a_token_with_or_without_its_signature() {
        let token = token(r#"{"alg":"none"}"#, r#"{"exp":1}"#);
        let (header, claims) = peek(&token).unwrap();
        assert_eq!((&header["alg"], &claims["exp"]), (&json!("none"), &json!(1)));
        let (unsigned, _) = token.rsplit_once('.').unwrap();
        assert_eq!(peek(unsigned), Some((header, claims)));
        for not in ["", "a", "a.b", "..", "e30.e30.x.y", "e30.W10.x"] {
            assert_eq!(peek(not), None, "{not}");
        }
    }

    #[test]
    fn the_kid_is_that_of_a_token_which_could_be_ours() {
        let kid = |header: &str, payload: &str| kid(&token(header, payload), Algorithm::HS256);
        assert_eq!(kid(r#"{"alg":"HS256","kid":"a"}"#, "{}"), Ok("a".to_owned()));
        for (header, fault) in [
            (r#"{"alg":"HS256"}"#, DecodeError::NoKeyId),
            (r#"{"alg":"HS256","kid":5}"#, DecodeError::Header),
            (r#"{"alg":"HS384","kid":"a"}"#, DecodeError::Algorithm),
            ("a", DecodeError::Form),
        ] {
            assert_eq!(kid(header, "{}"), Err(fault), "{header}");
        }
        assert_eq!(kid(r#"{"alg":"HS256","kid":"a"}"#, "[]"), Err(DecodeError::Form));
    }

    #[test]
    fn a_foreign_signature_algorithm_or_shape_is_invalid() {
        let good = token(r#"{"alg":"HS256"}"#, "{}");
        assert_eq!(decode(hs256().verifying(), &good, &expect()), Ok(Claims::new()));
        let (message, signature) = good.rsplit_once('.').unwrap();
        // The last letter has two bits to spare, and another letter says the same with them.
        let twin = char::from(signature.as_bytes()[42] + 1);
        for bad in [
            format!("{message}.{}{twin}", &signature[..42]),
            format!("{message}."),
            format!("{message}.{}", &signature[..42]),
            format!("{message}.{}", signature.replace(&signature[..1], if &signature[..1] == "A" { "B" } else { "A" })),
            format!("{good}=="),
            format!(" {good}"),
            format!("{good}\n"),
            format!("x.{good}"),
            message.to_owned(),
            signature.to_owned(),
            String::new(),
            "..".to_owned(),
            "é.é.é".to_owned(),
        ] {
            let fault = decode(hs256().verifying(), &bad, &expect()).unwrap_err();
            assert!(matches!(fault, DecodeError::Form | DecodeError::Signature), "{bad}: {fault:?}");
        }
        for header in [
            "{}",
            r#"{"alg":"none"}"#,
            r#"{"alg":"hs256"}"#,
            r#"{"alg":"HS512"}"#,
            r#"{"alg":null}"#,
            r#"{"alg":["HS256"]}"#,
            r#"["alg"]"#,
            "alg",
            "",
        ] {
            let fault = verdict(header, "{}").unwrap_err();
            assert!(matches!(fault, DecodeError::Form | DecodeError::Algorithm), "{header}: {fault:?}");
        }
    }

    #[test]
    fn critical_headers_other_than_b64_and_kids_that_are_no_text_are_invalid() {
        for (extra, ok) in [
            (r#""typ":5"#, true),
            (r#""kid":"k""#, true),
            (r#""kid":null"#, false),
            (r#""kid":5"#, false),
            (r#""b64":true"#, true),
            (r#""b64":false"#, false),
            (r#""b64":true,"crit":["b64"]"#, true),
            (r#""b64":false,"crit":["b64"]"#, false),
            (r#""crit":["b64"]"#, false),
            (r#""crit":[]"#, false),
            (r#""crit":null"#, false),
            (r#""crit":["exp"],"exp":1"#, false),
        ] {
            let wanted = if ok { Ok(Claims::new()) } else { Err(DecodeError::Header) };
            assert_eq!(verdict(&format!(r#"{{"alg":"HS256",{extra}}}"#), "{}"), wanted, "{extra}");
        }
    }

    #[test]
    fn the_registered_claims_of_a_well_signed_token_are_checked() {
        for (payload, wanted) in [
            (r#"{"exp":1700000300}"#, Ok(())),
            (r#"{"exp":1}"#, Err(DecodeError::Expired)),
            (r#"{"exp":1e999}"#, Err(DecodeError::Payload)),
            (r#"{"exp":NaN}"#, Err(DecodeError::Payload)),
            (r#"{"sub":5}"#, Err(DecodeError::NotAText)),
        ] {
            assert_eq!(verdict(r#"{"alg":"HS256"}"#, payload).map(drop), wanted, "{payload}");
        }
    }

    #[test]
    fn of_two_claims_with_one_name_the_last_counts() {
        assert_eq!(verdict(r#"{"alg":"HS256"}"#, r#"{"exp":1,"exp":1700000300}"#).unwrap().len(), 1);
        assert_eq!(verdict(r#"{"alg":"HS256"}"#, r#"{"exp":1700000300,"exp":1}"#), Err(DecodeError::Expired));
        assert_eq!(verdict(r#"{"alg":"none","alg":"HS256"}"#, "{}"), Ok(Claims::new()));
    }

    #[test]
    fn what_is_stored_is_checked_as_the_token_was_but_for_its_signature() {
        let text = |header: &str, payload: &str| token(header, payload).rsplit_once('.').unwrap().0.to_owned();
        let read = |text: &str| decode_unsigned(text, Algorithm::HS256, &expect());
        assert_eq!(read(&text(r#"{"alg":"HS256"}"#, "{}")), Ok(Claims::new()));
        assert_eq!(read(&text(r#"{"alg":"HS256"}"#, r#"{"exp":1}"#)), Err(DecodeError::Expired));
        assert_eq!(read(&text(r#"{"alg":"none"}"#, "{}")), Err(DecodeError::Algorithm));
        assert_eq!(read("a"), Err(DecodeError::Form));
    }

    #[test]
    fn a_key_knows_what_it_signed() {
        let good = token(r#"{"alg":"HS256"}"#, r#"{"exp":1}"#);
        assert!(is_signed_with(hs256().verifying(), &good));
        assert!(is_signed_with(hs256().verifying(), &token(r#"{"alg":"HS256"}"#, "[]")));
        assert!(!is_signed_with(hs256().verifying(), &good[..good.len() - 3]));
    }
}
