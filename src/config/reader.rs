//! Reads settings one by one through an injected getter and collects all problems, warnings and effective values.
//! The defaults come from `table.rs`; the sections (`server.rs`, `jwt.rs` …) call it.

use std::fmt;

use super::effective::{Effective, ValueSource};
use super::parse::ValueError;
use super::table::{self, DefaultValue, Setting};

/// Where values come from: the environment, or a map in a test.
pub type Get<'a> = &'a dyn Fn(&str) -> Option<String>;

/// A problem with the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The variable, or the file that should contain it.
    pub name: String,
    /// What is wrong and what would be right, without secrets.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.message)
    }
}

/// All problems with the settings, one line each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// Collects what the sections read.
pub struct Reader<'a> {
    get: Get<'a>,
    origin: &'a dyn Fn(&str) -> ValueSource,
    /// Everything wrong so far.
    pub problems: Vec<Problem>,
    /// What works but deserves a look.
    pub warnings: Vec<String>,
    /// What was read so far, in order.
    pub effective: Vec<Effective>,
}

impl<'a> Reader<'a> {
    /// A reader that has read nothing yet.
    pub fn new(get: Get<'a>) -> Self {
        Self::with_origin(get, &|_| ValueSource::Environment)
    }

    /// The same, for values from several places.
    pub fn with_origin(get: Get<'a>, origin: &'a dyn Fn(&str) -> ValueSource) -> Self {
        Self { get, origin, problems: Vec::new(), warnings: Vec::new(), effective: Vec::new() }
    }

    /// The setting's value, or its default from the table; also the default if the value is wrong.
    ///
    /// # Panics
    /// If the table's default is not a valid value; a test loads all of them.
    pub fn read<T>(&mut self, name: &str, parse: impl Fn(&str) -> Result<T, ValueError>) -> T {
        self.optional(name, &parse).unwrap_or_else(|| {
            let DefaultValue::Value(default) = table::setting(name).default else {
                unreachable!("{name} has no default")
            };
            #[expect(clippy::expect_used, reason = "the table is a constant, and a test reads all of it")]
            parse(default).expect("a default is a good value")
        })
    }

    /// The setting's value, if it is set.
    pub fn optional<T>(&mut self, name: &str, parse: impl Fn(&str) -> Result<T, ValueError>) -> Option<T> {
        let setting = table::setting(name);
        let given = self.given(setting);
        self.effective.push(Effective {
            name: setting.name,
            value: shown(setting, given.as_deref()),
            default: setting.default,
            origin: if given.is_some() { (self.origin)(setting.name) } else { ValueSource::Default },
        });
        let given = given?;
        match parse(&given) {
            Ok(value) => Some(value),
            Err(fault) => {
                self.refuse(name, Some(&given), &fault);
                None
            }
        }
    }

    /// Notes a problem: the variable, its value unless that is secret, what is wrong, and a good example.
    pub fn refuse(&mut self, name: &str, given: Option<&str>, fault: &str) {
        let setting = table::setting(name);
        self.refuse_with(name, given, fault, &format!("{}={}", setting.name, setting.example));
    }

    /// The same with another example than the table's.
    pub fn refuse_with(&mut self, name: &str, given: Option<&str>, fault: &str, example: &str) {
        let subject = match given {
            Some(value) if !table::setting(name).is_secret => format!("{:?} ", shorten(value)),
            _ => String::new(),
        };
        let message = format!("{subject}{fault}; for example {example}");
        self.problems.push(Problem { name: name.to_owned(), message });
    }

    /// Shows the value that was worked out for an unset variable.
    pub fn show(&mut self, name: &str, value: impl Into<String>) {
        self.replace(name, value.into(), Some(ValueSource::WorkedOut));
    }

    /// Shows a value in another form than it was given.
    pub fn mask(&mut self, name: &str, value: impl Into<String>) {
        self.replace(name, value.into(), None);
    }

    fn replace(&mut self, name: &str, value: String, origin: Option<ValueSource>) {
        if let Some(effective) = self.effective.iter_mut().find(|effective| effective.name == name) {
            effective.value = value;
            effective.origin = origin.unwrap_or(effective.origin);
        }
    }

    /// Whether it is set to a value that is not empty.
    pub fn is_set(&self, name: &str) -> bool {
        self.given(table::setting(name)).is_some()
    }

    /// Whether it was read without a problem.
    pub fn is_fine(&self, name: &str) -> bool {
        !self.problems.iter().any(|problem| problem.name == name)
    }

    /// Secrets are taken byte for byte, everything else without surrounding white space.
    fn given(&self, setting: &Setting) -> Option<String> {
        let value = (self.get)(setting.name)?;
        let value = if setting.is_secret { value } else { value.trim().to_owned() };
        (!value.is_empty()).then_some(value)
    }
}

fn shown(setting: &Setting, given: Option<&str>) -> String {
    match given {
        Some(_) if setting.is_secret => "(set, not shown)".to_owned(),
        Some(value) => value.to_owned(),
        None => setting.default.to_string(),
    }
}

/// Enough of a wrong value to recognise it.
fn shorten(value: &str) -> String {
    const MAX_SHOWN: usize = 60;
    if value.chars().count() <= MAX_SHOWN {
        return value.to_owned();
    }
    value.chars().take(MAX_SHOWN).chain(['…']).collect()
}
