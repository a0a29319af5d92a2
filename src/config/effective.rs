//! Settings as they are in force, ready to be shown, and where each value comes from. `reader` collects them; `check` and the
//! panel show them.

use super::table::DefaultValue;

/// Where the value of a setting comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
pub enum ValueSource {
    /// The process environment.
    #[strum(serialize = "environment")]
    Environment,
    /// `./.env`.
    #[strum(serialize = ".env")]
    DotEnv,
    /// An argument of the command.
    #[strum(serialize = "command line")]
    CommandLine,
    /// The default in the table.
    #[strum(serialize = "default")]
    Default,
    /// Worked out from other settings or from this machine.
    #[strum(serialize = "worked out")]
    WorkedOut,
}

impl ValueSource {
    /// A word for people.
    pub fn word(self) -> &'static str {
        self.into()
    }
}

/// A setting as it is in force, ready to be shown: secrets are masked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effective {
    /// The variable.
    pub name: &'static str,
    /// Its value, or a description of it.
    pub value: String,
    /// What it is when it is not set.
    pub default: DefaultValue,
    /// Where the value comes from.
    pub origin: ValueSource,
}

impl Effective {
    /// Whether it is not set.
    pub fn is_default(&self) -> bool {
        matches!(self.origin, ValueSource::Default | ValueSource::WorkedOut)
    }

    /// The value; of a default that depends on the database the one that applies, where that is known.
    pub fn in_force(&self, beside_django: Option<bool>) -> &str {
        match (self.default, beside_django) {
            (DefaultValue::Standalone { with_django, .. }, Some(true)) if self.is_default() => with_django,
            (DefaultValue::Standalone { alone, .. }, Some(false)) if self.is_default() => alone,
            _ => &self.value,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_that_depends_on_the_database_is_shown_as_it_applies() {
        let default = DefaultValue::Standalone { alone: "true", with_django: "false" };
        let mut effective = Effective { name: "A", value: default.to_string(), default, origin: ValueSource::Default };
        assert_eq!((effective.in_force(Some(false)), effective.in_force(Some(true))), ("true", "false"));
        assert_eq!(effective.in_force(None), "true, or false when sharing a Django database");
        (effective.value, effective.origin) = ("yes".to_owned(), ValueSource::DotEnv);
        assert_eq!(effective.in_force(Some(true)), "yes");
    }
}
