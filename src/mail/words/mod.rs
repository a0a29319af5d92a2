//! The text of each mail, the same for its HTML and its plain text part; the layout is in `templates/mail/`. Names come
//! from outside: characters that would break a line of plain text are removed here, and the templates escape the rest.

mod factors;
mod parts;

use secrecy::{ExposeSecret, SecretString};

use parts::{CHANGE_PASSWORD, NEW_PASSWORD, account, belongs_to_you, by, facts, plain, until};
pub use parts::{Site, Words};

use super::letter::{Letter, Occurrence};
use crate::config::TOKEN;
use factors::FactorChange;

impl Site<'_> {
    /// The text of a letter; `None` if it needs a secret and there is none.
    pub(super) fn words(self, letter: &Letter, secret: Option<&SecretString>) -> Option<Words> {
        let site = self.name();
        let link = |page: &str| secret.map(|secret| page.replace(TOKEN, secret.expose_secret()));
        Some(match letter {
            Letter::Test {} => Words {
                title: "Mail works",
                preview: "If you can read this, mail works.".to_owned(),
                lead: format!("This is a test mail from {site}. Since you are reading it, mail from {site} arrives."),
                why: format!("You received this mail because an administrator of {site} sent a test to this address."),
                ..Words::default()
            },
            Letter::PasswordReset { username, ip, sent_by, expires_at } => Words {
                title: NEW_PASSWORD,
                preview: until(*expires_at),
                lead: match sent_by {
                    None => format!(
                        "Someone requested a new password for your account at {site}. If this was you, choose one now."
                    ),
                    Some(name) => format!(
                        "{}, an administrator of {site}, sent you this link to choose a password for your account.",
                        plain(name)
                    ),
                },
                facts: account(username).into_iter().chain(ip.iter().map(|ip| ("Requested from", plain(ip)))).collect(),
                button: Some((NEW_PASSWORD, link(&self.settings.password_reset_url)?)),
                note: Some(until(*expires_at)),
                otherwise: Some(
                    "If you didn’t expect this mail, you don’t need to do anything. Your password stays the same unless \
                     you use the link."
                        .to_owned(),
                ),
                why: belongs_to_you(site),
                ..Words::default()
            },
            Letter::PasswordChanged { username, origin, changed_by } => Words {
                title: "Your password was changed",
                preview: format!("The password of {} was changed{}.", plain(username), by(changed_by.as_deref())),
                lead: format!(
                    "The password of your account at {site} was changed{}. If this was expected, you don’t need to do \
                     anything.",
                    by(changed_by.as_deref())
                ),
                facts: account(username).into_iter().chain(facts(origin)).collect(),
                button: Some((NEW_PASSWORD, self.reset_page())),
                otherwise: Some(match changed_by {
                    None => CHANGE_PASSWORD.to_owned(),
                    Some(_) => format!(
                        "If you didn’t expect this, choose a new password. This logs you out everywhere. The administrator \
                         of {site} can tell you why it was changed."
                    ),
                }),
                why: belongs_to_you(site),
                ..Words::default()
            },
            Letter::EmailConfirm { username, expires_at } => Words {
                title: "Confirm your email address",
                preview: until(*expires_at),
                lead: format!(
                    "Confirm that this address is yours, and your account at {site} will use it."
                ),
                facts: account(username).into(),
                button: Some(("Confirm this address", link(&self.settings.email_confirm_url)?)),
                note: Some(until(*expires_at)),
                otherwise: Some(format!(
                    "If you have no account at {site}, you don’t need to do anything. Nothing changes unless you use the \
                     link."
                )),
                why: format!("You received this mail because someone entered this address for an account at {site}."),
                ..Words::default()
            },
            Letter::EmailChanged { username, new_email, origin, changed_by } => {
                self.email_changed(username, new_email, origin, changed_by.as_deref())
            }
            Letter::EmailCode { username, ip, expires_at } => {
                factors::code(self, username, (ip.as_deref(), *expires_at), secret?)
            }
            Letter::FactorAdded { username, factor, origin, changed_by } => {
                FactorChange { username, factor, origin, changed_by: changed_by.as_deref() }.added(self)
            }
            Letter::FactorRemoved { username, factor, origin, changed_by } => {
                FactorChange { username, factor, origin, changed_by: changed_by.as_deref() }.removed(self)
            }
            Letter::RecoveryCodes { username, origin } => factors::recovery_codes(self, username, origin),
            Letter::NewDevice { username, device, origin } => self.new_device(username, device, origin),
        })
    }

    fn email_changed(self, username: &str, new_email: &str, origin: &Occurrence, changed_by: Option<&str>) -> Words {
        let site = self.name();
        Words {
            title: "Your email address was changed",
            preview: format!("Mail about {} now goes to another address.", plain(username)),
            lead: format!(
                "The email address of your account at {site} was changed{}. Mail about the account now goes to the new \
                     address. If this was expected, you don’t need to do anything.",
                by(changed_by)
            ),
            facts: account(username)
                .into_iter()
                .chain([("New address", plain(new_email))])
                .chain(facts(origin))
                .collect(),
            otherwise: Some(format!(
                "If this wasn’t you, log in, change your password and set the address back. If you cannot log in, \
                     contact the administrator of {site}, because a link for a new password would go to the new address."
            )),
            why: format!("You received this mail because this was the address of your account at {site} until now."),
            ..Words::default()
        }
    }

    fn new_device(self, username: &str, device: &str, origin: &Occurrence) -> Words {
        let site = self.name();
        Words {
            title: "New login to your account",
            preview: format!("{} logged in with {}.", plain(username), plain(device)),
            lead: format!(
                "Someone logged in to your account at {site} from a new device. If this was you, you don’t need to do \
                 anything."
            ),
            facts: account(username).into_iter().chain([("Device", plain(device))]).chain(facts(origin)).collect(),
            button: Some((NEW_PASSWORD, self.reset_page())),
            otherwise: Some(CHANGE_PASSWORD.to_owned()),
            why: belongs_to_you(site),
            ..Words::default()
        }
    }
}
