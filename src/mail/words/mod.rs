//! The words of each letter, once for both parts of a mail. The looks are in `templates/mail/`. Names come from outside:
//! here they lose what would break a line of plain text, and the templates escape them.

mod factors;
mod phrases;

use secrecy::{ExposeSecret, SecretString};

pub use phrases::Words;
use phrases::{NEW_PASSWORD, NOT_YOU, account, belongs_to_you, by, facts, plain, until};

use super::Mailer;
use super::letter::{Letter, Origin};
use crate::config::TOKEN;

impl Mailer {
    /// The words of a letter. `None`: it needs a secret, and there is none.
    pub(super) fn words(&self, letter: &Letter, secret: Option<&SecretString>) -> Option<Words> {
        let site = self.settings.site_name.as_str();
        let link = |page: &str| secret.map(|secret| page.replace(TOKEN, secret.expose_secret()));
        Some(match letter {
            Letter::Test {} => Words {
                title: "Mail works",
                preview: "If you can read this, mail arrives.".to_owned(),
                lead: format!("This is a test mail from {site}. It was sent to see whether mail arrives, and it does."),
                why: format!("You got this mail because somebody who runs {site} sent a test mail to this address."),
                ..Words::default()
            },
            Letter::PasswordReset { username, ip, sent_by, expires_at } => Words {
                title: NEW_PASSWORD,
                preview: until(*expires_at),
                lead: match sent_by {
                    None => format!(
                        "Somebody asked for a new password for your account at {site}. If it was you, choose one now."
                    ),
                    Some(name) => format!(
                        "{}, who administers {site}, sent you this link to choose a password for your account.",
                        plain(name)
                    ),
                },
                facts: account(username).into_iter().chain(ip.iter().map(|ip| ("Asked from", plain(ip)))).collect(),
                button: Some((NEW_PASSWORD, link(&self.settings.password_reset_url)?)),
                note: Some(until(*expires_at)),
                otherwise: Some(
                    "If you did not expect this mail, there is nothing to do: without the link your password stays as \
                     it is."
                        .to_owned(),
                ),
                why: belongs_to_you(site),
                ..Words::default()
            },
            Letter::PasswordChanged { username, origin, changed_by } => Words {
                title: "Your password was changed",
                preview: format!("The password of {} was changed{}.", plain(username), by(changed_by.as_deref())),
                lead: format!(
                    "The password of your account at {site} was changed{}. If you know about it, there is nothing to do.",
                    by(changed_by.as_deref())
                ),
                facts: account(username).into_iter().chain(facts(origin)).collect(),
                button: Some((NEW_PASSWORD, self.reset_page())),
                otherwise: Some(match changed_by {
                    None => NOT_YOU.to_owned(),
                    Some(_) => format!(
                        "If you did not ask for it, choose a password of your own: that ends every login. Whoever runs \
                         {site} can tell you why it was changed."
                    ),
                }),
                why: belongs_to_you(site),
                ..Words::default()
            },
            Letter::EmailConfirm { username, expires_at } => Words {
                title: "Confirm your email address",
                preview: until(*expires_at),
                lead: format!(
                    "Confirm that this address is yours, and it becomes the address of your account at {site}."
                ),
                facts: account(username).into(),
                button: Some(("Confirm this address", link(&self.settings.email_confirm_url)?)),
                note: Some(until(*expires_at)),
                otherwise: Some(format!(
                    "If you have no account at {site}, there is nothing to do: without the link nothing changes."
                )),
                why: format!("You got this mail because somebody gave this address for an account at {site}."),
                ..Words::default()
            },
            Letter::EmailChanged { username, new_email, origin, changed_by } => Words {
                title: "Your email address was changed",
                preview: format!("Mail about {} goes to another address from now on.", plain(username)),
                lead: format!(
                    "The email address of your account at {site} was changed{}. Mail about the account goes to the new \
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
                     to whoever runs {site}: a link for a new password would go to the new address."
                )),
                why: format!("You got this mail because until now this was the address of your account at {site}."),
                ..Words::default()
            },
            Letter::EmailCode { username, ip, expires_at } => {
                factors::code(self, username, ip.as_deref(), *expires_at, secret?)
            }
            Letter::FactorAdded { username, factor, origin, changed_by } => {
                factors::added(self, username, factor, origin, changed_by.as_deref())
            }
            Letter::FactorRemoved { username, factor, origin, changed_by } => {
                factors::removed(self, username, factor, origin, changed_by.as_deref())
            }
            Letter::RecoveryCodes { username, origin } => factors::recovery_codes(self, username, origin),
            Letter::NewDevice { username, device, origin } => self.new_device(username, device, origin),
        })
    }

    fn new_device(&self, username: &str, device: &str, origin: &Origin) -> Words {
        let site = self.settings.site_name.as_str();
        Words {
            title: "New login to your account",
            preview: format!("{} logged in to {}.", plain(device), plain(username)),
            lead: format!(
                "Somebody logged in to your account at {site} from a device that was not used for it before. If it was \
                 you, there is nothing to do."
            ),
            facts: account(username).into_iter().chain([("Device", plain(device))]).chain(facts(origin)).collect(),
            button: Some((NEW_PASSWORD, self.reset_page())),
            otherwise: Some(NOT_YOU.to_owned()),
            why: belongs_to_you(site),
            ..Words::default()
        }
    }

    /// Our page, where a link can be asked for.
    fn reset_page(&self) -> String {
        format!("{}/account/password/reset/", self.origin)
    }
}
