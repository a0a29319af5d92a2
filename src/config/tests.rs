//! All settings together: defaults, examples, what is refused, what warns, and that no secret is shown.

use std::collections::BTreeSet;
use std::time::Duration;

use super::effective::ValueSource;
use super::*;

const KEY: &str = "0123456789abcdef0123456789abcdef";

/// Loads these settings besides a good secret key.
fn load(settings: &[(&str, &str)]) -> Result<Config, Problems> {
    Config::load(&|name| {
        let given = settings.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned());
        given.or_else(|| (name == "SECRET_KEY").then(|| KEY.to_owned()))
    })
}

fn problem(settings: &[(&str, &str)]) -> String {
    load(settings).expect_err("should be refused").to_string()
}

#[test]
fn every_default_is_a_good_value() {
    let config = load(&[]).unwrap();
    assert_eq!(config.server.port, 8000);
    assert_eq!(config.server.public_origin(), "http://localhost:8000");
    assert_eq!(config.server.allowed_hosts, ["localhost", "127.0.0.1", "[::1]"]);
    assert!(config.database.auto_migrate);
    assert_eq!(config.jwt.access_token_lifetime, Duration::from_mins(5));
    assert_eq!(config.jwt.refresh_token_lifetime, Duration::from_hours(24));
    assert_eq!(config.jwt.auth_header_name, "authorization");
    assert_eq!(config.cors.allow_headers.len(), 7);
    assert_eq!(config.accounts.staff_may_view, None);
    assert_eq!(config.warnings, Vec::<String>::new());
}

#[test]
fn the_reader_reads_what_stands_in_the_table_in_its_order() {
    let config = load(&[]).unwrap();
    let read: Vec<_> = config.effective().iter().map(|effective| effective.name).collect();
    let listed: Vec<_> = SETTINGS.iter().map(|setting| setting.name).collect();
    assert_eq!(read, listed);
}

#[test]
fn every_example_is_a_good_value() {
    for setting in SETTINGS.iter().filter(|setting| !setting.example.starts_with('/')) {
        // Of a secret's example the quoted part is the value.
        let example = setting.example.split('\'').nth(1).unwrap_or(setting.example);
        let partner = match setting.name {
            "PASSKEY_RP_ID" => Some(("PUBLIC_URL", "https://auth.example.com")),
            "INTROSPECTION_CLIENT_ID" => Some(("INTROSPECTION_CLIENT_SECRET", KEY)),
            "INTROSPECTION_CLIENT_SECRET" => Some(("INTROSPECTION_CLIENT_ID", "my-api")),
            _ => None,
        };
        let settings: Vec<_> = [(setting.name, example)].into_iter().chain(partner).collect();
        load(&settings).unwrap_or_else(|problems| panic!("{problems}"));
    }
}

#[test]
fn all_problems_are_reported_together() {
    let problems = load(&[("PORT", "x"), ("JWT_ALGORITHM", "none"), ("JWT_LEEWAY", "-1")]).unwrap_err();
    let names: BTreeSet<_> = problems.0.iter().map(|problem| problem.name.as_str()).collect();
    assert_eq!(names, BTreeSet::from(["PORT", "JWT_ALGORITHM", "JWT_LEEWAY"]));
    let text = problems.to_string();
    assert_eq!(text.lines().count(), 3);
    assert_eq!(text.lines().next(), Some("PORT: \"x\" is not a whole number from 0 to 65535; for example PORT=8080"));
}

#[test]
fn an_empty_value_is_an_unset_one() {
    let config = load(&[("PORT", ""), ("JWT_ISSUER", "  "), ("CORS_ALLOWED_ORIGINS", "")]).unwrap();
    assert_eq!(config.server.port, 8000);
    assert_eq!(config.jwt.issuer, None);
    assert!(config.effective().iter().all(|effective| effective.is_default() || effective.name == "SECRET_KEY"));
}

