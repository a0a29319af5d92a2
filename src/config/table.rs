//! The table of settings: their names, defaults and meanings. The reader takes the defaults from here; `.env.example` and the
//! README's table are generated from it, and a test compares them.

use std::fmt::{self, Write};

use DefaultValue::{Computed, Standalone, Unset, Value};

/// What a setting is when it is not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DefaultValue {
    /// Nothing.
    Unset,
    /// This value.
    Value(&'static str),
    /// One value in a database that only Latchkey uses, another in one that it shares with Django.
    Standalone {
        /// Without Django.
        alone: &'static str,
        /// Beside Django.
        with_django: &'static str,
    },
    /// Worked out from other settings or from the machine; these words say how.
    Computed(&'static str),
}

/// In words.
impl fmt::Display for DefaultValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unset => f.write_str("none"),
            Value(value) => f.write_str(value),
            Standalone { alone, with_django } => {
                write!(f, "{alone}, or {with_django} when sharing a Django database")
            }
            Computed(words) => f.write_str(words),
        }
    }
}

impl DefaultValue {
    /// In words, with values in backticks.
    fn in_markdown(self) -> String {
        match self {
            Value(value) => format!("`{value}`"),
            Standalone { alone, with_django } => {
                format!("`{alone}`, or `{with_django}` when sharing a Django database")
            }
            Unset | Computed(_) => self.to_string(),
        }
    }
}

/// One setting.
#[derive(Debug)]
pub struct Setting {
    /// The heading above it.
    pub section: &'static str,
    /// The variable.
    pub name: &'static str,
    /// What it is when it is not set.
    pub default: DefaultValue,
    /// A good value that is not the default.
    pub example: &'static str,
    /// What it does, in one line.
    pub meaning: &'static str,
    /// Its value is never shown.
    pub is_secret: bool,
}

impl Setting {
    const fn secret(self) -> Self {
        Self { is_secret: true, ..self }
    }
}

