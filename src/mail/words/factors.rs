//! The words of letters about second factors: a code, and what was added to an account or removed from it.

use secrecy::{ExposeSecret, SecretString};

use super::phrases::{NEW_PASSWORD, NOT_YOU, Words, account, belongs_to_you, by, capital, facts, plain, time};
use crate::mail::Mailer;
use crate::mail::letter::Origin;

/// A code to type.
pub fn code(mailer: &Mailer, username: &str, ip: Option<&str>, expires_at: i64, code: &SecretString) -> Words {
    let site = mailer.settings.site_name.as_str();
    Words {
        title: "Your code",
        preview: format!("It works once, until {}.", time(expires_at)),
        lead: format!("Type this code where {site} asks for it. Whoever asks you for it elsewhere is a fraud."),
        code: Some(code.expose_secret().to_owned()),
        facts: account(username).into_iter().chain(ip.map(|ip| ("Asked from", plain(ip)))).collect(),
        note: Some(format!("The code works once, until {}.", time(expires_at))),
        otherwise: Some(format!(
            "If you did not ask for it, somebody knows your password for {site}: choose another one at {}.",
            mailer.reset_page()
        )),
        why: belongs_to_you(site),
        ..Words::default()
    }
}

/// A factor was added.
pub fn added(mailer: &Mailer, username: &str, factor: &str, origin: &Origin, changed_by: Option<&str>) -> Words {
    let site = mailer.settings.site_name.as_str();
    Words {
        title: "A second factor was added",
        preview: format!("{} can be logged in to with {} now.", plain(username), plain(factor)),
        lead: format!(
            "A second factor was added to your account at {site}{}. Logins ask for one from now on. If you know about it, \
             there is nothing to do.",
            by(changed_by)
        ),
        otherwise: Some(format!("{NOT_YOU} Then write to whoever runs {site}, who can remove the factor.")),
        ..changed(mailer, username, factor, origin)
    }
}

/// A factor was removed.
pub fn removed(mailer: &Mailer, username: &str, factor: &str, origin: &Origin, changed_by: Option<&str>) -> Words {
    let site = mailer.settings.site_name.as_str();
    Words {
        title: "A second factor was removed",
        preview: format!("{} cannot be logged in to with {} any more.", plain(username), plain(factor)),
        lead: format!(
            "A second factor was removed from your account at {site}{}. If you know about it, there is nothing to do.",
            by(changed_by)
        ),
        otherwise: Some(NOT_YOU.to_owned()),
        ..changed(mailer, username, factor, origin)
    }
}

/// New recovery codes were made.
pub fn recovery_codes(mailer: &Mailer, username: &str, origin: &Origin) -> Words {
    let site = mailer.settings.site_name.as_str();
    Words {
        title: "New recovery codes",
        preview: format!("The recovery codes that {} had before do not work any more.", plain(username)),
        lead: format!(
            "New recovery codes were made for your account at {site}; those that you had before do not work any more. If \
             you know about it, there is nothing to do."
        ),
        facts: account(username).into_iter().chain(facts(origin)).collect(),
        otherwise: Some(format!("{NOT_YOU} Then make new codes yourself.")),
        button: Some((NEW_PASSWORD, mailer.reset_page())),
        why: belongs_to_you(site),
        ..Words::default()
    }
}

fn changed(mailer: &Mailer, username: &str, factor: &str, origin: &Origin) -> Words {
    let factor = ("Second factor", capital(&plain(factor)));
    Words {
        facts: account(username).into_iter().chain([factor]).chain(facts(origin)).collect(),
        button: Some((NEW_PASSWORD, mailer.reset_page())),
        why: belongs_to_you(&mailer.settings.site_name),
        ..Words::default()
    }
}
