//! Second factors: what a login asks for besides the password, and who must have one. A factor is confirmed before it
//! counts (`enrol`); what is begun waits in a challenge (`challenge`) for an answer (`answer`). `overview` is what users and
//! superusers see of it.

pub mod answer;
pub mod ask;
pub mod challenge;
pub mod code;
pub mod enrol;
pub mod mail;
pub mod panel;
pub mod remembered_browser;
pub mod remove;
pub mod visit;

use secrecy::SecretString;
use serde_json::Value;

use crate::app::{App, Tx};
use crate::config::Required;
use crate::crypto::digest::equal;
use crate::db::latchkey_browser::Browser;
use crate::db::latchkey_second_factor::{self, Factor, Standing};
use crate::db::types::UserId;
use crate::db::users::User;
use crate::db::{Conn, DbError, latchkey_recovery_code};
use crate::journal::Client;
use crate::journal::failed_login::Door;

/// A kind of factor that users enrol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A code sent to the user's address.
    Email,
    /// A code of an authenticator app.
    Totp,
    /// A passkey.
    Passkey,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Email, Self::Totp, Self::Passkey];

    /// The word in `latchkey_second_factor.kind`, and in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Totp => "totp",
            Self::Passkey => "passkey",
        }
    }

    /// Reads the word.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// What it is called where its user says nothing else.
    pub fn title(self) -> &'static str {
        match self {
            Self::Email => "Codes by email",
            Self::Totp => "Authenticator app",
            Self::Passkey => "Passkey",
        }
    }

    /// What people call it.
    pub fn words(self) -> &'static str {
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
    Factor(Kind),
    /// A recovery code.
    Recovery,
}

impl Method {
    /// All of them, in the order in which they are named.
    pub const ALL: [Self; 4] =
        [Self::Factor(Kind::Email), Self::Factor(Kind::Totp), Self::Factor(Kind::Passkey), Self::Recovery];

    /// The word in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Factor(kind) => kind.name(),
            Self::Recovery => "recovery",
        }
    }

    /// Reads the word.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }

    /// What it is called.
    pub fn title(self) -> &'static str {
        match self {
            Self::Factor(kind) => kind.title(),
            Self::Recovery => "Recovery code",
        }
    }

    /// Whether it is answered with a code.
    pub fn takes_code(self) -> bool {
        self != Self::Factor(Kind::Passkey)
    }

    /// How a token says it (RFC 8176, section 2).
    pub fn amr(self) -> &'static str {
        match self {
            Self::Factor(Kind::Passkey) => "hwk",
            Self::Factor(Kind::Email | Kind::Totp) | Self::Recovery => "otp",
        }
    }
}

/// What a user has.
pub struct Enrolled {
    /// The factors, oldest first.
    pub factors: Vec<Factor>,
    /// What is kept of the recovery codes that are left.
    recovery_codes: Vec<String>,
}

impl Enrolled {
    /// Reads it. Two statements.
    pub fn find(conn: &mut Conn, user: UserId) -> Result<Self, DbError> {
        let factors = latchkey_second_factor::list_of(conn, user)?;
        let recovery_codes = latchkey_recovery_code::list_unused(conn, user)?;
        Ok(Self { factors, recovery_codes })
    }

    /// How many recovery codes are left.
    pub fn recovery_codes(&self) -> usize {
        self.recovery_codes.len()
    }

    /// Whether this is one of them.
    fn has_recovery_code(&self, hash: &str) -> bool {
        self.recovery_codes.iter().any(|known| equal(known.as_bytes(), hash.as_bytes()))
    }

    /// Those of a kind.
    pub fn of(&self, kind: Kind) -> impl Iterator<Item = &Factor> {
        self.factors.iter().filter(move |factor| factor.kind == kind.name())
    }

    /// How a challenge can be answered.
    pub fn methods(&self, app: &App) -> Vec<Method> {
        let can = |method: &Method| match method {
            // A browser would not offer them at this address.
            Method::Factor(Kind::Passkey) if app.factors.passkeys.is_none() => false,
            Method::Factor(kind) => self.of(*kind).next().is_some(),
            Method::Recovery => !self.recovery_codes.is_empty(),
        };
        Method::ALL.into_iter().filter(can).collect()
    }

    /// What the library knows of the passkeys.
    pub fn passkeys(&self) -> Vec<String> {
        self.of(Kind::Passkey).map(|factor| factor.data.clone()).collect()
    }
}

/// What opened a login besides the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opened {
    /// Nothing: the user has no factor.
    Password,
    /// A browser that is remembered.
    Remembered,
    /// This.
    By(Method),
}

impl Opened {
    /// The factor that was shown.
    pub fn method(self) -> Option<Method> {
        if let Self::By(method) = self { Some(method) } else { None }
    }

    /// Notes it in an entry of the audit log.
    pub fn note(self, detail: &mut Value) {
        match self {
            Self::Password => {}
            Self::Remembered => detail["remembered_browser"] = true.into(),
            Self::By(method) => detail["second_factor"] = method.name().into(),
        }
    }
}

/// What a login still needs after the right password.
pub enum Due {
    /// Nothing.
    Nothing(Opened),
    /// One of these.
    Factor(Vec<Method>),
    /// The user must have a factor, and has none.
    Enrolment,
}

/// What the login of this user needs; `browser` is the door and the token that it was remembered by. One statement where there is no
/// factor.
pub fn due(
    tx: &mut Tx<'_>,
    user: &User,
    browser: Option<(Door, &SecretString)>,
    client: &Client,
) -> Result<Due, DbError> {
    let standing = latchkey_second_factor::standing(tx.conn, user.id)?;
    if !standing.has_factor {
        return Ok(if must_have(tx.app, user, standing) { Due::Enrolment } else { Due::Nothing(Opened::Password) });
    }
    if let Some(browser) = browser
        && remembered_browser::recognise(tx, user, browser, client)?
    {
        return Ok(Due::Nothing(Opened::Remembered));
    }
    Ok(Due::Factor(Enrolled::find(tx.conn, user.id)?.methods(tx.app)))
}

/// Whether the settings, or a superuser, want this user to have a factor.
fn must_have(app: &App, user: &User, standing: Standing) -> bool {
    match app.config.second_factor.required {
        Required::Everybody => true,
        Required::Staff if user.is_staff || user.is_superuser => true,
        Required::Staff | Required::Optional => standing.is_required,
    }
}

/// Whether a login of this user takes more than NIST's single factor: then the password may be shorter. Codes by email do
/// not count (NIST SP 800-63B-4, 3.1.3.1).
pub fn is_multi_factor(conn: &mut Conn, user: UserId) -> Result<bool, DbError> {
    latchkey_second_factor::has_any(conn, user, &[Kind::Totp.name(), Kind::Passkey.name()])
}

/// What users see of their factors.
pub struct Overview {
    /// What they have.
    pub enrolled: Enrolled,
    /// Whether they must have one.
    pub is_required: bool,
    /// Whether a superuser asked it of them.
    pub is_asked: bool,
    /// The browsers that are remembered, last used first.
    pub browsers: Vec<Browser>,
}

/// Reads it. Four statements.
pub fn overview(tx: &mut Tx<'_>, user: &User) -> Result<Overview, DbError> {
    let standing = latchkey_second_factor::standing(tx.conn, user.id)?;
    let (is_required, is_asked) = (must_have(tx.app, user, standing), standing.is_required);
    let (enrolled, browsers) = (Enrolled::find(tx.conn, user.id)?, remembered_browser::list(tx, user)?);
    Ok(Overview { enrolled, is_required, is_asked, browsers })
}