#[test]
fn each_wrong_value_is_refused_under_its_name() {
    for (name, value) in [
        ("HOST", "localhost"),
        ("PORT", "65536"),
        ("WORKERS", "0"),
        ("PUBLIC_URL", "auth.example.com"),
        ("ALLOWED_HOSTS", "https://a"),
        ("TRUSTED_PROXIES", "*"),
        ("SECRET_KEY", "short"),
        ("DATABASE_URL", "mysql://a/b"),
        ("DATABASE_POOL_SIZE", "501"),
        ("AUTO_MIGRATE", "sometimes"),
        ("CORS_ALLOWED_ORIGINS", "https://a/b"),
        ("CORS_ALLOW_HEADERS", "a b"),
        ("USERNAME_FIELD", "password"),
        ("PASSWORD_HASHER", "md5"),
        ("BCRYPT_ROUNDS", "3"),
        ("BCRYPT_ROUNDS", "32"),
        ("PBKDF2_ITERATIONS", "0"),
        ("JWT_ALGORITHM", "ES521"),
        ("JWT_ACCESS_TOKEN_LIFETIME", "0"),
        ("JWT_REFRESH_TOKEN_LIFETIME", "99999999999999999999d"),
        ("JWT_SIGNING_KEY", "/nowhere/key.pem"),
        ("JWT_AUDIENCE", "["),
        ("JWT_AUTH_HEADER_TYPES", ","),
        ("JWT_AUTH_HEADER_NAME", "a:b"),
        ("JWT_AUTH_TOKEN_CLASSES", "refresh"),
        ("JWT_USER_ID_FIELD", "password"),
        ("JWT_USER_ID_CLAIM", "none"),
        ("JWT_USER_ID_CLAIM", "exp"),
        ("JWT_EXTRA_CLAIMS", "password"),
        ("JWT_COOKIE", "access"),
        ("JWT_COOKIE_SAMESITE", "loose"),
        ("SECOND_FACTOR", "sometimes"),
        ("SECOND_FACTOR_REMEMBER", "long"),
        ("PASSKEY_RP_ID", "https://example.com"),
        ("JWT_AUTH_CLAIMS", "x"),
        ("LOGIN_THROTTLE", "a bit"),
        ("PASSWORD_RULES", "strict"),
        ("EMAIL_URL", "imap://a"),
        ("DEFAULT_FROM_EMAIL", "nobody"),
        ("SITE_NAME", "a\nb"),
        ("PASSWORD_RESET_URL", "https://app.example.com/reset"),
        ("EMAIL_CONFIRM_URL", "javascript:{token}"),
        ("SECURITY_MAIL", "sometimes"),
        ("LOG_FORMAT", "xml"),
        ("RUST_LOG", "latchkey=loud"),
    ] {
        let problems = load(&[(name, value)]).expect_err(name);
        assert_eq!(problems.0.len(), 1, "{problems}");
        assert_eq!(problems.0[0].name, name);
    }
}

#[test]
fn claims_may_be_left_out_or_renamed_but_not_collide() {
    let jwt =
        load(&[("JWT_JTI_CLAIM", "none"), ("JWT_TOKEN_TYPE_CLAIM", "None"), ("JWT_USER_ID_CLAIM", "sub")]).unwrap().jwt;
    assert_eq!((jwt.jti_claim, jwt.token_type_claim), (None, None));
    assert_eq!(jwt.user_id_claim, "sub");
    assert!(problem(&[("JWT_USER_ID_CLAIM", "jti")]).starts_with("JWT_JTI_CLAIM: "));
    assert!(
        problem(&[("JWT_USER_ID_CLAIM", "email"), ("JWT_EXTRA_CLAIMS", "email")]).starts_with("JWT_EXTRA_CLAIMS: ")
    );
}

#[test]
fn djangos_spelling_of_a_header_is_understood() {
    let header = |value| load(&[("JWT_AUTH_HEADER_NAME", value)]).unwrap().jwt.auth_header_name;
    assert_eq!(header("HTTP_X_ACCESS_TOKEN"), "x-access-token");
    assert_eq!(header("HTTP_AUTHORIZATION"), "authorization");
    assert_eq!(header("X-Access-Token"), "x-access-token");
}

