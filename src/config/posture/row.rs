//! A row of the security posture: what a standard asks, and whether it is met. The rows themselves are in `asvs`,
//! `authentication` and `rfc`.

/// A standard. `VARIANTS` are in the order of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::VariantArray, strum::IntoStaticStr)]
pub enum Source {
    /// OWASP Application Security Verification Standard 5.0.
    #[strum(serialize = "OWASP ASVS 5.0")]
    Asvs,
    /// RFC 8725: JSON Web Token Best Current Practices.
    #[strum(serialize = "RFC 8725, JSON Web Token Best Current Practices")]
    Rfc8725,
    /// RFC 9700: Best Current Practice for OAuth 2.0 Security.
    #[strum(serialize = "RFC 9700, Best Current Practice for OAuth 2.0 Security")]
    Rfc9700,
}

impl Source {
    /// Its name.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// A requirement, and whether it is met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The standard.
    pub source: Source,
    /// The number in it: `9.2.3`, `3.1`.
    pub number: &'static str,
    /// The requirement, in one sentence.
    pub asks: &'static str,
    /// Whether it is met.
    pub is_met: bool,
    /// The variable that decides; `None` if no setting does.
    pub variable: Option<&'static str>,
    /// The present state.
    pub finding: &'static str,
    /// What would fix it, if it is not met.
    pub fix: &'static str,
    /// Whether a server on the internet should not be left like this.
    pub is_pressing: bool,
}

/// What a standard asks.
#[derive(Clone, Copy)]
pub(super) struct Requirement {
    pub source: Source,
    /// The number in it.
    pub number: &'static str,
    /// One sentence.
    pub asks: &'static str,
}

impl Requirement {
    /// Of OWASP ASVS.
    pub fn asvs(number: &'static str, asks: &'static str) -> Self {
        Self { source: Source::Asvs, number, asks }
    }

    /// Met under all settings.
    pub fn met(self, finding: &'static str) -> Row {
        self.row(None, true, finding, "")
    }

    /// Met under no settings.
    pub fn unmet(self, finding: &'static str) -> Row {
        self.row(None, false, finding, "")
    }

    /// Decided by a setting: what holds when it is met and when it is not, and what to set then.
    pub fn by(self, variable: &'static str, is_met: bool, [met, unmet]: [&'static str; 2], fix: &'static str) -> Row {
        let (finding, fix) = if is_met { (met, "") } else { (unmet, fix) };
        self.row(Some(variable), is_met, finding, fix)
    }

    fn row(self, variable: Option<&'static str>, is_met: bool, finding: &'static str, fix: &'static str) -> Row {
        let Self { source, number, asks } = self;
        Row { source, number, asks, is_met, variable, finding, fix, is_pressing: false }
    }
}

impl Row {
    /// With a remedy that is no setting's value.
    pub(super) fn mended_by(self, fix: &'static str) -> Self {
        Self { fix, ..self }
    }

    /// Not to be left like this on the internet.
    pub(super) fn pressing(self) -> Self {
        Self { is_pressing: true, ..self }
    }
}
