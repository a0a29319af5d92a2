//! The only place that reads the process environment and `./.env`.

use std::collections::HashMap;
use std::path::Path;

use secrecy::SecretString;

use super::database::DatabaseUrl;
use super::dotenv;
use super::effective::ValueSource;
use super::key::{self, SecretKeySource};
use super::load::Config;
use super::reader::{Problem, Problems, Reader};
use super::table::SETTINGS;

/// Variables, each with where it was found.
type Values = HashMap<String, (String, ValueSource)>;

/// What `createsuperuser --noinput` takes from the environment.
#[derive(Debug, Clone, Default)]
pub struct Superuser {
    /// `LATCHKEY_SUPERUSER_USERNAME`.
    pub username: Option<String>,
    /// `LATCHKEY_SUPERUSER_EMAIL`.
    pub email: Option<String>,
    /// `LATCHKEY_SUPERUSER_PASSWORD`.
    pub password: Option<SecretString>,
}

/// Reads them, or else Django's `DJANGO_SUPERUSER_*`; from the process alone, as Django does.
pub fn superuser() -> Superuser {
    let either = |field: &str| {
        ["LATCHKEY", "DJANGO"]
            .iter()
            .find_map(|product| variable(&format!("{product}_SUPERUSER_{field}")).ok().flatten())
    };
    Superuser {
        username: either("USERNAME").filter(|value| !value.is_empty()),
        email: either("EMAIL").filter(|value| !value.is_empty()),
        password: either("PASSWORD").filter(|value| !value.is_empty()).map(SecretString::from),
    }
}

/// The name of the user at the terminal, if a variable has it (the same that Python's `getpass.getuser` reads).
pub fn login_name() -> Option<String> {
    let names = ["LOGNAME", "USER", "LNAME", "USERNAME"];
    names.iter().find_map(|name| variable(name).ok().flatten().filter(|name| !name.is_empty()))
}

impl Config {
    /// Reads the process environment and `./.env` (never a parent folder's); the process wins over the file, `overrides` win over
    /// both. If `SECRET_KEY` is unset and the database is SQLite, a key is kept in a file beside the database. A server creates it
    /// at start; another command (`is_start` is false) only beside an existing database, so that a command run in the wrong folder
    /// leaves nothing behind. Without the file the key stays empty.
    ///
    /// # Errors
    /// All problems together.
    pub fn from_environment(
        overrides: &[(&str, String)],
        random_key: fn() -> String,
        is_start: bool,
    ) -> Result<Self, Problems> {
        let mut problems = Vec::new();
        let file = dotenv::read(Path::new(".env"), &mut problems);
        let mut values: Values = file.into_iter().map(|(name, value)| (name, (value, ValueSource::DotEnv))).collect();
        for (name, value) in std::env::vars_os() {
            let Some(name) = name.to_str().filter(|name| is_setting(name) || looks_like_setting(name)) else {
                continue;
            };
            match value.into_string() {
                Ok(value) => drop(values.insert(name.to_owned(), (value, ValueSource::Environment))),
                Err(_) => problems.push(Problem { name: name.to_owned(), message: "is not UTF-8".to_owned() }),
            }
        }
        let given = |(name, value): &(&str, String)| ((*name).to_owned(), (value.clone(), ValueSource::CommandLine));
        values.extend(overrides.iter().map(given));
        Self::from_values(&values, problems, random_key, is_start)
    }

    /// The part of `from_environment` that does not read the environment.
    fn from_values(
        values: &Values,
        problems: Vec<Problem>,
        random_key: fn() -> String,
        is_start: bool,
    ) -> Result<Self, Problems> {
        let get = |name: &str| values.get(name).map(|(value, _)| value.clone());
        let origin = |name: &str| values.get(name).map_or(ValueSource::Default, |(_, origin)| *origin);
        let mut reader = Reader::with_origin(&get, &origin);
        reader.problems = problems;
        reader.warnings = unknown(values.keys());
        let mut config = Self::read(&mut reader);
        // The file is created only if nothing else stops the start.
        if let SecretKeySource::File(path) = &config.secret_key_source
            && reader.problems.is_empty()
            && (is_start || matches!(&config.database.url, DatabaseUrl::Sqlite(database) if database.exists()))
        {
            match key::read_or_make(path, random_key) {
                Ok((secret_key, source)) => {
                    reader.show("SECRET_KEY", format!("(kept in {}, not shown)", path.display()));
                    config.secret_key = secret_key;
                    config.secret_key_source = source;
                }
                Err(message) => reader.problems.push(Problem { name: "SECRET_KEY".to_owned(), message }),
            }
        }
        config.finish(reader)
    }
}

fn is_setting(name: &str) -> bool {
    SETTINGS.iter().any(|setting| setting.name == name)
}