#[test]
fn defaults_follow_the_database() {
    let config = load(&[("DATABASE_URL", "postgres://u:p@h/d")]).unwrap();
    assert!(!config.database.auto_migrate);
    let auto_migrate = config.effective().iter().find(|effective| effective.name == "AUTO_MIGRATE").unwrap();
    assert_eq!((auto_migrate.value.as_str(), auto_migrate.origin), ("false", ValueSource::WorkedOut));
    for url in ["postgres://u:p@h/d", "sqlite:///a.db"] {
        let problems = Config::load(&|name| (name == "DATABASE_URL").then(|| url.to_owned())).unwrap_err();
        assert!(problems.to_string().contains("openssl rand -hex 32"), "{problems}");
    }
}

#[test]
fn defaults_follow_port_and_public_url() {
    let config = load(&[("PORT", "9000")]).unwrap();
    assert_eq!(config.server.public_origin(), "http://localhost:9000");
    let config = load(&[("PUBLIC_URL", "https://auth.example.com")]).unwrap();
    assert_eq!(config.server.allowed_hosts.last().unwrap(), "auth.example.com");
    let config = load(&[("PUBLIC_URL", "https://auth.example.com"), ("ALLOWED_HOSTS", "other.com")]).unwrap();
    assert_eq!(config.server.allowed_hosts, ["other.com"]);
    assert!(config.warnings[0].contains("auth.example.com"));
    let config = load(&[("PUBLIC_URL", "https://auth.example.com"), ("ALLOWED_HOSTS", ".example.com")]).unwrap();
    assert!(config.warnings.is_empty());
}

#[test]
fn weak_settings_warn() {
    let weak = [
        ("BCRYPT_ROUNDS", "9"),
        ("PBKDF2_ITERATIONS", "599999"),
        ("CORS_ALLOW_ALL_ORIGINS", "1"),
        ("CORS_ALLOW_CREDENTIALS", "1"),
    ];
    assert_eq!(load(&weak).unwrap().warnings.len(), 3);
}

#[test]
fn no_secret_is_ever_shown() {
    let secret = "hush-hush-hush-hush-hush-hush-hush-hush";
    let url = format!("postgres://u:{secret}@h/d");
    let config = load(&[
        ("SECRET_KEY", secret),
        ("JWT_SIGNING_KEY", secret),
        ("JWT_VERIFYING_KEY", secret),
        ("DATABASE_URL", &url),
        ("INTROSPECTION_CLIENT_ID", "my-api"),
        ("INTROSPECTION_CLIENT_SECRET", secret),
        ("EMAIL_URL", &format!("smtp://u:{secret}@mail.example.com")),
    ])
    .unwrap();
    assert!(!format!("{config:?}").contains("hush"));
    assert!(!format!("{:?}", config.effective()).contains("hush"));
    let path = format!("/{secret}");
    let wrong = [("SECRET_KEY", "hush"), ("JWT_SIGNING_KEY", &path), ("DATABASE_URL", &url[1..])];
    let problems = problem(&wrong);
    assert_eq!(problems.lines().count(), 3);
    assert!(!problems.contains("hush"), "{problems}");
}

#[test]
fn an_introspection_client_has_an_id_and_a_long_secret() {
    const ID: &str = "INTROSPECTION_CLIENT_ID";
    const SECRET: &str = "INTROSPECTION_CLIENT_SECRET";
    assert!(load(&[(ID, "my-api"), (SECRET, KEY)]).unwrap().introspection_client.is_some());
    assert!(load(&[]).unwrap().introspection_client.is_none());
    assert!(problem(&[(ID, "my-api")]).starts_with(SECRET));
    assert!(problem(&[(SECRET, KEY)]).starts_with(ID));
    for (id, secret) in [("my:api", KEY), ("my api", KEY), ("my-api", "short"), ("my-api", &format!("{KEY} "))] {
        let problems = load(&[(ID, id), (SECRET, secret)]).unwrap_err();
        assert_eq!(problems.0.len(), 1, "{problems}");
        assert!(!problems.to_string().contains("short"), "{problems}");
    }
}

#[test]
fn a_long_wrong_value_is_shortened() {
    assert!(problem(&[("PORT", &"9".repeat(5000))]).len() < 300);
}
