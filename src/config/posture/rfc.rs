//! RFC 8725 (JSON web tokens) and RFC 9700 (OAuth 2.0), as far as they concern what Latchkey does.

use super::facts::Facts;
use super::row::{Requirement, Row, Source};

/// RFC 8725, section 3.
pub(super) fn jwt(facts: &Facts<'_>) -> Vec<Row> {
    let jwt = &facts.config.jwt;
    let requirement = |number, asks| Requirement { source: Source::Rfc8725, number, asks };
    let always = |number, asks, finding| requirement(number, asks).met(finding);
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
        requirement("3.5", "Keys have enough entropy; no password is one.")
            .by(
                "SECRET_KEY",
                facts.has_strong_secrets(),
                [
                    "The secrets look random and are long enough.",
                    "A secret is an example, has few different characters, or is shorter than its algorithm’s hash.",
                ],
                "SECRET_KEY and JWT_SIGNING_KEY as `openssl rand -base64 48` makes them",
            )
            .pressing(),
        always("3.7", "Tokens are UTF-8.", "Other encodings are refused."),
        requirement("3.8", "The issuer is validated.").by(
            "JWT_ISSUER",
            jwt.issuer.is_some(),
            ["iss is written and checked.", "Tokens name no issuer; their key alone says who made them."],
            "`JWT_ISSUER=https://auth.example.com`",
        ),
        requirement("3.9", "The audience is written and validated.").by(
            "JWT_AUDIENCE",
            facts.has_audience(),
            ["aud is written and checked.", "Tokens name no audience."],
            "`JWT_AUDIENCE=https://api.example.com`",
        ),
        always(
            "3.10",
            "What a token says is not trusted: kid, jku and x5u lead nowhere.",
            "kid is looked up among known keys; jku and x5u are not followed.",
        ),
        requirement("3.11", "The header’s typ tells kinds of tokens apart.")
            .unmet("typ is JWT in all, as in SimpleJWT; a claim tells them apart."),
        requirement("3.12", "Tokens of different kinds have rules that exclude each other.")
            .by(
                "JWT_TOKEN_TYPE_CLAIM",
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
    let requirement = |number, asks| Requirement { source: Source::Rfc9700, number, asks };
    vec![
        requirement("2.2.1", "Access tokens work only for the client that got them (mTLS, DPoP).")
            .unmet("Whoever holds an access token can use it until it expires.")
            .mended_by("JWT_ACCESS_TOKEN_LIFETIME as short as clients can bear"),
        requirement("2.3", "Access tokens are good for one audience only.").by(
            "JWT_AUDIENCE",
            facts.has_audience(),
            ["aud names it.", "Tokens name no audience."],
            "`JWT_AUDIENCE=https://api.example.com`",
        ),
        requirement("2.6", "There is TLS from the client to the server.")
            .by(
                "PUBLIC_URL",
                facts.has_https() || facts.is_local(),
                [
                    "PUBLIC_URL begins with https://, or the server is for this machine only.",
                    "Passwords and tokens travel without TLS.",
                ],
                "`PUBLIC_URL=https://…` and TLS in front of the server",
            )
            .pressing(),
        requirement("4.3.2", "Access tokens are not passed in addresses.")
            .met("They are read from the header and from bodies only."),
        requirement("4.14.2", "A refresh token works once, and one that comes back ends its session.")
            .by(
                "JWT_ROTATE_REFRESH_TOKENS",
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
