//! The words of letters about second factors: a code, and what was added to an account or removed from it.

use secrecy::{ExposeSecret, SecretString};

use super::parts::{NEW_PASSWORD, NOT_YOU, Site, Words, account, belongs_to_you, by, capital, facts, plain, time};
use crate::mail::letter::{Letter, Occurrence};

/// The words of a letter; `None` for one about something else, or without the secret that it needs.
pub fn of(site: Site<'_>, letter: &Letter, secret: Option<&SecretString>) -> Option<Words> {
    let name = site.name();
    Some(match letter {
        Letter::EmailCode { username, ip, expires_at } => Words {
            title: "Your code",
            preview: format!("It works once, until {}.", time(*expires_at)),
            lead: format!("Type this code where {name} asks for it. Whoever asks you for it elsewhere is a fraud."),
            code: Some(secret?.expose_secret().to_owned()),
            facts: account(username).into_iter().chain(ip.iter().map(|ip| ("Asked from", plain(ip)))).collect(),
            note: Some(format!("The code works once, until {}.", time(*expires_at))),
            otherwise: Some(format!(
                "If you did not ask for it, somebody knows your password for {name}: choose another one at {}.",
                site.reset_page()
            )),
            why: belongs_to_you(name),
            ..Words::default()
        },
        Letter::FactorAdded { username, factor, origin, changed_by } => Words {
            title: "A second factor was added",
            preview: format!("{} can be logged in to with {} now.", plain(username), plain(factor)),
            lead: format!(
                "A second factor was added to your account at {name}{}. Logins ask for one from now on. If you know about it, \
                 there is nothing to do.",
                by(changed_by.as_deref())
            ),
            otherwise: Some(format!("{NOT_YOU} Then write to whoever runs {name}, who can remove the factor.")),
            ..changed(site, username, factor, origin)
        },
        Letter::FactorRemoved { username, factor, origin, changed_by } => Words {
            title: "A second factor was removed",
            preview: format!("{} cannot be logged in to with {} any more.", plain(username), plain(factor)),
            lead: format!(
                "A second factor was removed from your account at {name}{}. If you know about it, there is nothing to do.",
                by(changed_by.as_deref())
            ),
            otherwise: Some(NOT_YOU.to_owned()),
            ..changed(site, username, factor, origin)
        },
        Letter::RecoveryCodes { username, origin } => Words {
            title: "New recovery codes",
            preview: format!("The recovery codes that {} had before do not work any more.", plain(username)),
            lead: format!(
                "New recovery codes were made for your account at {name}; those that you had before do not work any more. If \
                 you know about it, there is nothing to do."
            ),
            facts: account(username).into_iter().chain(facts(origin)).collect(),
            otherwise: Some(format!("{NOT_YOU} Then make new codes yourself.")),
            button: Some((NEW_PASSWORD, site.reset_page())),
            why: belongs_to_you(name),
            ..Words::default()
        },
        _ => return None,
    })
}

fn changed(site: Site<'_>, username: &str, factor: &str, origin: &Occurrence) -> Words {
    let factor = ("Second factor", capital(&plain(factor)));
    Words {
        facts: account(username).into_iter().chain([factor]).chain(facts(origin)).collect(),
        button: Some((NEW_PASSWORD, site.reset_page())),
        why: belongs_to_you(site.name()),
        ..Words::default()
    }
}
