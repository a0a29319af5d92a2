//! OWASP ASVS 5.0: chapters V7 (session management), V9 (self-contained tokens), and rows of other chapters that one of our
//! settings decides. V6 is in `authentication`.

use std::time::Duration;

use super::authentication;
use super::facts::Facts;
use super::row::{Requirement, Row};

/// A leeway should be no more than a few minutes (RFC 7519, 4.1.4).
const MAX_LEEWAY: Duration = Duration::from_mins(5);

pub(super) fn rows(facts: &Facts<'_>) -> Vec<Row> {
    // Cookies and origins come before these chapters, hashes and connections after them.
    let mut before = elsewhere(facts);
    let behind = before.split_off(2);
    [before, authentication::rows(facts), authentication::factors(), sessions(facts), tokens(facts), behind].concat()
}

fn elsewhere(facts: &Facts<'_>) -> Vec<Row> {
    let config = facts.config;
    vec![
        Requirement::asvs("3.3.1", "Cookies have the attribute Secure.").by(
            "PUBLIC_URL",
            facts.has_https(),
            [
                "PUBLIC_URL begins with https://, so every cookie is Secure.",
                "Cookies travel without TLS, because PUBLIC_URL begins with http://.",
            ],
            "`PUBLIC_URL=https://…` and TLS in front of the server",
        ),
        Requirement::asvs("3.4.2", "Other origins are let in by a list of those that are trusted.")
            .by(
                "CORS_ALLOW_ALL_ORIGINS",
                !config.cors.allow_all_origins,
                ["Only the origins of CORS_ALLOWED_ORIGINS are let in.", "Every origin is let in."],
                "`CORS_ALLOW_ALL_ORIGINS=false`, and CORS_ALLOWED_ORIGINS with the front ends",
            )
            .pressing(),
        Requirement::asvs("11.4.2", "Passwords are stored with a slow function made for that.")
            .by(
                "PASSWORD_HASHER",
                facts.hashes_slowly(),
                [
                    "New passwords cost whoever guesses them enough.",
                    "New hashes are quick to guess if they are stolen.",
                ],
                "`BCRYPT_ROUNDS=12`, `PBKDF2_ITERATIONS=1000000`, or `PASSWORD_HASHER=argon2`",
            )
            .pressing(),
        Requirement::asvs("12.3.1", "Connections to databases are encrypted.")
            .by(
                "DATABASE_URL",
                config.database.url.is_local_or_encrypted(),
                [
                    "The database is on this machine, or sslmode asks for TLS.",
                    "The connection may be without TLS: sslmode does not ask for it.",
                ],
                "?sslmode=verify-full at the end of DATABASE_URL",
            )
            .pressing(),
        Requirement::asvs("12.3.2", "TLS clients check the certificate of the server before they talk to it.")
            .by(
                "EMAIL_URL",
                config.mail.url.is_local_or_encrypted(),
                [
                    "Links leave over TLS, to a mail server whose certificate is checked, or for one on this machine.",
                    "Mail, with links that open accounts, may be read on its way to the mail server.",
                ],
                "smtps:// in EMAIL_URL, or smtp:// without ?tls=",
            )
            .pressing(),
    ]
}

