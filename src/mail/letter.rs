//! Which letters there are. In the queue a letter is the name of its template and its parameters; nothing in it is secret.

use serde::{Deserialize, Serialize};

/// A letter, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
#[serde(tag = "template", content = "parameters", rename_all = "snake_case")]
pub enum Letter {
    /// A test mail.
    Test {},
    /// A link to choose a new password; its token is the secret.
    PasswordReset {
        /// Who may choose one.
        username: String,
        /// The address that asked for it.
        ip: Option<String>,
        /// The superuser who sent it, if the user did not ask for it.
        sent_by: Option<String>,
        /// When the link expires, in seconds since 1970.
        expires_at: i64,
    },
    /// The password was changed.
    PasswordChanged {
        /// Whose account.
        username: String,
        /// Where and when.
        origin: Occurrence,
        /// The superuser who did it, if it was not the user.
        changed_by: Option<String>,
    },
    /// A link to confirm an address, sent to that address; its token is the secret.
    EmailConfirm {
        /// Whose address it will be.
        username: String,
        /// When the link expires, in seconds since 1970.
        expires_at: i64,
    },
    /// The address was changed; sent to the old one.
    EmailChanged {
        /// Whose account.
        username: String,
        /// The new one.
        new_email: String,
        /// Where and when.
        origin: Occurrence,
        /// The superuser who did it, if it was not the user.
        changed_by: Option<String>,
    },
    /// A code to log in or to confirm the address with; it is the secret.
    EmailCode {
        /// To which account.
        username: String,
        /// The address that asked for it.
        ip: Option<String>,
        /// When the code expires, in seconds since 1970.
        expires_at: i64,
    },
    /// A second factor was added.
    FactorAdded {
        /// To which account.
        username: String,
        /// What it is, in words.
        factor: String,
        /// Where and when.
        origin: Occurrence,
        /// The superuser who did it, if it was not the user.
        changed_by: Option<String>,
    },
    /// A second factor was removed.
    FactorRemoved {
        /// From which account.
        username: String,
        /// What it was, in words.
        factor: String,
        /// Where and when.
        origin: Occurrence,
        /// The superuser who did it, if it was not the user.
        changed_by: Option<String>,
    },
    /// New recovery codes were made.
    RecoveryCodes {
        /// For which account.
        username: String,
        /// Where and when.
        origin: Occurrence,
    },
    /// Somebody logged in from a device that was not used for this account before.
    NewDevice {
        /// To which account.
        username: String,
        /// Browser and operating system, in words.
        device: String,
        /// Where and when.
        origin: Occurrence,
    },
}

/// Where and when something was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occurrence {
    /// Seconds since 1970.
    pub at: i64,
    /// The address.
    pub ip: Option<String>,
}

impl Letter {
    /// The name of its template, and its parameters as JSON.
    pub fn parts(&self) -> (&'static str, String) {
        let parameters = serde_json::to_value(self)
            .ok()
            .and_then(|mut value| value.get_mut("parameters").map(serde_json::Value::take));
        (self.into(), parameters.unwrap_or_default().to_string())
    }

    /// The letter with these parts; `None` if another version of Latchkey wrote them.
    pub fn of(template: &str, parameters: &str) -> Option<Self> {
        let parameters: serde_json::Value = serde_json::from_str(parameters).ok()?;
        serde_json::from_value(serde_json::json!({"template": template, "parameters": parameters})).ok()
    }

    /// Its subject. Not secret: the panel shows it, and so does the screen of a locked phone.
    pub fn subject(&self, site: &str) -> String {
        match self {
            Self::Test {} => format!("Test mail from {site}"),
            Self::PasswordReset { sent_by: None, .. } => format!("Reset your password for {site}"),
            Self::PasswordReset { sent_by: Some(_), .. } => format!("Choose your password for {site}"),
            Self::PasswordChanged { .. } => format!("Your password for {site} was changed"),
            Self::EmailConfirm { .. } => format!("Confirm your email address for {site}"),
            Self::EmailChanged { .. } => format!("Your email address for {site} was changed"),
            Self::EmailCode { .. } => format!("Your code for {site}"),
            Self::FactorAdded { .. } => format!("A second factor was added to your {site} account"),
            Self::FactorRemoved { .. } => format!("A second factor was removed from your {site} account"),
            Self::RecoveryCodes { .. } => format!("New recovery codes for your {site} account"),
            Self::NewDevice { .. } => format!("New login to your {site} account"),
        }
    }
}
