//! New passwords on the command line: asked for twice, or given. They have to follow `PASSWORD_RULES` unless the operator decides
//! otherwise; then there is a warning.

use secrecy::{ExposeSecret, SecretString};

use super::failure::Failure;
use super::{prompt, stderr};
use crate::accounts::manage::NewPassword;
use crate::accounts::policy::{self, Owner};
use crate::app::App;

/// The rules for a new password.
pub struct Rules<'a> {
    /// The settings.
    pub app: &'a App,
    /// Whose password it will be.
    pub owner: Owner,
    /// `--skip-password-rules`
    pub is_skipped: bool,
}

impl Rules<'_> {
    /// The password for a command, from stdin or from a question.
    pub async fn given_or_asked(&self, from_stdin: bool) -> Result<NewPassword, Failure> {
        if from_stdin {
            self.given(prompt::password_from_stdin()?)
        } else if prompt::is_possible() {
            self.asked().await
        } else {
            Err(Failure::say("There is no terminal to ask for a password. Pipe it in with --password-stdin."))
        }
    }

    /// A given password: nobody can be asked about it.
    pub fn given(&self, password: SecretString) -> Result<NewPassword, Failure> {
        if !self.is_broken_by(&password) {
            return Ok(NewPassword::Plain(password));
        }
        if self.is_skipped {
            return Ok(unruled(password));
        }
        Err(Failure::say("The password breaks PASSWORD_RULES. Choose another one, or add --skip-password-rules."))
    }

    /// Asks twice, until both answers agree and follow the rules, in the words of Django's `createsuperuser`.
    pub async fn asked(&self) -> Result<NewPassword, Failure> {
        loop {
            let first = prompt::hidden("Password: ")?;
            let second = prompt::hidden("Password (again): ")?;
            if first.expose_secret() != second.expose_secret() {
                stderr::warn("Error: Your passwords didn't match.");
            } else if let Some(fault) = prompt::unfit(first.expose_secret()) {
                stderr::warn(&format!("Error: {fault}"));
            } else if let Some(password) = self.agreed(first, "create user").await? {
                return Ok(password);
            }
        }
    }

    /// A typed password: if it breaks the rules, the operator is asked whether to use it.
    pub async fn agreed(&self, password: SecretString, to: &str) -> Result<Option<NewPassword>, Failure> {
        if !self.is_broken_by(&password) {
            return Ok(Some(NewPassword::Plain(password)));
        }
        let question = format!("Bypass password validation and {to} anyway?");
        Ok((self.is_skipped || prompt::agrees(&question).await?).then(|| unruled(password)))
    }

    /// Whether it breaks the rules; prints how.
    fn is_broken_by(&self, password: &SecretString) -> bool {
        let problems = policy::check(&self.app.config, &self.owner, password);
        for problem in &problems {
            stderr::warn(&problem.message);
        }
        !problems.is_empty()
    }
}

fn unruled(password: SecretString) -> NewPassword {
    stderr::warn("Warning: the password is set although it breaks PASSWORD_RULES.");
    NewPassword::Unruled(password)
}
