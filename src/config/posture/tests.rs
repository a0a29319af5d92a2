//! Each row that a setting decides is brought to both states, and no other setting is needed for it.

use std::collections::BTreeSet;

use super::*;

/// A secret as `openssl rand -base64 48` makes it.
const RANDOM: &str = "x5Jr0mRkT2u7Wb9eYcQ1ZsVhNfGpLdKaMiOt3CjXwE8yUqHnBvRzSg4l6DoPAF/k";

fn load(settings: &[(&str, &str)]) -> Config {
    Config::load(&|name| {
        let given = settings.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned());
        given.or_else(|| (name == "SECRET_KEY").then(|| RANDOM.to_owned()))
    })
    .unwrap()
}

fn row(settings: &[(&str, &str)], source: Source, number: &str) -> Row {
    let rows = rows(&load(settings), false);
    rows.into_iter().find(|row| row.source == source && row.number == number).unwrap()
}

/// A row, settings under which it is met, and settings under which it is not.
type Case = (Source, &'static str, Given, Given);
type Given = &'static [(&'static str, &'static str)];

/// Settings under which a row is met, and settings under which it is not.
const CASES: &[Case] = &[
    (Source::Asvs, "3.3.1", &[("PUBLIC_URL", "https://a.example.com")], &[]),
    (Source::Asvs, "3.4.2", &[], &[("CORS_ALLOW_ALL_ORIGINS", "true")]),
    (Source::Asvs, "11.4.2", &[], &[("BCRYPT_ROUNDS", "9")]),
    (
        Source::Asvs,
        "11.4.2",
        &[("PASSWORD_HASHER", "argon2")],
        &[("PASSWORD_HASHER", "pbkdf2_sha256"), ("PBKDF2_ITERATIONS", "1000")],
    ),
    (Source::Asvs, "12.3.1", &[], &[("DATABASE_URL", "postgres://u:p@db.example.com/d")]),
    (
        Source::Asvs,
        "12.3.1",
        &[("DATABASE_URL", "postgres://u:p@db.example.com/d?sslmode=verify-full")],
        &[("DATABASE_URL", "postgres:///d?host=db.example.com&sslmode=prefer")],
    ),
    (Source::Asvs, "12.3.2", &[], &[("EMAIL_URL", "smtp://mail.example.com?tls=none")]),
    (
        Source::Asvs,
        "12.3.2",
        &[("EMAIL_URL", "smtp://localhost")],
        &[("EMAIL_URL", "smtp://mail.example.com?tls=opportunistic")],
    ),
    (Source::Asvs, "6.2.1", &[("PASSWORD_RULES", "django")], &[("PASSWORD_RULES", "none")]),
    (Source::Asvs, "6.2.4", &[], &[("PASSWORD_RULES", "none")]),
    (Source::Asvs, "6.2.11", &[], &[("PASSWORD_RULES", "none")]),
    (Source::Asvs, "6.2.12", &[], &[("PASSWORD_RULES", "none")]),
    (Source::Asvs, "6.3.1", &[], &[("LOGIN_THROTTLE", "false")]),
    (Source::Asvs, "6.3.3", &[("SECOND_FACTOR", "required")], &[]),
    (Source::Asvs, "6.3.3", &[("SECOND_FACTOR", "required")], &[("SECOND_FACTOR", "staff")]),
    (Source::Asvs, "6.3.7", &[], &[("SECURITY_MAIL", "false")]),
    (Source::Asvs, "6.2.8", &[], &[("PASSWORD_HASHER", "bcrypt")]),
    (Source::Asvs, "7.3.1", &[], &[("JWT_ROTATE_REFRESH_TOKENS", "false")]),
    (
        Source::Asvs,
        "7.3.1",
        &[("JWT_ROTATE_REFRESH_TOKENS", "false"), ("SESSION_IDLE_TIMEOUT", "1h")],
        &[("JWT_ROTATE_REFRESH_TOKENS", "false")],
    ),
    (Source::Asvs, "7.3.2", &[("SESSION_MAX_AGE", "30 days")], &[]),
    (Source::Asvs, "7.4.1", &[("JWT_CHECK_SESSION", "true")], &[]),
    (Source::Asvs, "7.4.2", &[], &[("END_SESSIONS_ON_USER_CHANGE", "false")]),
    (Source::Asvs, "7.4.2", &[], &[("JWT_CHECK_USER_IS_ACTIVE", "false")]),
    (
        Source::Asvs,
        "7.4.3",
        &[("END_SESSIONS_ON_USER_CHANGE", "false"), ("JWT_CHECK_REVOKE_TOKEN", "true")],
        &[("END_SESSIONS_ON_USER_CHANGE", "false")],
    ),
    (Source::Asvs, "7.4.5", &[], &[("JWT_JTI_CLAIM", "none")]),
    (Source::Asvs, "9.2.1", &[("JWT_LEEWAY", "5m")], &[("JWT_LEEWAY", "6m")]),
    (Source::Asvs, "9.2.2", &[], &[("JWT_TOKEN_TYPE_CLAIM", "none")]),
    (Source::Asvs, "9.2.3", &[("JWT_AUDIENCE", "a")], &[]),
    (Source::Asvs, "9.2.4", &[("JWT_AUDIENCE", "a,b")], &[]),
    (Source::Rfc8725, "3.5", &[], &[("SECRET_KEY", "django-insecure-9vGq3xLzT8nYwK2bHcRj5sDmPfA7eU")]),
    (
        Source::Rfc8725,
        "3.5",
        &[("JWT_ALGORITHM", "HS512")],
        &[("JWT_ALGORITHM", "HS512"), ("JWT_SIGNING_KEY", "kP3vXq8ZtLw5RbNc2YfHsJ7mDgTe9AuK")],
    ),
    (Source::Rfc8725, "3.5", &[], &[("SECRET_KEY", "abababababababababababababababab")]),
    (Source::Rfc8725, "3.5", &[], &[("JWT_SIGNING_KEY", "0123456789abcdef0123456789abcdef")]),
    (Source::Rfc8725, "3.8", &[("JWT_ISSUER", "me")], &[]),
    (Source::Rfc8725, "3.9", &[("JWT_AUDIENCE", "a")], &[]),
    (Source::Rfc8725, "3.12", &[], &[("JWT_TOKEN_TYPE_CLAIM", "none")]),
    (Source::Rfc9700, "2.3", &[("JWT_AUDIENCE", "a")], &[]),
    (Source::Rfc9700, "2.6", &[], &[("HOST", "0.0.0.0")]),
    (Source::Rfc9700, "2.6", &[("PUBLIC_URL", "https://a.example.com")], &[("PUBLIC_URL", "http://a.example.com")]),
    (Source::Rfc9700, "4.14.2", &[], &[("JWT_ROTATE_REFRESH_TOKENS", "false")]),
    (Source::Rfc9700, "4.14.2", &[], &[("JWT_BLACKLIST_AFTER_ROTATION", "false")]),
];

#[test]
fn each_row_changes_with_the_settings_that_decide_it() {
    for (source, number, good, bad) in CASES {
        let (met, unmet) = (row(good, *source, number), row(bad, *source, number));
        assert!(met.is_met && met.fix.is_empty(), "{number} under {good:?}");
        assert!(!unmet.is_met && !unmet.fix.is_empty(), "{number} under {bad:?}");
        assert_ne!(met.finding, unmet.finding);
    }
}

#[test]
fn every_row_that_a_setting_decides_is_among_the_cases() {
    let tried: BTreeSet<_> = CASES.iter().map(|(_, number, ..)| *number).collect();
    for row in rows(&load(&[]), false) {
        assert_eq!(row.variable.is_some(), tried.contains(row.number), "{}", row.number);
        assert!(row.variable.is_none_or(|name| crate::config::SETTINGS.iter().any(|setting| setting.name == name)));
    }
}

#[test]
fn a_row_stands_once_and_has_its_words() {
    let rows = rows(&load(&[]), false);
    let numbers: BTreeSet<_> = rows.iter().map(|row| (row.source.name(), row.number)).collect();
    assert_eq!(numbers.len(), rows.len());
    for row in rows {
        assert!(row.asks.ends_with('.') && row.finding.ends_with('.') && !row.fix.ends_with('.'), "{}", row.number);
    }
}

#[test]
fn beside_a_django_its_hasher_counts() {
    let config = load(&[("PBKDF2_ITERATIONS", "1000")]);
    let is_met = |beside_django| rows(&config, beside_django).iter().find(|row| row.number == "11.4.2").unwrap().is_met;
    assert!(is_met(false) && !is_met(true));
}

#[test]
fn what_presses_is_mended_by_settings() {
    assert_eq!(pressing(&load(&[]), false), []);
    let bad = load(&[("CORS_ALLOW_ALL_ORIGINS", "true"), ("HOST", "0.0.0.0")]);
    let numbers: Vec<_> = pressing(&bad, false).iter().map(|row| row.number).collect();
    assert_eq!(numbers, ["3.4.2", "2.6"]);
}
