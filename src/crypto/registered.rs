//! The registered claims of a token (RFC 7519, 4.1), checked by PyJWT's rules. Called by `jwt`, after the signature.
//! The errors are in `decode_error`.

use serde_json::Value;

use super::claims::{Claims, Expect};
use super::decode_error::DecodeError;

/// Checks the times first: they decide between invalid and expired.
pub fn check(claims: &Claims, expect: &Expect<'_>) -> Result<(), DecodeError> {
    check_times(claims, expect)?;
    if !texts_are_texts(claims) {
        return Err(DecodeError::NotAText);
    }
    if !issuer_fits(claims, expect) {
        return Err(DecodeError::Issuer);
    }
    if audience_fits(claims, expect) { Ok(()) } else { Err(DecodeError::Audience) }
}

/// `iat`, `nbf`, `exp`, in PyJWT's order, which decides between invalid and expired (RFC 7519, 4.1.4 to 4.1.6).
fn check_times(claims: &Claims, expect: &Expect<'_>) -> Result<(), DecodeError> {
    for name in ["iat", "nbf"] {
        if let Some(claim) = claims.get(name) {
            let from = seconds(claim).ok_or(DecodeError::NotATime(name))?;
            if from > expect.now + expect.leeway {
                return Err(DecodeError::TooEarly(name));
            }
        }
    }
    if let Some(claim) = claims.get("exp") {
        let until = seconds(claim).ok_or(DecodeError::NotATime("exp"))?;
        if until <= expect.now - expect.leeway {
            return Err(DecodeError::Expired);
        }
        // A string of digits passes PyJWT, and makes SimpleJWT fail (500).
        if claim.is_string() {
            return Err(DecodeError::NotATime("exp"));
        }
    }
    Ok(())
}

/// Python's `int(claim)`: whole seconds from a number, a boolean or a string of digits.
fn seconds(claim: &Value) -> Option<f64> {
    match claim {
        Value::Bool(value) => Some(f64::from(u8::from(*value))),
        Value::Number(number) => number.as_f64().map(f64::trunc),
        Value::String(text) => {
            let digits = text.trim();
            let digits = digits.strip_prefix(['+', '-']).unwrap_or(digits);
            let plain = digits.split('_').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
            if plain { text.trim().replace('_', "").parse().ok() } else { None }
        }
        _ => None,
    }
}

/// `sub`, `jti` and `iss` are strings where present. (PyJWT lets a foreign `iss` pass, and then cannot copy it.)
fn texts_are_texts(claims: &Claims) -> bool {
    ["sub", "jti", "iss"].iter().all(|name| claims.get(*name).is_none_or(Value::is_string))
}

fn issuer_fits(claims: &Claims, expect: &Expect<'_>) -> bool {
    expect.issuer.is_none_or(|issuer| claims.get("iss").is_some_and(|iss| iss == issuer))
}

