//! The table of settings: names, defaults and meanings, once. The reader takes the defaults from here;
//! `.env.example` and the README's table are made from it, and a test keeps them equal.

use std::borrow::Cow;
use std::fmt::Write;

/// What a setting is when nobody sets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Initial {
    /// This value.
    Value(&'static str),
    /// Nothing, or something worked out; these words say what.
    Words(&'static str),
    /// One value on a database of our own, another one in a Django database.
    ByDatabase {
        /// In tables of our own.
        own: &'static str,
        /// In a Django database.
        django: &'static str,
    },
}

impl Initial {
    /// The default for people.
    pub fn shown(self) -> Cow<'static, str> {
        match self {
            Self::Value(text) | Self::Words(text) => text.into(),
            Self::ByDatabase { own, django } => format!("{own}, or {django} in a Django database").into(),
        }
    }
}

/// One setting.
#[derive(Debug)]
pub struct Setting {
    /// Heading that it stands under.
    pub section: &'static str,
    /// The variable.
    pub name: &'static str,
    /// What it is when nobody sets it.
    pub initial: Initial,
    /// A good value that is not the default.
    pub example: &'static str,
    /// What it does, in one line.
    pub meaning: &'static str,
    /// Its value is never shown.
    pub is_secret: bool,
}

const SERVER: &str = "Server";
const DATABASE: &str = "Database";
const CORS: &str = "Cross-origin requests";
const ACCOUNTS: &str = "Accounts";
const PASSWORDS: &str = "Passwords";
const TOKENS: &str = "Tokens";
const SESSIONS: &str = "Sessions";
const COOKIE: &str = "Refresh cookie";
const FACTORS: &str = "Second factors";
const MAIL: &str = "Mail";
const LOG: &str = "Log";

