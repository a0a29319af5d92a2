//! The words of each letter, the same for both parts of a mail; the layout is in `templates/mail/`. Letters about second factors
//! are in `factors`, what all letters share in `parts`.

mod factors;
mod parts;

use secrecy::{ExposeSecret, SecretString};

use super::letter::{Letter, Occurrence};
use crate::config::TOKEN;
use parts::{NEW_PASSWORD, NOT_YOU, account, belongs_to_you, by, facts, plain, until};
pub use parts::{Site, Words};

/// The words of a letter; `None` if it needs a secret and there is none.
pub fn of(site: Site<'_>, letter: &Letter, secret: Option<&SecretString>) -> Option<Words> {
    let Site { settings, .. } = site;
    let name = site.name();
    let link = |page: &str| secret.map(|secret| page.replace(TOKEN, secret.expose_secret()));
    Some(match letter {
        Letter::Test {} => Words {
            title: "Mail works",
            preview: "If you can read this, mail arrives.".to_owned(),
            lead: format!("This is a test mail from {name}. It was sent to see whether mail arrives, and it does."),
            why: format!("You got this mail because somebody who runs {name} sent a test mail to this address."),
            ..Words::default()
        },
        Letter::PasswordReset { username, ip, sent_by, expires_at } => Words {
            title: NEW_PASSWORD,
            preview: until(*expires_at),
            lead: match sent_by {
                None => format!(
                    "Somebody asked for a new password for your account at {name}. If it was you, choose one now."
                ),
                Some(superuser) => format!(
                    "{}, who administers {name}, sent you this link to choose a password for your account.",
                    plain(superuser)
                ),
            },
            facts: account(username).into_iter().chain(ip.iter().map(|ip| ("Asked from", plain(ip)))).collect(),
            button: Some((NEW_PASSWORD, link(&settings.password_reset_url)?)),
            note: Some(until(*expires_at)),
            otherwise: Some(
                "If you did not expect this mail, there is nothing to do: without the link your password stays as \
                 it is."
                    .to_owned(),
            ),
            why: belongs_to_you(name),
            ..Words::default()
        },
        Letter::PasswordChanged { username, origin, changed_by } => Words {
            title: "Your password was changed",
            preview: format!("The password of {} was changed{}.", plain(username), by(changed_by.as_deref())),
            lead: format!(
                "The password of your account at {name} was changed{}. If you know about it, there is nothing to do.",
                by(changed_by.as_deref())
            ),
            facts: account(username).into_iter().chain(facts(origin)).collect(),
            button: Some((NEW_PASSWORD, site.reset_page())),
            otherwise: Some(match changed_by {
                None => NOT_YOU.to_owned(),
                Some(_) => format!(
                    "If you did not ask for it, choose a password of your own: that ends every login. Whoever runs \
                     {name} can tell you why it was changed."
                ),
            }),
            why: belongs_to_you(name),
            ..Words::default()
        },
        Letter::EmailConfirm { username, expires_at } => Words {
            title: "Confirm your email address",
            preview: until(*expires_at),
            lead: format!("Confirm that this address is yours, and it becomes the address of your account at {name}."),
            facts: account(username).into(),
            button: Some(("Confirm this address", link(&settings.email_confirm_url)?)),
            note: Some(until(*expires_at)),
            otherwise: Some(format!(
                "If you have no account at {name}, there is nothing to do: without the link nothing changes."
            )),
            why: format!("You got this mail because somebody gave this address for an account at {name}."),
            ..Words::default()
        },
        Letter::EmailChanged { username, new_email, origin, changed_by } => Words {
            title: "Your email address was changed",
            preview: format!("Mail about {} goes to another address from now on.", plain(username)),
            lead: format!(
                "The email address of your account at {name} was changed{}. Mail about the account goes to the new \
                 address from now on. If you know about it, there is nothing to do.",
                by(changed_by.as_deref())
            ),
            facts: account(username)
                .into_iter()
                .chain([("New address", plain(new_email))])
                .chain(facts(origin))
                .collect(),
            otherwise: Some(format!(
                "If it was not you, log in, change your password and set the address back. If you cannot log in, write \
                 to whoever runs {name}: a link for a new password would go to the new address."
            )),
            why: format!("You got this mail because until now this was the address of your account at {name}."),
            ..Words::default()
        },
        Letter::EmailCode { .. }
        | Letter::FactorAdded { .. }
        | Letter::FactorRemoved { .. }
        | Letter::RecoveryCodes { .. } => return factors::of(site, letter, secret),
        Letter::NewDevice { username, device, origin } => new_device(site, username, device, origin),
    })
}

fn new_device(site: Site<'_>, username: &str, device: &str, origin: &Occurrence) -> Words {
    let name = site.name();
    Words {
        title: "New login to your account",
        preview: format!("{} logged in to {}.", plain(device), plain(username)),
        lead: format!(
            "Somebody logged in to your account at {name} from a device that was not used for it before. If it was \
             you, there is nothing to do."
        ),
        facts: account(username).into_iter().chain([("Device", plain(device))]).chain(facts(origin)).collect(),
        button: Some((NEW_PASSWORD, site.reset_page())),
        otherwise: Some(NOT_YOU.to_owned()),
        why: belongs_to_you(name),
        ..Words::default()
    }
}
