//! RFC 8725 (JSON web tokens) and RFC 9700 (OAuth 2.0), as far as they speak of what Latchkey does.

use super::{Facts, Row, Source, by, fixed};

/// RFC 8725, section 3.
pub(super) fn jwt(facts: &Facts<'_>) -> Vec<Row> {
    let jwt = &facts.config.jwt;
    let source = Source::Rfc8725;
    let always = |number, asks, finding| fixed(source, number, asks, true, finding);
    vec![
        always(
            "3.1",
            "The algorithm is set beforehand and compared with the token’s.",
            "Only JWT_ALGORITHM is accepted.",
        ),
        always(
            "3.2",
            "Only algorithms that are safe today are used.",
            "All that can be set are; “none” is none of them.",
        ),
        always("3.3", "A token whose signature is not good is refused as a whole.", "It is."),
        always(
            "3.4",
            "Keys and points of curves are validated.",
            "Keys are looked at when they are read, and unusable ones refused.",
        ),
        by(
            "SECRET_KEY",
            (source, "3.5", "Keys have enough entropy; no password is one."),
            facts.has_strong_secrets(),
            [
                "The secrets look random and are long enough.",
                "A secret is an example, has few different characters, or is shorter than its algorithm’s hash.",
            ],
            "SECRET_KEY and JWT_SIGNING_KEY as `openssl rand -base64 48` makes them",
        )
        .pressing(),
        always("3.7", "Tokens are UTF-8.", "Other encodings are refused."),
        by(
            "JWT_ISSUER",
            (source, "3.8", "The issuer is validated."),
            jwt.issuer.is_some(),
            ["iss is written and checked.", "Tokens name no issuer; their key alone says who made them."],
            "`JWT_ISSUER=https://auth.example.com`",
        ),
        by(
            "JWT_AUDIENCE",
            (source, "3.9", "The audience is written and validated."),
            facts.has_audience(),
            ["aud is written and checked.", "Tokens name no audience."],
            "`JWT_AUDIENCE=https://api.example.com`",
        ),
        always(
            "3.10",
            "What a token says is not trusted: kid, jku and x5u lead nowhere.",
            "kid is looked up among known keys; jku and x5u are not followed.",
        ),
        fixed(
            source,
            "3.11",
            "The header’s typ tells kinds of tokens apart.",
            false,
            "typ is JWT in all, as in SimpleJWT; a claim tells them apart.",
        ),
        by(
            "JWT_TOKEN_TYPE_CLAIM",
            (source, "3.12", "Tokens of different kinds have rules that exclude each other."),
            jwt.token_type_claim.is_some(),
            ["The token type is checked wherever a token is taken.", "Tokens have no type."],
            "`JWT_TOKEN_TYPE_CLAIM=token_type`",
        )
        .pressing(),
    ]
}

/// RFC 9700.
pub(super) fn oauth(facts: &Facts<'_>) -> Vec<Row> {
    let jwt = &facts.config.jwt;
    let source = Source::Rfc9700;
    vec![
        fixed(
            source,
            "2.2.1",
            "Access tokens work only for the client that got them (mTLS, DPoP).",
            false,
            "Whoever holds an access token can use it until it expires.",
        )
        .mended_by("JWT_ACCESS_TOKEN_LIFETIME as short as clients can bear"),
        by(
            "JWT_AUDIENCE",
            (source, "2.3", "Access tokens are good for one audience only."),
            facts.has_audience(),
            ["aud names it.", "Tokens name no audience."],
            "`JWT_AUDIENCE=https://api.example.com`",
        ),
        by(
            "PUBLIC_URL",
            (source, "2.6", "There is TLS from the client to the server."),
            facts.has_https() || facts.is_local(),
            [
                "PUBLIC_URL begins with https://, or the server is for this machine only.",
                "Passwords and tokens travel without TLS.",
            ],
            "`PUBLIC_URL=https://…` and TLS in front of the server",
        )
        .pressing(),
        fixed(
            source,
            "4.3.2",
            "Access tokens are not passed in addresses.",
            true,
            "They are read from the header and from bodies only.",
        ),
        by(
            "JWT_ROTATE_REFRESH_TOKENS",
            (source, "4.14.2", "A refresh token works once, and one that comes back ends its session."),
            jwt.rotate_refresh_tokens && jwt.blacklist_after_rotation && jwt.jti_claim.is_some(),
            [
                "Refresh tokens are rotated; REUSE_ALARM_AFTER says from when on a used one is a thief’s.",
                "A stolen refresh token works beside the real one, and nobody notices.",
            ],
            "`JWT_ROTATE_REFRESH_TOKENS=true`, `JWT_BLACKLIST_AFTER_ROTATION=true` and `JWT_JTI_CLAIM=jti`",
        )
        .pressing(),
    ]
}