/// Every setting, in the order in which people read about them.
#[rustfmt::skip] // a table is read in columns
pub const SETTINGS: &[Setting] = &[
    value(SERVER, "HOST", "127.0.0.1", "0.0.0.0", "IP address to listen on"),
    value(SERVER, "PORT", "8000", "8080", "port to listen on; 0 picks a free one and prints it"),
    words(SERVER, "WORKERS", "number of cores", "4", "worker threads that answer requests"),
    words(SERVER, "PUBLIC_URL", "http://localhost:PORT", "https://auth.example.com", "how users reach the server: links, cookies (`Secure` when https)"),
    words(SERVER, "ALLOWED_HOSTS", "localhost,127.0.0.1,[::1] and PUBLIC_URL's host", "auth.example.com,.internal.example.com", "`Host` headers that are answered, with commas; `.example.com` covers subdomains, `*` everything"),
    words(SERVER, "TRUSTED_PROXIES", "none", "10.0.0.0/8,192.168.1.7", "networks or addresses whose `X-Forwarded-For` counts"),
    secret(SERVER, "SECRET_KEY", "on SQLite made once and kept in a file beside the database", "'0123456789abcdef0123456789abcdef' (but random: `openssl rand -hex 32` makes one)", "signs admin sessions and CSRF tokens, and JWTs unless JWT_SIGNING_KEY is set; at least 32 bytes; required on PostgreSQL"),
    Setting { is_secret: true, ..value(DATABASE, "DATABASE_URL", "sqlite:///latchkey.sqlite3", "postgres://latchkey:password@localhost/latchkey", "`sqlite:///relative`, `sqlite:////absolute` or `postgres://…`; special characters percent-encoded") },
    value(DATABASE, "DATABASE_POOL_SIZE", "10", "20", "PostgreSQL connections, or SQLite readers"),
    words(DATABASE, "AUTO_MIGRATE", "true on SQLite, false on PostgreSQL", "false", "apply pending migrations at start; otherwise the start is refused with the command to run"),
    words(CORS, "CORS_ALLOWED_ORIGINS", "none", "https://app.example.com,http://localhost:3000", "origins of front ends that may call the API from a browser"),
    value(CORS, "CORS_ALLOW_ALL_ORIGINS", "false", "true", "any origin may call the API"),
    value(CORS, "CORS_ALLOW_CREDENTIALS", "false", "true", "browsers may send cookies along"),
    value(CORS, "CORS_ALLOW_HEADERS", "accept,authorization,content-type,user-agent,x-csrftoken,x-requested-with,idempotency-key", "authorization,content-type", "request headers that a browser may send"),
    value(CORS, "CORS_EXPOSE_HEADERS", "Retry-After", "Retry-After,X-Request-Id", "response headers that a script may read"),
    value(ACCOUNTS, "USERNAME_FIELD", "username", "email", "what a login names: `username`, `email` (then also the name of the JSON field) or `username_or_email`"),
    by_database(ACCOUNTS, "STAFF_MAY_VIEW", ("true", "false"), ["false", "staff who are no superusers may look at the panel, and never change anything"]),
    value(ACCOUNTS, "END_SESSIONS_ON_USER_CHANGE", "true", "false", "a password change or disabling a user ends the user's sessions and blacklists the user's tokens"),
    value(ACCOUNTS, "LOGIN_THROTTLE", "true", "false", "guessing passwords and asking for mail are slowed down (docs/passwords.md)"),
    value(PASSWORDS, "PASSWORD_RULES", "nist", "django", "what a new password must be: `nist` (15 characters, none of the common ones), `django` (Django's four validators) or `none`"),
    by_database(PASSWORDS, "PASSWORD_HASHER", ("bcrypt_sha256", "pbkdf2_sha256"), ["argon2", "how new passwords are hashed: `bcrypt_sha256`, `bcrypt`, `argon2` or `pbkdf2_sha256`"]),
    value(PASSWORDS, "BCRYPT_ROUNDS", "12", "13", "bcrypt's cost, 4 to 31; below 10 warns"),
    value(PASSWORDS, "PBKDF2_ITERATIONS", "1000000", "1200000", "PBKDF2's iterations; below 600000 warns"),
    by_database(PASSWORDS, "PASSWORD_REHASH", ("true", "false"), ["false", "replace outdated hashes after the next correct login"]),
    secret(TOKENS, "JWT_SIGNING_KEY", "SECRET_KEY", "/etc/latchkey/signing.pem", "secret (HS*) or private key in PEM; a value that starts with `/`, `./`, `../` or `file:` is a path"),
    secret(TOKENS, "JWT_VERIFYING_KEY", "worked out from the signing key", "/etc/latchkey/verifying.pem", "public key in PEM, or a path to it"),
    value(TOKENS, "JWT_ALGORITHM", "HS256", "EdDSA", "HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384 or EdDSA"),
    value(TOKENS, "JWT_ACCESS_TOKEN_LIFETIME", "5m", "15m", "how long an access token is valid"),
    value(TOKENS, "JWT_REFRESH_TOKEN_LIFETIME", "1 day", "30 days", "how long a refresh token is valid"),
    value(TOKENS, "JWT_SLIDING_TOKEN_LIFETIME", "5m", "15m", "how long a sliding token is valid"),
    value(TOKENS, "JWT_SLIDING_TOKEN_REFRESH_LIFETIME", "1 day", "30 days", "how long a sliding token can be refreshed"),
    value(TOKENS, "JWT_ROTATE_REFRESH_TOKENS", "true", "false", "a refresh answers a new refresh token too"),
    value(TOKENS, "JWT_BLACKLIST_AFTER_ROTATION", "true", "false", "the old refresh token is blacklisted then"),
    value(TOKENS, "JWT_UPDATE_LAST_LOGIN", "true", "false", "a login writes the user's `last_login`, at most once a minute"),
    words(TOKENS, "JWT_AUDIENCE", "none", "https://api.example.com", "written as `aud` and checked; several with commas or as a JSON list"),
    words(TOKENS, "JWT_ISSUER", "none", "https://auth.example.com", "written as `iss` and checked"),
    words(TOKENS, "JWT_JWK_URL", "none", "https://auth.example.com/.well-known/jwks.json", "verify with the JSON Web Key Set there instead of JWT_VERIFYING_KEY (not with HS*); https, or http on this machine"),
    value(TOKENS, "JWT_LEEWAY", "0", "10s", "how far clocks may differ"),
    value(TOKENS, "JWT_AUTH_HEADER_TYPES", "Bearer", "Bearer,JWT", "words that may stand before the token in the header"),
    value(TOKENS, "JWT_AUTH_HEADER_NAME", "Authorization", "X-Access-Token", "header with the token; `HTTP_X_ACCESS_TOKEN` is understood too"),
    value(TOKENS, "JWT_AUTH_TOKEN_CLASSES", "access", "access,sliding", "what authenticates a request: `access`, `sliding` or both"),
    value(TOKENS, "JWT_USER_ID_FIELD", "id", "uuid", "what identifies the user in tokens: `id`, `uuid` (random), `username` or `email`"),
    value(TOKENS, "JWT_USER_ID_CLAIM", "user_id", "sub", "claim that holds it"),
    value(TOKENS, "JWT_TOKEN_TYPE_CLAIM", "token_type", "typ", "claim with the token's type; `none` leaves it out"),
    value(TOKENS, "JWT_JTI_CLAIM", "jti", "none", "claim with the token's id; `none` leaves it out"),
    value(TOKENS, "JWT_SLIDING_TOKEN_REFRESH_EXP_CLAIM", "refresh_exp", "refresh_until", "claim with the time until which a sliding token can be refreshed"),
    words(TOKENS, "JWT_EXTRA_CLAIMS", "none", "email,is_staff", "user fields put into tokens: email, username, first_name, last_name, is_staff, is_superuser, is_active"),
    value(TOKENS, "JWT_CHECK_USER_IS_ACTIVE", "true", "false", "inactive users cannot log in, refresh or authenticate"),
    value(TOKENS, "JWT_CHECK_REVOKE_TOKEN", "false", "true", "a token dies with the password that it was made under"),
    value(TOKENS, "JWT_REVOKE_TOKEN_CLAIM", "hash_password", "pwd", "claim for that"),
    value(TOKENS, "JWT_BROWSABLE_API", "true", "false", "a browser that opens an endpoint gets a page with a form and decoded tokens; otherwise JSON only"),
    value(TOKENS, "JWT_SESSION_CLAIM", "sid", "none", "claim with the session's id; `none` leaves it out"),
    value(TOKENS, "JWT_CHECK_SESSION", "false", "true", "an access token dies with its session on this server, at the cost of a query"),
    words(SESSIONS, "SESSION_MAX_AGE", "none", "30 days", "a session ends this long after its login"),
    words(SESSIONS, "SESSION_IDLE_TIMEOUT", "none", "7 days", "a session ends when it was not refreshed for this long"),
    words(SESSIONS, "SESSION_MAX_PER_USER", "none", "10", "of more sessions of a user than this, the oldest ends"),
    value(SESSIONS, "REUSE_ALARM_AFTER", "10s", "30s", "a rotated refresh token that comes back later than this ends its session; before, it is only refused"),
    value(SESSIONS, "REFRESH_GRACE", "0", "10s", "a refresh without an `Idempotency-Key` may be repeated for this long, at most a minute"),
    value(SESSIONS, "PURGE_INTERVAL", "1h", "15m", "how often expired tokens and sessions are deleted; 0: only by `flushexpiredtokens`"),
    value(SESSIONS, "AUDIT_LOG_RETENTION", "365 days", "90 days", "how long entries of the audit log are kept; 0: for ever"),
    words(SESSIONS, "INTROSPECTION_CLIENT_ID", "none", "my-api", "who may ask `token/introspect/` besides superusers: the client's id"),
    secret(SESSIONS, "INTROSPECTION_CLIENT_SECRET", "none", "'0123456789abcdef0123456789abcdef' (but random: `openssl rand -hex 32` makes one)", "its secret; at least 32 bytes"),
    value(COOKIE, "JWT_COOKIE", "none", "refresh", "`refresh` keeps the refresh token of clients that ask for it in a cookie that scripts cannot read (docs/front-end.md)"),
    value(COOKIE, "JWT_COOKIE_SAMESITE", "strict", "lax", "from which pages the cookie is sent: `strict`, `lax`, or `none` (https only) for front ends of another site"),
    value(FACTORS, "SECOND_FACTOR", "optional", "staff", "who must have a second factor: nobody (`optional`), `staff` and superusers, or everybody (`required`)"),
    value(FACTORS, "SECOND_FACTOR_REMEMBER", "30 days", "0", "how long a browser that its user chose to remember is not asked for a second factor; 0: it always is"),
    words(FACTORS, "PASSKEY_RP_ID", "the host of PUBLIC_URL", "example.com", "domain that passkeys are for: the host of PUBLIC_URL or a domain above it, so that front ends below it can use them (they stand in CORS_ALLOWED_ORIGINS)"),
    value(FACTORS, "JWT_AUTH_CLAIMS", "false", "true", "tokens say how (`amr`, RFC 8176) and when (`auth_time`) their user logged in"),
    Setting { is_secret: true, ..value(MAIL, "EMAIL_URL", "console:", "smtp://user:password@mail.example.com:587", "where mail goes: `smtp://…` (STARTTLS), `smtps://…` (TLS), `console:` or `file:///directory`; special characters percent-encoded") },
    value(MAIL, "DEFAULT_FROM_EMAIL", "latchkey@localhost", "Example <accounts@example.com>", "sender of every mail"),
    value(MAIL, "SITE_NAME", "Latchkey", "Example", "name of the site in mails and on the pages of users"),
    words(MAIL, "PASSWORD_RESET_URL", "the page /account/password/reset/confirm/", "https://app.example.com/reset?token={token}", "page of a front end that the mail for a new password leads to; `{token}` stands for the token"),
    words(MAIL, "EMAIL_CONFIRM_URL", "the page /account/email/confirm/", "https://app.example.com/confirm?token={token}", "page of a front end that the mail to a new address leads to; `{token}` stands for the token"),
    value(MAIL, "SECURITY_MAIL", "true", "false", "users get mail on a login from a new device and on a change of password or address"),
    value(LOG, "LOG_FORMAT", "pretty", "json", "`pretty` for people, `json` for one object a line"),
    value(LOG, "RUST_LOG", "info", "info,latchkey=debug", "what is logged: tracing's filter"),
];

