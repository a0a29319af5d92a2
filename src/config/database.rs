//! `DATABASE_URL` in django-environ's format, and how the database is used. `db/` opens it.

use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};

use super::parse::{self, ValueError};
use super::reader::Reader;

/// `DATABASE_URL`, `DATABASE_POOL_SIZE`, `AUTO_MIGRATE`.
#[derive(Debug, Clone)]
pub struct Database {
    /// Which database.
    pub url: DatabaseUrl,
    /// PostgreSQL connections, or SQLite readers.
    pub pool_size: usize,
    /// Apply pending migrations at start; if false, refuse to start while some are pending.
    pub auto_migrate: bool,
}

/// A parsed `DATABASE_URL`.
#[derive(Clone)]
pub enum DatabaseUrl {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A libpq connection URI; it may hold a password.
    Postgres(SecretString),
}

impl Database {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        let url = reader.read("DATABASE_URL", database_url);
        reader.mask("DATABASE_URL", url.to_string());
        let pool_size = reader.read("DATABASE_POOL_SIZE", parse::number(1..=500));
        let auto_migrate = reader.optional("AUTO_MIGRATE", parse::boolean).unwrap_or_else(|| {
            let is_embedded = matches!(url, DatabaseUrl::Sqlite(_));
            reader.show("AUTO_MIGRATE", is_embedded.to_string());
            is_embedded
        });
        Self { url, pool_size, auto_migrate }
    }
}

impl DatabaseUrl {
    /// Whether nobody can listen in between here and the database: it is a file or on this machine, or TLS is required.
    pub fn is_local_or_encrypted(&self) -> bool {
        let Self::Postgres(url) = self else { return true };
        let (place, options) = url.expose_secret().split_once('?').unwrap_or((url.expose_secret(), ""));
        let option = |name: &str| options.split('&').find_map(|option| option.strip_prefix(name)?.strip_prefix('='));
        if option("sslmode").is_some_and(|mode| ["require", "verify-ca", "verify-full"].contains(&mode)) {
            return true;
        }
        let place = place.split_once("://").map_or(place, |(_, rest)| rest);
        let hosts = place.rsplit_once('@').map_or(place, |(_, hosts)| hosts);
        let hosts = option("host").unwrap_or_else(|| hosts.split('/').next().unwrap_or_default());
        // Without a host, or with a path as host (`/` is %2F too), libpq uses a socket of this machine.
        hosts.split(',').all(|host| {
            let host = if host.starts_with('[') { host } else { host.split(':').next().unwrap_or_default() };
            host.is_empty()
                || host == "localhost"
                || ["/", "%2F", "%2f", "127.", "[::1]"].iter().any(|start| host.starts_with(start))
        })
    }
}

/// For display: the password is hidden, and of the options only `sslmode` is shown.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:///{}", path.display()),
            Self::Postgres(url) => f.write_str(&mask(url.expose_secret())),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => f.debug_tuple("Sqlite").field(path).finish(),
            Self::Postgres(_) => f.write_str("Postgres(…)"),
        }
    }
}

fn database_url(value: &str) -> Result<DatabaseUrl, ValueError> {
    let value = value.trim();
    let (scheme, rest) = value.split_once(':').unwrap_or((value, ""));
    match scheme.to_ascii_lowercase().as_str() {
        "sqlite" => sqlite_path(rest).map(DatabaseUrl::Sqlite),
        "postgres" | "postgresql" if !rest.starts_with("//") => Err("has no `//` after the scheme".to_owned()),
        "postgres" | "postgresql" if value.contains(|c: char| c.is_control() || c.is_whitespace()) => {
            Err("contains white space or a control character (write it percent-encoded)".to_owned())
        }
        // libpq would take part of the password for a host or port, and show it in its errors.
        "postgres" | "postgresql" if !is_clear(rest) => Err("cannot be taken apart: write the special characters of \
             user and password percent-encoded (`@` is %40, `/` %2F, `:` %3A, `?` %3F, `#` %23)"
            .to_owned()),
        // The rest is for libpq to interpret (several hosts, sockets, options).
        "postgres" | "postgresql" => {
            Ok(DatabaseUrl::Postgres(format!("{}:{rest}", scheme.to_ascii_lowercase()).into()))
        }
        _ => Err("starts with none of `sqlite:///`, `postgres://` and `postgresql://`".to_owned()),
    }
}

/// The path after `sqlite:`: relative after three slashes, absolute after four.
fn sqlite_path(rest: &str) -> Result<PathBuf, ValueError> {
    let in_memory = "is a database in memory: every connection would see another one, and a stop would lose all of it";
    if matches!(rest, "" | "//" | "///" | "//:memory:") {
        return Err(in_memory.to_owned());
    }
    let Some(path) = rest.strip_prefix("///") else {
        return Err("needs three slashes for a relative path (sqlite:///latchkey.sqlite3), four for an absolute one (sqlite:////var/lib/latchkey.sqlite3)".to_owned());
    };
    if path.contains(['?', '#']) {
        return Err("has options, which SQLite's do not have here (in a path, `?` is %3F and `#` is %23)".to_owned());
    }
    let path = percent_decode(path)?;
    // Both have a special meaning for SQLite.
    if path.starts_with(b":") || path.get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b"file:")) {
        return Err(in_memory.to_owned());
    }
    if path.contains(&0) || path.ends_with(b"/") {
        return Err("does not name a file".to_owned());
    }
    Ok(PathBuf::from(OsString::from_vec(path)))
}

