//! The texts of mails about second factors: a code, and a factor that was added or removed.

use secrecy::{ExposeSecret, SecretString};

use super::parts::{
    CHANGE_PASSWORD, NEW_PASSWORD, Site, Words, account, belongs_to_you, by, capital, facts, plain, time,
};
use crate::mail::letter::Occurrence;

/// A code was requested.
pub fn code(site: Site<'_>, username: &str, (ip, expires_at): (Option<&str>, i64), code: &SecretString) -> Words {
    let name = site.name();
    Words {
        title: "Your code",
        preview: format!("It works once and expires on {}.", time(expires_at)),
        lead: format!("Enter this code at {name}. Never share it. We will not ask for it anywhere else."),
        code: Some(code.expose_secret().to_owned()),
        facts: account(username).into_iter().chain(ip.map(|ip| ("Requested from", plain(ip)))).collect(),
        note: Some(format!("The code works once and expires on {}.", time(expires_at))),
        otherwise: Some(format!(
            "If you did not request this code, someone knows your password for {name}. Change it now at {}.",
            site.reset_page()
        )),
        why: belongs_to_you(name),
        ..Words::default()
    }
}

/// A second factor that was added or removed, and by whom.
pub struct FactorChange<'a> {
    /// Whose it is.
    pub username: &'a str,
    /// What it is, in words.
    pub factor: &'a str,
    /// Where and when.
    pub origin: &'a Occurrence,
    /// The superuser who did it, if it was not the user.
    pub changed_by: Option<&'a str>,
}

impl FactorChange<'_> {
    /// It was added.
    pub fn added(&self, site: Site<'_>) -> Words {
        let name = site.name();
        Words {
            title: "A second factor was added",
            preview: format!("{} now needs a second factor to log in.", plain(self.username)),
            lead: format!(
                "A second factor was added to your account at {name}{}. From now on, logging in needs a second factor. If \
                 this was expected, you don’t need to do anything.",
                by(self.changed_by)
            ),
            otherwise: Some(format!(
                "{CHANGE_PASSWORD} Then contact the administrator of {name}, who can remove the second factor."
            )),
            ..self.words(site)
        }
    }

    /// It was removed.
    pub fn removed(&self, site: Site<'_>) -> Words {
        let name = site.name();
        Words {
            title: "A second factor was removed",
            preview: format!("{} no longer works for {}.", capital(&plain(self.factor)), plain(self.username)),
            lead: format!(
                "A second factor was removed from your account at {name}{}. If this was expected, you don’t need to do \
                 anything.",
                by(self.changed_by)
            ),
            otherwise: Some(CHANGE_PASSWORD.to_owned()),
            ..self.words(site)
        }
    }

    fn words(&self, site: Site<'_>) -> Words {
        let factor = ("Second factor", capital(&plain(self.factor)));
        Words {
            facts: account(self.username).into_iter().chain([factor]).chain(facts(self.origin)).collect(),
            button: Some((NEW_PASSWORD, site.reset_page())),
            why: belongs_to_you(site.name()),
            ..Words::default()
        }
    }
}

/// New recovery codes were created.
pub fn recovery_codes(site: Site<'_>, username: &str, origin: &Occurrence) -> Words {
    let name = site.name();
    Words {
        title: "New recovery codes",
        preview: format!("The earlier recovery codes of {} no longer work.", plain(username)),
        lead: format!(
            "New recovery codes were created for your account at {name}. Your earlier codes no longer work. If this was you, \
             you don’t need to do anything."
        ),
        facts: account(username).into_iter().chain(facts(origin)).collect(),
        otherwise: Some(format!("{CHANGE_PASSWORD} Then create new recovery codes.")),
        button: Some((NEW_PASSWORD, site.reset_page())),
        why: belongs_to_you(name),
        ..Words::default()
    }
}