/// The setting of that name.
///
/// # Panics
/// Where there is none: the program would read a setting that stands nowhere. Tests read them all.
pub fn setting(name: &str) -> &'static Setting {
    #[expect(clippy::expect_used, reason = "names are literals of this folder, and a test reads all of them")]
    SETTINGS.iter().find(|setting| setting.name == name).expect("every setting stands in the table")
}

/// The text of `.env.example`.
pub fn env_example() -> String {
    let mut out = String::from(
        "# Latchkey's settings. Copy this file to `.env` and change what you need; every line shows its default.\n\
         # The process environment wins over `.env`; an empty value is an unset one. Durations: 5m, 30 days, 1h 30m,\n\
         # or seconds. Put keys and passwords into single quotes: elsewhere `$` and `#` cut them.\n\
         # Made from the table of settings: run `UPDATE_ENV_EXAMPLE=1 cargo test --lib config` after changing that.\n",
    );
    let mut section = "";
    for setting in SETTINGS {
        if setting.section != section {
            section = setting.section;
            let _ = writeln!(out, "\n# ---- {section} ----");
        }
        let _ = writeln!(out, "\n# {}", setting.meaning);
        let _ = match setting.initial {
            // dotenvy wants quotes around white space.
            Initial::Value(default) if default.contains(' ') => writeln!(out, "# {}='{default}'", setting.name),
            Initial::Value(default) => writeln!(out, "# {}={default}", setting.name),
            worded => writeln!(out, "# (default: {})\n# {}=", worded.shown(), setting.name),
        };
    }
    out
}

