//! What holds for every token, whatever it contains: property tests of `jwt` and `segment`.
//! Tests of particular tokens are beside the code.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Map, Value};

use super::jwt::{Claims, Expect, decode, peek, sign, unsigned};
use super::keys::tests::hs256;
use super::segment;

const EXPECT: Expect<'_> = Expect { audience: &[], issuer: None, leeway: 0.0, now: 1_700_000_000.5 };

/// Any JSON, a few levels deep.
fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            btree_map(any::<String>(), inner, 0..6).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Claims that nothing here looks at.
fn private_claims() -> impl Strategy<Value = Claims> {
    btree_map("x.{0,8}", json(), 0..6).prop_map(Map::from_iter)
}

/// Claims that are checked, with any value.
fn registered_claims() -> impl Strategy<Value = Claims> {
    let names = prop::sample::select(vec!["exp", "iat", "nbf", "iss", "sub", "aud", "jti"]);
    btree_map(names.prop_map(str::to_owned), json(), 0..6).prop_map(Map::from_iter)
}

/// Bytes that are almost a token's JSON.
fn nearly_json() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..64),
        r#"[ \n]{0,2}[{\[]("(alg|exp|a)" ?: ?("HS256"|-?[0-9.eE+]{1,30}|NaN|\{\}|"\\u[d0-9a-f]{4}") ?,?){0,3}[}\]]?"#
            .prop_map(String::into_bytes),
    ]
}

fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

proptest! {
    #[test]
    fn what_we_sign_we_verify(claims in private_claims()) {
        let token = sign(&hs256(), &unsigned(&hs256(), &claims));
        prop_assert_eq!(decode(hs256().verifying(), &token, &EXPECT), Ok(claims));
    }

    #[test]
    fn a_token_with_one_other_character_is_refused(
        claims in private_claims(),
        at in any::<prop::sample::Index>(),
        other in prop_oneof!["[A-Za-z0-9_=.-]", any::<char>().prop_map(String::from)],
    ) {
        let token = sign(&hs256(), &unsigned(&hs256(), &claims));
        let at = at.index(token.len());
        prop_assume!(token[at..=at] != other);
        let changed = format!("{}{other}{}", &token[..at], &token[at + 1..]);
        prop_assert!(decode(hs256().verifying(), &changed, &EXPECT).is_err(), "{}", changed);
        let shortened = format!("{}{}", &token[..at], &token[at + 1..]);
        prop_assert!(decode(hs256().verifying(), &shortened, &EXPECT).is_err(), "{}", shortened);
        if other != "=" {
            let lengthened = format!("{}{other}{}", &token[..at], &token[at..]);
            prop_assert!(decode(hs256().verifying(), &lengthened, &EXPECT).is_err(), "{}", lengthened);
        }
    }

    #[test]
    fn every_text_is_a_token_or_none(text in prop_oneof![any::<String>(), "[A-Za-z0-9_=-]{0,9}(\\.[A-Za-z0-9_=-]{0,9}){0,4}"]) {
        prop_assert!(decode(hs256().verifying(), &text, &EXPECT).is_err());
        let _ = peek(&text);
        if let Some(bare) = segment::unpadded(&text) {
            prop_assert!(text.starts_with(bare) && text.len() - bare.len() <= 2);
        }
    }

    #[test]
    fn whatever_is_signed_has_a_verdict(header in nearly_json(), payload in nearly_json()) {
        for header in [encoded(&header), encoded(br#"{"alg":"HS256"}"#)] {
            let token = sign(&hs256(), &format!("{header}.{}", encoded(&payload)));
            let verdict = decode(hs256().verifying(), &token, &EXPECT);
            if let Ok(claims) = verdict {
                prop_assert_eq!(segment::object(&encoded(&payload)), Some(claims));
            }
        }
    }

    #[test]
    fn claims_of_any_type_have_a_verdict(claims in registered_claims(), leeway in 0.0..1e9, audience in any::<String>()) {
        let token = sign(&hs256(), &unsigned(&hs256(), &claims));
        let audience = [audience];
        let strict = Expect { audience: &audience, issuer: Some("me"), leeway, ..EXPECT };
        for expect in [EXPECT, strict] {
            if let Ok(read) = decode(hs256().verifying(), &token, &expect) {
                prop_assert_eq!(&read, &claims);
                prop_assert!(read.get("exp").is_none_or(|exp| exp.is_number() || exp.is_boolean()));
                prop_assert!(["jti", "sub", "iss"].iter().all(|name| read.get(*name).is_none_or(Value::is_string)));
            }
        }
    }

    #[test]
    fn a_segment_reads_as_it_was_written(claims in private_claims()) {
        let written = segment::write(&claims);
        prop_assert!(written.is_ascii());
        prop_assert_eq!(segment::object(&written), Some(claims));
    }
}