/// A heading in the table.
struct Section(&'static str);

impl Section {
    const fn row(
        &self,
        name: &'static str,
        default: DefaultValue,
        example: &'static str,
        meaning: &'static str,
    ) -> Setting {
        Setting { section: self.0, name, default, example, meaning, is_secret: false }
    }
}

const SERVER: Section = Section("Server");
const DATABASE: Section = Section("Database");
const CORS: Section = Section("Cross-origin requests");
const USER_TABLE: Section = Section("User table");
const ACCOUNTS: Section = Section("Accounts");
const PASSWORDS: Section = Section("Passwords");
const TOKENS: Section = Section("Tokens");
const SESSIONS: Section = Section("Sessions");
const COOKIE: Section = Section("Refresh cookie");
const FACTORS: Section = Section("Second factors");
const MAIL: Section = Section("Mail");
const LOG: Section = Section("Log");

/// Every setting, in the order of the documentation.
#[rustfmt::skip] // a table is read in columns
pub const SETTINGS: &[Setting] = &[
    SERVER.row("HOST", Value("127.0.0.1"), "0.0.0.0", "IP address to listen on"),
    SERVER.row("PORT", Value("8000"), "8080", "port to listen on; 0 picks a free one and prints it"),
    SERVER.row("WORKERS", Computed("the number of CPU cores"), "4", "worker threads that answer requests"),
    SERVER.row("PUBLIC_URL", Computed("http://localhost:PORT"), "https://auth.example.com", "address at which users reach the server: used in links; with https, cookies are `Secure`"),
    SERVER.row("ALLOWED_HOSTS", Computed("localhost,127.0.0.1,[::1] and PUBLIC_URL's host"), "auth.example.com,.internal.example.com", "accepted `Host` headers, separated by commas; `.example.com` includes subdomains, `*` accepts all"),
    SERVER.row("TRUSTED_PROXIES", Unset, "10.0.0.0/8,192.168.1.7", "networks or addresses whose `X-Forwarded-For` is trusted"),
    SERVER.row("PATH_ALIASES", Unset, "/auth/jwt/create/=token,/auth/jwt/refresh/=refresh", "further paths of endpoints, so that clients of a Django project need no change: each `PATH=ENDPOINT`, an endpoint as it is called below `/api/`"),
    SERVER.row("SECRET_KEY", Computed("on SQLite created once and kept in a file beside the database"), "'0123456789abcdef0123456789abcdef' (but random: `openssl rand -hex 32` makes one)", "signs admin sessions and CSRF tokens, and JWTs unless JWT_SIGNING_KEY is set; at least 32 bytes; required on PostgreSQL").secret(),
    DATABASE.row("DATABASE_URL", Value("sqlite:///latchkey.sqlite3"), "postgres://latchkey:password@localhost/latchkey", "`sqlite:///relative`, `sqlite:////absolute` or `postgres://…`; special characters percent-encoded").secret(),
    DATABASE.row("DATABASE_POOL_SIZE", Value("10"), "20", "PostgreSQL connections, or SQLite readers"),
    DATABASE.row("AUTO_MIGRATE", Computed("true on SQLite, false on PostgreSQL"), "false", "apply pending migrations at start; otherwise the server refuses to start and names the command to run"),
    CORS.row("CORS_ALLOWED_ORIGINS", Unset, "https://app.example.com,http://localhost:3000", "origins of front ends that may call the API from a browser"),
    CORS.row("CORS_ALLOW_ALL_ORIGINS", Value("false"), "true", "any origin may call the API"),
    CORS.row("CORS_ALLOW_CREDENTIALS", Value("false"), "true", "browsers may send cookies"),
    CORS.row("CORS_ALLOW_HEADERS", Value("accept,authorization,content-type,user-agent,x-csrftoken,x-requested-with,idempotency-key"), "authorization,content-type", "request headers that a browser may send"),
    CORS.row("CORS_EXPOSE_HEADERS", Value("Retry-After"), "Retry-After,X-Request-Id", "response headers that a script may read"),
    USER_TABLE.row("USER_TABLE", Computed("the table that the stored tokens refer to"), "accounts_user", "table of the users; only to insist on it"),
    USER_TABLE.row("USERNAME_FIELD", Computed("username, or email where there is no username"), "email", "what a login names, and the name of the JSON field: a unique column, `username_or_email`, or several columns with commas (then the field is `username`)"),
    USER_TABLE.row("USER_EMAIL_FIELD", Computed("email"), "email_address", "column of the email address; `none`: there is none"),
    USER_TABLE.row("USER_FIRST_NAME_FIELD", Computed("first_name"), "given_name", "column of the first name; `none`: there is none"),
    USER_TABLE.row("USER_LAST_NAME_FIELD", Computed("last_name"), "family_name", "column of the last name; `none`: there is none"),
    USER_TABLE.row("USER_DATE_JOINED_FIELD", Computed("date_joined"), "created_at", "column of the time when the user was created; `none`: there is none"),
    USER_TABLE.row("USER_LAST_LOGIN_FIELD", Computed("last_login"), "none", "column of the last login; `none`: it is not recorded"),
    USER_TABLE.row("USER_IS_ACTIVE_FIELD", Computed("is_active"), "is_enabled", "boolean column; `none`: every user is active"),
    USER_TABLE.row("USER_IS_STAFF_FIELD", Computed("is_staff"), "is_admin", "boolean column; `none`: superusers are staff"),
    USER_TABLE.row("USER_IS_SUPERUSER_FIELD", Computed("is_superuser"), "is_admin", "boolean column; `none`: `latchkey users promote` makes superusers of the panel"),
    USER_TABLE.row("LOGIN_REQUIRES", Unset, "is_verified,!is_deleted", "boolean columns that must be true, or with `!` false, for a login and for every token"),
    USER_TABLE.row("USER_CREATE", Computed("true where a new user needs no unknown columns"), "false", "users can be created here; Django’s signals do not run"),
    USER_TABLE.row("USER_CREATE_DEFAULTS", Unset, r#"'{"phone":"","created_at":"$now","public_id":"$uuid4"}'"#, "values of other columns for new users, as JSON; `$now` and `$uuid4` are made for each"),
    ACCOUNTS.row("STAFF_MAY_VIEW", Standalone { alone: "true", with_django: "false" }, "false", "staff who are not superusers may look at the panel, but not change anything"),
    ACCOUNTS.row("END_SESSIONS_ON_USER_CHANGE", Value("true"), "false", "changing a password or deactivating a user ends the user's sessions and blacklists their tokens"),
    ACCOUNTS.row("LOGIN_THROTTLE", Value("true"), "false", "password guessing and requests for mail are slowed down (docs/passwords.md)"),
    PASSWORDS.row("PASSWORD_RULES", Value("nist"), "django", "rules for new passwords: `nist` (at least 15 characters, no common ones), `django` (Django's four validators) or `none`"),
    PASSWORDS.row("PASSWORD_HASHER", Standalone { alone: "bcrypt_sha256", with_django: "pbkdf2_sha256" }, "argon2", "how new passwords are hashed: `bcrypt_sha256`, `bcrypt`, `argon2` or `pbkdf2_sha256`"),
    PASSWORDS.row("BCRYPT_ROUNDS", Value("12"), "13", "bcrypt's cost, 4 to 31; below 10 warns"),
    PASSWORDS.row("PBKDF2_ITERATIONS", Value("1000000"), "1200000", "PBKDF2's iterations; below 600000 warns"),
    PASSWORDS.row("PASSWORD_REHASH", Standalone { alone: "true", with_django: "false" }, "false", "replace outdated hashes at the next successful login"),
    TOKENS.row("JWT_SIGNING_KEY", Computed("SECRET_KEY"), "/etc/latchkey/signing.pem", "secret (HS*) or private key in PEM; a value that starts with `/`, `./`, `../` or `file:` is a path").secret(),
    TOKENS.row("JWT_VERIFYING_KEY", Computed("derived from the signing key"), "/etc/latchkey/verifying.pem", "public key in PEM, or a path to it").secret(),
    TOKENS.row("JWT_ALGORITHM", Value("HS256"), "EdDSA", "HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384 or EdDSA"),
    TOKENS.row("JWT_ACCESS_TOKEN_LIFETIME", Value("5m"), "15m", "how long an access token is valid"),
    TOKENS.row("JWT_REFRESH_TOKEN_LIFETIME", Value("1 day"), "30 days", "how long a refresh token is valid"),
    TOKENS.row("JWT_SLIDING_TOKEN_LIFETIME", Value("5m"), "15m", "how long a sliding token is valid"),
    TOKENS.row("JWT_SLIDING_TOKEN_REFRESH_LIFETIME", Value("1 day"), "30 days", "how long a sliding token can be refreshed"),
    TOKENS.row("JWT_ROTATE_REFRESH_TOKENS", Value("true"), "false", "a refresh also returns a new refresh token"),
    TOKENS.row("JWT_BLACKLIST_AFTER_ROTATION", Value("true"), "false", "the old refresh token is then blacklisted"),
    TOKENS.row("JWT_UPDATE_LAST_LOGIN", Value("true"), "false", "a login updates the user's `last_login`, at most once a minute"),
    TOKENS.row("JWT_AUDIENCE", Unset, "https://api.example.com", "written to tokens as `aud` and checked; several separated by commas or as a JSON list"),
    TOKENS.row("JWT_ISSUER", Unset, "https://auth.example.com", "written to tokens as `iss` and checked"),
    TOKENS.row("JWT_JWK_URL", Unset, "https://auth.example.com/.well-known/jwks.json", "verify with the JSON Web Key Set there instead of JWT_VERIFYING_KEY (not with HS*); https, or http on this machine"),
    TOKENS.row("JWT_LEEWAY", Value("0"), "10s", "how far clocks may differ"),
    TOKENS.row("JWT_AUTH_HEADER_TYPES", Value("Bearer"), "Bearer,JWT", "words that may precede the token in the header"),
    TOKENS.row("JWT_AUTH_HEADER_NAME", Value("Authorization"), "X-Access-Token", "header with the token; the spelling `HTTP_X_ACCESS_TOKEN` works too"),
    TOKENS.row("JWT_AUTH_TOKEN_CLASSES", Value("access"), "access,sliding", "tokens that authenticate a request: `access`, `sliding` or both"),
    TOKENS.row("JWT_USER_ID_FIELD", Value("id"), "uuid", "what identifies the user in tokens: `id`, any unique column of the user table, or `uuid` (random, kept by Latchkey)"),
    TOKENS.row("JWT_USER_ID_CLAIM", Value("user_id"), "sub", "claim with that id"),
    TOKENS.row("JWT_USER_ID_CLAIM_TYPE", Computed("as in the newest stored token, or `text`"), "number", "how that claim has an integer key: `text` as SimpleJWT 5.5.1 and newer write it, or `number` as older ones do"),
    TOKENS.row("JWT_TOKEN_TYPE_CLAIM", Value("token_type"), "typ", "claim with the token's type; `none` leaves it out"),
    TOKENS.row("JWT_JTI_CLAIM", Value("jti"), "none", "claim with the token's id; `none` leaves it out"),
    TOKENS.row("JWT_SLIDING_TOKEN_REFRESH_EXP_CLAIM", Value("refresh_exp"), "refresh_until", "claim with the time until which a sliding token can be refreshed"),
    TOKENS.row("JWT_EXTRA_CLAIMS", Unset, "email,is_staff", "user fields copied into tokens: email, username, first_name, last_name, is_staff, is_superuser, is_active"),
    TOKENS.row("JWT_CHECK_USER_IS_ACTIVE", Value("true"), "false", "inactive users cannot log in, refresh or authenticate"),
    TOKENS.row("JWT_CHECK_REVOKE_TOKEN", Value("false"), "true", "a token becomes invalid when the user's password changes"),
    TOKENS.row("JWT_REVOKE_TOKEN_CLAIM", Value("hash_password"), "pwd", "claim used for that"),
    TOKENS.row("JWT_BROWSABLE_API", Value("true"), "false", "a browser that opens an endpoint gets a page with a form and decoded tokens; if false, only JSON"),
    TOKENS.row("JWT_SESSION_CLAIM", Value("sid"), "none", "claim with the session's id; `none` leaves it out"),
    TOKENS.row("JWT_CHECK_SESSION", Value("false"), "true", "this server rejects an access token whose session has ended, at the cost of a query"),
    SESSIONS.row("SESSION_MAX_AGE", Unset, "30 days", "a session ends this long after its login"),
    SESSIONS.row("SESSION_IDLE_TIMEOUT", Unset, "7 days", "a session ends if it is not refreshed for this long"),
    SESSIONS.row("SESSION_MAX_PER_USER", Unset, "10", "if a user has more sessions than this, the oldest ends"),
    SESSIONS.row("REUSE_ALARM_AFTER", Value("10s"), "30s", "a rotated refresh token that is used again later than this ends its session; earlier it is only refused"),
    SESSIONS.row("REFRESH_GRACE", Value("0"), "10s", "a refresh without an `Idempotency-Key` may be repeated for this long, at most a minute"),
    SESSIONS.row("PURGE_INTERVAL", Value("1h"), "15m", "how often expired tokens and sessions are deleted; 0: only by `flushexpiredtokens`"),
    SESSIONS.row("AUDIT_LOG_RETENTION", Value("365 days"), "90 days", "how long entries of the audit log are kept; 0: for ever"),
    SESSIONS.row("INTROSPECTION_CLIENT_ID", Unset, "my-api", "id of a client that may use `token/introspect/` besides superusers"),
    SESSIONS.row("INTROSPECTION_CLIENT_SECRET", Unset, "'0123456789abcdef0123456789abcdef' (but random: `openssl rand -hex 32` makes one)", "its secret; at least 32 bytes").secret(),
    COOKIE.row("JWT_COOKIE", Value("none"), "refresh", "`refresh` keeps the refresh token of clients that ask for it in a cookie that scripts cannot read (docs/front-end.md)"),
    COOKIE.row("JWT_COOKIE_SAMESITE", Value("strict"), "lax", "from which pages the cookie is sent: `strict`, `lax`, or `none` (https only) for front ends on another site"),
    FACTORS.row("SECOND_FACTOR", Value("optional"), "staff", "who must have a second factor: nobody (`optional`), `staff` and superusers, or everybody (`required`)"),
    FACTORS.row("SECOND_FACTOR_REMEMBER", Value("30 days"), "0", "how long a remembered browser is not asked for a second factor; 0 means that it always is"),
    FACTORS.row("PASSKEY_RP_ID", Computed("the host of PUBLIC_URL"), "example.com", "domain of passkeys: the host of PUBLIC_URL or a domain above it, so that front ends below it can use them (list those in CORS_ALLOWED_ORIGINS)"),
    FACTORS.row("JWT_AUTH_CLAIMS", Value("false"), "true", "tokens say how (`amr`, RFC 8176) and when (`auth_time`) their user logged in"),
    MAIL.row("EMAIL_URL", Value("console:"), "smtp://user:password@mail.example.com:587", "where mail goes: `smtp://…` (STARTTLS), `smtps://…` (TLS), `console:` or `file:///directory`; special characters percent-encoded").secret(),
    MAIL.row("DEFAULT_FROM_EMAIL", Value("latchkey@localhost"), "Example <accounts@example.com>", "sender of every mail"),
    MAIL.row("SITE_NAME", Value("Latchkey"), "Example", "name of the site in mails and on the pages of users"),
    MAIL.row("PASSWORD_RESET_URL", Computed("the page /account/password/reset/confirm/"), "https://app.example.com/reset?token={token}", "front-end page that the link for a new password opens; `{token}` is replaced by the token"),
    MAIL.row("EMAIL_CONFIRM_URL", Computed("the page /account/email/confirm/"), "https://app.example.com/confirm?token={token}", "front-end page that the link to confirm an address opens; `{token}` is replaced by the token"),
    MAIL.row("SECURITY_MAIL", Value("true"), "false", "users get mail about logins from new devices and changes of password or address"),
    LOG.row("LOG_FORMAT", Value("pretty"), "json", "`pretty` for people, `json` for one object per line"),
    LOG.row("RUST_LOG", Value("info"), "info,latchkey=debug", "what is logged, as a filter of Rust's tracing"),
];

/// The setting with that name.
///
/// # Panics
/// If there is none: the program would read a setting that is not documented. Tests read all of them.
pub fn setting(name: &str) -> &'static Setting {
    #[expect(clippy::expect_used, reason = "names are literals of this folder, and a test reads all of them")]
    SETTINGS.iter().find(|setting| setting.name == name).expect("every setting stands in the table")
}

/// The text of `.env.example`.
pub fn env_example() -> String {
    let mut out = String::from(
        "# Latchkey's settings. Copy this file to `.env` and change what you need; every line shows its default.\n\
         # The process environment wins over `.env`; an empty value counts as unset. Durations: 5m, 30 days, 1h 30m,\n\
         # or seconds. Put keys and passwords into single quotes: otherwise `$` and `#` truncate them.\n\
         # Generated from the table of settings: run `UPDATE_ENV_EXAMPLE=1 cargo test --lib config` after changing that.\n",
    );
    let mut section = "";
    for setting in SETTINGS {
        if setting.section != section {
            section = setting.section;
            let _ = writeln!(out, "\n# ---- {section} ----");
        }
        let _ = writeln!(out, "\n# {}", setting.meaning);
        let _ = match setting.default {
            // dotenvy wants quotes around white space.
            DefaultValue::Value(default) if default.contains(' ') => writeln!(out, "# {}='{default}'", setting.name),
            DefaultValue::Value(default) => writeln!(out, "# {}={default}", setting.name),
            default => writeln!(out, "# (default: {default})\n# {}=", setting.name),
        };
    }
    out
}

/// The README's table, in Markdown.
pub fn readme_table() -> String {
    let mut out = String::from("| variable | default | meaning |\n| --- | --- | --- |\n");
    for setting in SETTINGS {
        let _ = writeln!(out, "| `{}` | {} | {} |", setting.name, setting.default.in_markdown(), setting.meaning);
    }
    out
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
            let expected = if let Value(default) = setting.default { default } else { "" };
            assert_eq!(values[setting.name], expected, "{}", setting.name);
        }
    }
}