/// A string, or a list of only strings, one of which is accepted (RFC 7519, 4.1.3).
fn audience_fits(claims: &Claims, expect: &Expect<'_>) -> bool {
    let accepted = |aud: &Value| expect.audience.iter().any(|wanted| aud == wanted);
    match claims.get("aud") {
        _ if expect.audience.is_empty() => true,
        Some(Value::Array(list)) => list.iter().all(Value::is_string) && list.iter().any(accepted),
        // PyJWT treats an empty string as a missing audience, even if the settings require one.
        Some(aud @ Value::String(text)) => !text.is_empty() && accepted(aud),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: f64 = 1_700_000_000.5;

    fn expect() -> Expect<'static> {
        Expect { audience: &[], issuer: None, leeway: 0.0, now: NOW }
    }

    fn on(claims: Value, expect: &Expect<'_>) -> Result<(), DecodeError> {
        check(claims.as_object().unwrap(), expect)
    }

    #[test]
    fn exp_is_anything_that_python_makes_an_integer_of() {
        use DecodeError::Expired;
        const NO_TIME: DecodeError = DecodeError::NotATime("exp");
        for (exp, wanted) in [
            (json!(1_700_000_001), Ok(())),
            (json!(1_700_000_000), Err(Expired)),
            (json!(1_700_000_001.9), Ok(())),
            (json!(1_700_000_000.9), Err(Expired)),
            (json!(1e300), Ok(())),
            (json!(u64::MAX), Ok(())),
            (json!(i64::MIN), Err(Expired)),
            (json!(true), Err(Expired)),
            (json!(" +1_0 "), Err(Expired)),
            (json!("-5"), Err(Expired)),
            (json!("1700000300"), Err(NO_TIME)),
            (json!("1__0"), Err(NO_TIME)),
            (json!("soon"), Err(NO_TIME)),
            (json!(""), Err(NO_TIME)),
            (json!("1.5"), Err(NO_TIME)),
            (json!("nan"), Err(NO_TIME)),
            (Value::Null, Err(NO_TIME)),
            (json!([]), Err(NO_TIME)),
            (json!({}), Err(NO_TIME)),
        ] {
            assert_eq!(on(json!({"exp": exp}), &expect()), wanted, "{exp}");
        }
    }

    #[test]
    fn a_token_from_the_future_is_invalid_before_it_is_expired() {
        for (claims, fault) in [
            (json!({"iat": 1_700_000_001}), DecodeError::TooEarly("iat")),
            (json!({"nbf": 1_700_000_001, "exp": 1}), DecodeError::TooEarly("nbf")),
            (json!({"iat": "later", "exp": 1}), DecodeError::NotATime("iat")),
            (json!({"iat": null}), DecodeError::NotATime("iat")),
        ] {
            assert_eq!(on(claims.clone(), &expect()), Err(fault), "{claims}");
        }
        for claims in [json!({"iat": 1_700_000_000, "nbf": -1}), json!({"iat": 1_700_000_000.9}), json!({"iat": "10"})]
        {
            assert_eq!(on(claims.clone(), &expect()), Ok(()), "{claims}");
        }
        assert_eq!(on(json!({"exp": 1, "jti": 5}), &expect()), Err(DecodeError::Expired));
    }

    #[test]
    fn leeway_moves_every_limit() {
        let lenient = Expect { leeway: 30.0, ..expect() };
        assert_eq!(on(json!({"iat": 1_700_000_030, "nbf": 1_700_000_030, "exp": 1_699_999_971}), &lenient), Ok(()));
        assert_eq!(on(json!({"nbf": 1_700_000_031}), &lenient), Err(DecodeError::TooEarly("nbf")));
        assert_eq!(on(json!({"exp": 1_699_999_970}), &lenient), Err(DecodeError::Expired));
    }

    #[test]
    fn sub_jti_and_iss_are_texts() {
        for name in ["sub", "jti", "iss"] {
            assert_eq!(on(json!({name: ""}), &expect()), Ok(()));
            for value in [json!(5), Value::Null, json!([])] {
                assert_eq!(on(json!({name: value}), &expect()), Err(DecodeError::NotAText), "{name} {value}");
            }
        }
    }

    #[test]
    fn audience_is_checked_only_where_one_is_expected() {
        let accepted = ["a".to_owned(), "b".to_owned()];
        let strict = Expect { audience: &accepted, ..expect() };
        for (aud, ok) in [
            (json!("a"), true),
            (json!(["x", "b"]), true),
            (json!("A"), false),
            (json!(""), false),
            (json!([]), false),
            (json!(["a", 1]), false),
            (json!({"a": 1}), false),
            (Value::Null, false),
            (json!(5), false),
        ] {
            assert_eq!(on(json!({"aud": aud}), &strict).is_ok(), ok, "{aud}");
            assert_eq!(on(json!({"aud": aud}), &expect()), Ok(()), "{aud}");
        }
        assert_eq!(on(json!({}), &strict), Err(DecodeError::Audience));
    }

    #[test]
    fn issuer_is_compared_exactly() {
        let strict = Expect { issuer: Some("me"), ..expect() };
        assert_eq!(on(json!({"iss": "me"}), &strict), Ok(()));
        for (claims, fault) in [
            (json!({}), DecodeError::Issuer),
            (json!({"iss": "Me"}), DecodeError::Issuer),
            (json!({"iss": ["me"]}), DecodeError::NotAText),
        ] {
            assert_eq!(on(claims, &strict), Err(fault));
        }
    }
}