fn sessions(facts: &Facts<'_>) -> Vec<Row> {
    let (jwt, sessions, accounts) = (&facts.config.jwt, &facts.config.sessions, &facts.config.accounts);
    let has_id = jwt.jti_claim.is_some();
    vec![
        Requirement::asvs("7.2.1", "Session tokens are verified by a trusted service.").met("This server does it."),
        Requirement::asvs("7.3.1", "A session that is not used ends.").by(
            "SESSION_IDLE_TIMEOUT",
            sessions.idle_timeout.is_some() || jwt.rotate_refresh_tokens,
            [
                "After SESSION_IDLE_TIMEOUT, or the lifetime of a refresh token, whichever is shorter.",
                "A session lives as long as its refresh token, used or not.",
            ],
            "`SESSION_IDLE_TIMEOUT=7 days`",
        ),
        Requirement::asvs("7.3.2", "A session ends at some time, however much it is used.").by(
            "SESSION_MAX_AGE",
            sessions.max_age.is_some() || !jwt.rotate_refresh_tokens,
            [
                "After SESSION_MAX_AGE, or with its one refresh token.",
                "As long as it is refreshed a session goes on for ever.",
            ],
            "`SESSION_MAX_AGE=30 days`",
        ),
        Requirement::asvs("7.4.1", "After a logout nobody can go on with the session.").by(
            "JWT_CHECK_SESSION",
            jwt.check_session && has_id,
            [
                "Access tokens end with their session on this server.",
                "An access token stays good until it expires, also after its logout.",
            ],
            "`JWT_CHECK_SESSION=true`; other services ask token/introspect/",
        ),
        Requirement::asvs("7.4.2", "Sessions end when their user is disabled or deleted.")
            .by(
                "END_SESSIONS_ON_USER_CHANGE",
                accounts.end_sessions_on_user_change && jwt.check_user_is_active && has_id,
                ["They do, and inactive users are refused.", "A session outlives the disabling of its user."],
                "`END_SESSIONS_ON_USER_CHANGE=true` and `JWT_CHECK_USER_IS_ACTIVE=true`",
            )
            .pressing(),
        Requirement::asvs("7.4.3", "Sessions can be ended when the password is changed.")
            .by(
                "END_SESSIONS_ON_USER_CHANGE",
                accounts.end_sessions_on_user_change && has_id || jwt.check_revoke_token,
                ["A new password ends them.", "They go on under the old password."],
                "`END_SESSIONS_ON_USER_CHANGE=true`",
            )
            .pressing(),
        Requirement::asvs("7.4.5", "Administrators can end the sessions of a user.")
            .by(
                "JWT_JTI_CLAIM",
                has_id,
                [
                    "In the panel, on the page of the user.",
                    "Tokens without an id cannot be recorded, and so not be blacklisted.",
                ],
                "`JWT_JTI_CLAIM=jti`",
            )
            .pressing(),
        Requirement::asvs("7.5.2", "Users can see their sessions and, after typing their password again, end them.")
            .unmet("They can by /api/sessions/, but the password is not asked for again."),
    ]
}

fn tokens(facts: &Facts<'_>) -> Vec<Row> {
    let jwt = &facts.config.jwt;
    let always = |number, asks, finding| Requirement::asvs(number, asks).met(finding);
    vec![
        always(
            "9.1.1",
            "The signature of a token is verified before anything in it counts.",
            "It is the first thing that is looked at.",
        ),
        always("9.1.2", "Only algorithms of a list are accepted, and never “none”.", "Only JWT_ALGORITHM is."),
        always(
            "9.1.3",
            "Keys come from sources that are set beforehand, not from the token.",
            "jku, x5u and jwk in a header are not looked at.",
        ),
        Requirement::asvs("9.2.1", "A token is accepted only within the time that it names.").by(
            "JWT_LEEWAY",
            jwt.leeway <= MAX_LEEWAY,
            [
                "exp and nbf are checked.",
                "JWT_LEEWAY is longer than five minutes, so expired tokens go on for that long.",
            ],
            "`JWT_LEEWAY=10s`",
        ),
        Requirement::asvs("9.2.2", "A token is accepted only for what its type is made for.")
            .by(
                "JWT_TOKEN_TYPE_CLAIM",
                jwt.token_type_claim.is_some(),
                [
                    "A refresh token is no access token, and the other way round.",
                    "Tokens have no type: each is taken for every purpose.",
                ],
                "`JWT_TOKEN_TYPE_CLAIM=token_type`",
            )
            .pressing(),
        Requirement::asvs("9.2.3", "A token is accepted only by those whom it is meant for.").by(
            "JWT_AUDIENCE",
            facts.has_audience(),
            ["aud is checked.", "Tokens name no audience."],
            "`JWT_AUDIENCE=https://api.example.com`",
        ),
        Requirement::asvs("9.2.4", "An issuer with one key for several audiences names the audience in each token.")
            .by(
                "JWT_AUDIENCE",
                facts.has_audience(),
                ["aud is written.", "Whoever trusts the key takes every token, whomever it was meant for."],
                "`JWT_AUDIENCE=https://api.example.com`",
            ),
    ]
}