/// A typing error in such a name would silently leave the default in force.
fn looks_like_setting(name: &str) -> bool {
    name.starts_with("JWT_") || name.starts_with("CORS_")
}

fn unknown<'a>(names: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut unknown: Vec<_> = names.filter(|name| looks_like_setting(name) && !is_setting(name)).collect();
    unknown.sort();
    unknown.iter().map(|name| format!("{name} is no setting of this version and has no effect")).collect()
}

#[expect(clippy::disallowed_methods, reason = "the one place that asks the process for its environment")]
fn variable(name: &str) -> Result<Option<String>, String> {
    match std::env::var(name) {
        Ok(value) => Ok(Some(value)),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err("is not UTF-8".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(pairs: &[(&str, &str)]) -> Values {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), ((*value).to_owned(), ValueSource::DotEnv))).collect()
    }

    #[test]
    fn a_key_is_kept_beside_a_sqlite_database() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:///{}/a.sqlite3", folder.path().display());
        let values = values(&[("DATABASE_URL", &url)]);
        let made = Config::from_values(&values, Vec::new(), || "7".repeat(64), true).unwrap();
        assert!(matches!(made.secret_key_source, SecretKeySource::NewFile(_)));
        let shown = made.effective().iter().find(|effective| effective.name == "SECRET_KEY").unwrap();
        assert!(shown.value.contains("a.sqlite3.secret_key"), "{}", shown.value);
        assert_eq!(shown.origin, ValueSource::WorkedOut);
        let kept = Config::from_values(&values, Vec::new(), || "8".repeat(64), true).unwrap();
        assert!(matches!(kept.secret_key_source, SecretKeySource::File(_)));
    }

    #[test]
    fn no_key_is_made_for_a_start_that_fails_anyway() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:///{}/a.sqlite3", folder.path().display());
        Config::from_values(&values(&[("DATABASE_URL", &url), ("PORT", "x")]), Vec::new(), || "7".repeat(64), true)
            .unwrap_err();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_command_makes_no_key_where_there_is_no_database() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:///{}/a.sqlite3", folder.path().display());
        let values = values(&[("DATABASE_URL", &url)]);
        Config::from_values(&values, Vec::new(), || "7".repeat(64), false).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        std::fs::write(folder.path().join("a.sqlite3"), "").unwrap();
        let made = Config::from_values(&values, Vec::new(), || "7".repeat(64), false).unwrap();
        assert!(matches!(made.secret_key_source, SecretKeySource::NewFile(_)));
    }

    #[test]
    fn each_value_remembers_where_it_came_from() {
        let mut values = values(&[("SECRET_KEY", &"k".repeat(32)), ("DATABASE_URL", "sqlite:///a.sqlite3")]);
        values.insert("PORT".to_owned(), ("9000".to_owned(), ValueSource::CommandLine));
        values.insert("HOST".to_owned(), (String::new(), ValueSource::Environment));
        let config = Config::from_values(&values, Vec::new(), || "7".repeat(64), false).unwrap();
        for (name, origin) in [
            ("SECRET_KEY", ValueSource::DotEnv),
            ("DATABASE_URL", ValueSource::DotEnv),
            ("PORT", ValueSource::CommandLine),
            ("HOST", ValueSource::Default),
            ("PUBLIC_URL", ValueSource::WorkedOut),
        ] {
            let shown = config.effective().iter().find(|effective| effective.name == name).unwrap();
            assert_eq!(shown.origin, origin, "{name}");
        }
    }

    #[test]
    fn problems_of_the_file_come_with_the_others() {
        let problem = Problem { name: ".env".to_owned(), message: "line 1 …".to_owned() };
        let problems =
            Config::from_values(&values(&[("PORT", "x")]), vec![problem], || "7".repeat(64), true).unwrap_err();
        assert_eq!(problems.0.len(), 2);
    }

    #[test]
    fn a_misspelt_setting_warns() {
        let values = values(&[("SECRET_KEY", &"k".repeat(32)), ("JWT_ACCES_TOKEN_LIFETIME", "1h"), ("PATH", "/bin")]);
        let config = Config::from_values(&values, Vec::new(), || "7".repeat(64), true).unwrap();
        assert_eq!(config.warnings, ["JWT_ACCES_TOKEN_LIFETIME is no setting of this version and has no effect"]);
    }

    #[test]
    fn the_process_environment_can_be_read() {
        // What it holds is not ours to say; only that nothing in it can break the start.
        let nothing_kept = [("SECRET_KEY", "k".repeat(32)), ("DATABASE_URL", "sqlite:///a.sqlite3".to_owned())];
        let _ = Config::from_environment(&nothing_kept, || "7".repeat(64), false);
        let _ = superuser();
    }
}
