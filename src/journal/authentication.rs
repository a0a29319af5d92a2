//! How a user logged in: kinds of second factors, methods to answer a challenge, and what a login was authenticated by.

use serde_json::Value;
use strum::{EnumString, IntoStaticStr, VariantArray};

/// A kind of second factor that users can enrol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, VariantArray, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum FactorKind {
    /// A code sent to the user's address.
    Email,
    /// A code from an authenticator app.
    Totp,
    /// A passkey.
    Passkey,
}

impl FactorKind {
    /// The word in `latchkey_second_factor.kind`, and in the API.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The kind of that name.
    pub fn of(name: &str) -> Option<Self> {
        name.parse().ok()
    }

    /// The name of a factor unless its user gives it one.
    pub fn title(self) -> &'static str {
        match self {
            Self::Email => "Codes by email",
            Self::Totp => "Authenticator app",
            Self::Passkey => "Passkey",
        }
    }

    /// As part of a sentence: "added an authenticator app".
    pub fn phrase(self) -> &'static str {
        match self {
            Self::Email => "codes by email",
            Self::Totp => "an authenticator app",
            Self::Passkey => "a passkey",
        }
    }
}

/// A way to answer a challenge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// One of the factors.
    Factor(FactorKind),
    /// A recovery code.
    Recovery,
}

impl Method {
    /// All methods, in the order in which they are offered.
    pub fn all() -> impl Iterator<Item = Self> {
        FactorKind::VARIANTS.iter().copied().map(Self::Factor).chain([Self::Recovery])
    }

    /// The word in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Factor(kind) => kind.name(),
            Self::Recovery => "recovery",
        }
    }

    /// The method of that name.
    pub fn of(name: &str) -> Option<Self> {
        Self::all().find(|method| method.name() == name)
    }

    /// The name of the method.
    pub fn title(self) -> &'static str {
        match self {
            Self::Factor(kind) => kind.title(),
            Self::Recovery => "Recovery code",
        }
    }

    /// Whether the answer is a code.
    pub fn takes_code(self) -> bool {
        self != Self::Factor(FactorKind::Passkey)
    }

    /// The value for the claim `amr` (RFC 8176, section 2).
    pub fn amr(self) -> &'static str {
        match self {
            Self::Factor(FactorKind::Passkey) => "hwk",
            Self::Factor(FactorKind::Email | FactorKind::Totp) | Self::Recovery => "otp",
        }
    }
}

/// What a login was authenticated by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthenticatedBy {
    /// The password alone: the user has no second factor.
    Password,
    /// The password, in a remembered browser.
    RememberedBrowser,
    /// The password and a second factor.
    Factor(Method),
}

impl AuthenticatedBy {
    /// The second factor that was used.
    pub fn method(self) -> Option<Method> {
        if let Self::Factor(method) = self { Some(method) } else { None }
    }

    /// Adds this to the details of an audit entry.
    pub fn describe(self, detail: &mut Value) {
        match self {
            Self::Password => {}
            Self::RememberedBrowser => detail["remembered_browser"] = true.into(),
            Self::Factor(method) => detail["second_factor"] = method.name().into(),
        }
    }
}