/// The README's table, in Markdown.
pub fn readme_table() -> String {
    let mut out = String::from("| variable | default | meaning |\n| --- | --- | --- |\n");
    for setting in SETTINGS {
        let default = match setting.initial {
            Initial::Value(default) => format!("`{default}`"),
            worded => worded.shown().into_owned(),
        };
        let _ = writeln!(out, "| `{}` | {default} | {} |", setting.name, setting.meaning);
    }
    out
}

const fn value(
    section: &'static str,
    name: &'static str,
    default: &'static str,
    example: &'static str,
    meaning: &'static str,
) -> Setting {
    Setting { section, name, initial: Initial::Value(default), example, meaning, is_secret: false }
}

const fn words(
    section: &'static str,
    name: &'static str,
    default: &'static str,
    example: &'static str,
    meaning: &'static str,
) -> Setting {
    Setting { section, name, initial: Initial::Words(default), example, meaning, is_secret: false }
}

const fn by_database(
    section: &'static str,
    name: &'static str,
    (own, django): (&'static str, &'static str),
    [example, meaning]: [&'static str; 2],
) -> Setting {
    Setting { section, name, initial: Initial::ByDatabase { own, django }, example, meaning, is_secret: false }
}

const fn secret(
    section: &'static str,
    name: &'static str,
    default: &'static str,
    example: &'static str,
    meaning: &'static str,
) -> Setting {
    Setting { section, name, initial: Initial::Words(default), example, meaning, is_secret: true }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::path::Path;

    use super::*;

    /// Compares a file with what it has to be, or writes it.
    #[expect(clippy::disallowed_methods, reason = "config reads the environment, here whether to write the file")]
    fn keep(name: &str, wanted: impl Fn(&str) -> String) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
        let file = std::fs::read_to_string(&path).unwrap_or_default();
        let wanted = wanted(&file);
        if std::env::var("UPDATE_ENV_EXAMPLE").is_ok() {
            std::fs::write(&path, &wanted).unwrap();
        } else {
            assert_eq!(file, wanted, "{name}: run UPDATE_ENV_EXAMPLE=1 cargo test --lib config");
        }
    }

    #[test]
    fn the_example_file_is_what_the_table_says() {
        keep(".env.example", |_| env_example());
    }

    #[test]
    fn the_readme_has_the_table() {
        const MARKERS: [&str; 2] = ["<!-- settings:begin -->\n", "<!-- settings:end -->\n"];
        keep("README.md", |readme| {
            let (before, rest) = readme.split_once(MARKERS[0]).expect("the first marker");
            let (_, after) = rest.split_once(MARKERS[1]).expect("the second marker");
            format!("{before}{}{}{}{after}", MARKERS[0], readme_table(), MARKERS[1])
        });
    }

    #[test]
    fn no_setting_stands_in_the_table_twice() {
        let names: HashSet<_> = SETTINGS.iter().map(|setting| setting.name).collect();
        assert_eq!(names.len(), SETTINGS.len());
    }

    #[test]
    fn the_readme_table_has_one_row_for_each_setting() {
        let table = readme_table();
        assert_eq!(table.lines().count(), SETTINGS.len() + 2);
        assert!(table.contains("| `PORT` | `8000` | port to listen on"));
        assert!(table.lines().all(|row| row.matches('|').count() == 4), "a cell contains a bar");
    }

    #[test]
    fn the_example_file_says_the_same_with_every_line_in_force() {
        let lines =
            env_example().lines().filter_map(|line| line.strip_prefix("# ")).map(str::to_owned).collect::<Vec<_>>();
        let is_setting =
            |line: &&String| SETTINGS.iter().any(|setting| line.starts_with(&format!("{}=", setting.name)));
        let text: Vec<_> = lines.iter().filter(is_setting).map(String::as_str).collect();
        assert_eq!(text.len(), SETTINGS.len());
        let mut problems = Vec::new();
        let values = super::super::dotenv::parse(&text.join("\n"), &mut problems);
        assert_eq!(problems, Vec::new());
        for setting in SETTINGS {
            let expected = if let Initial::Value(default) = setting.initial { default } else { "" };
            assert_eq!(values[setting.name], expected, "{}", setting.name);
        }
    }
}