fn percent_decode(text: &str) -> Result<Vec<u8>, ValueError> {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let mut digit = || bytes.next().and_then(|byte| char::from(byte).to_digit(16));
        let (Some(high), Some(low)) = (digit(), digit()) else {
            return Err("has a `%` without two hexadecimal digits after it (a plain one is %25)".to_owned());
        };
        out.push(u8::try_from(high * 16 + low).unwrap_or_default());
    }
    Ok(out)
}

/// Whether `//user:password@host:port,…/name?options` is unambiguous.
fn is_clear(rest: &str) -> bool {
    let place = rest.trim_start_matches('/').split('?').next().unwrap_or_default();
    let (login, hosts) = place.rsplit_once('@').unwrap_or(("", place));
    let is_port = |port: &str| port.is_empty() || port.parse::<u16>().is_ok();
    let mut hosts = hosts.split('/').next().unwrap_or_default().split(',');
    !login.contains(['@', '/', '#'])
        && hosts.all(|host| host.ends_with(']') || host.rsplit_once(':').is_none_or(|(_, port)| is_port(port)))
}

/// Hides the password and all options except `sslmode`.
fn mask(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("postgres", url));
    let (place, options) = rest.split_once('?').unwrap_or((rest, ""));
    let (login, place) = place.rsplit_once('@').map_or((None, place), |(login, place)| (Some(login), place));
    let login = match login.map(|login| login.split_once(':').ok_or(login)) {
        Some(Ok((user, _))) => format!("{user}:…@"),
        Some(Err(user)) => format!("{user}@"),
        None => String::new(),
    };
    let option = options.split('&').find(|option| option.starts_with("sslmode="));
    let option = option.map(|option| format!("?{option}")).unwrap_or_default();
    format!("{scheme}://{login}{place}{option}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(url: &str) -> PathBuf {
        match database_url(url) {
            Ok(DatabaseUrl::Sqlite(path)) => path,
            other => panic!("{url}: {other:?}"),
        }
    }

    #[test]
    fn sqlite_addresses_are_read_as_django_environ_reads_them() {
        assert_eq!(path("sqlite:///latchkey.sqlite3"), PathBuf::from("latchkey.sqlite3"));
        assert_eq!(path("sqlite:////var/lib/a.db"), PathBuf::from("/var/lib/a.db"));
        assert_eq!(path("sqlite:///a%20b%3F.db"), PathBuf::from("a b?.db"));
        assert_eq!(path("sqlite:///a+b.db"), PathBuf::from("a+b.db"));
    }

    #[test]
    fn a_database_in_memory_is_refused_with_the_reason() {
        for url in ["sqlite:", "sqlite://", "sqlite:///", "sqlite://:memory:", "sqlite:///:memory:", "sqlite:///file:a"]
        {
            assert!(database_url(url).unwrap_err().contains("memory"), "{url}");
        }
    }

    #[test]
    fn other_addresses_are_refused() {
        for url in [
            "sqlite://a.db",
            "sqlite:a.db",
            "sqlite:///a.db?mode=ro",
            "sqlite:///a%",
            "sqlite:///a%g0",
            "sqlite:///a%00",
            "sqlite:///dir/",
            "mysql://a/b",
            "pgsql://a/b",
            "a.db",
            "postgres:a",
            "postgres://a b/c",
            "postgres://u:se@cret@h/d",
            "postgres://u:se/cret@h/d",
            "postgres://u:se@cr/et@h/d",
            "postgres://u:se?cret@h/d",
            "postgres://u:se#cret@h/d",
            "postgres://u:secret/d",
        ] {
            assert!(database_url(url).is_err(), "{url}");
        }
    }

    #[test]
    fn a_password_with_plain_special_characters_is_refused_with_the_remedy() {
        let fault = database_url("postgres://u:se@cret@h/d").unwrap_err();
        assert!(fault.contains("%40"), "{fault}");
        assert!(!fault.contains("cret"), "{fault}");
    }

    #[test]
    fn a_password_is_never_shown() {
        for (url, shown) in [
            ("postgres://u:secret@h:5432/d?sslmode=require", "postgres://u:…@h:5432/d?sslmode=require"),
            ("postgres://h/d?password=sec@ret", "postgres://h/d"),
            ("postgres://[::1]/d", "postgres://[::1]/d"),
            ("postgres://[::1]:5432,b:5433/d", "postgres://[::1]:5432,b:5433/d"),
            ("postgres:///d?host=/run&password=secret", "postgres:///d"),
            ("postgres://u@h/d", "postgres://u@h/d"),
            ("postgres://u:se%40cret@h/d", "postgres://u:…@h/d"),
            ("postgres://u:secret@/d?host=/run", "postgres://u:…@/d"),
        ] {
            let parsed = database_url(url).unwrap();
            assert_eq!(parsed.to_string(), shown);
            assert_eq!(format!("{parsed:?}"), "Postgres(…)");
        }
    }

    #[test]
    fn a_database_elsewhere_without_tls_can_be_listened_to() {
        for (url, is_safe) in [
            ("sqlite:///a.db", true),
            ("postgres:///d", true),
            ("postgres://u:p@/d?host=/run/postgresql", true),
            ("postgres://u:p@localhost:5432/d", true),
            ("postgres://[::1]:5432/d", true),
            ("postgres://u:p@db.example.com/d?sslmode=require", true),
            ("postgres://u:p@db.example.com/d", false),
            ("postgres://u:p@localhost,db.example.com/d", false),
            ("postgres:///d?host=db.example.com", false),
            ("postgres://db.example.com/d?sslmode=prefer", false),
        ] {
            assert_eq!(database_url(url).unwrap().is_local_or_encrypted(), is_safe, "{url}");
        }
    }
}
