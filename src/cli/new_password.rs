//! New passwords at the command line: asked for twice, or given. They follow `PASSWORD_RULES`, unless whoever sits here
//! says that they shall not; then that is said once more.

use secrecy::{ExposeSecret, SecretString};

use super::failure::Failure;
use super::{prompt, stderr};
use crate::accounts::manage::NewPassword;
use crate::accounts::policy::{self, Owner};
use crate::app::App;

/// What a new password has to follow here.
pub struct Rules<'a> {
    /// Whose settings count.
    pub app: &'a App,
    /// Whose password it is to be.
    pub owner: Owner,
    /// `--skip-password-rules`
    pub is_skipped: bool,
}

impl Rules<'_> {
    /// The password of a command that takes one: from stdin, or asked for.
    pub async fn given_or_asked(&self, from_stdin: bool) -> Result<NewPassword, Failure> {
        if from_stdin {
            self.given(prompt::password_from_stdin()?)
        } else if prompt::is_possible() {
            self.asked().await
        } else {
            Err(Failure::say("There is no terminal to ask for a password: pipe it in with --password-stdin."))
        }
    }

    /// One that nobody can be asked about any more.
    pub fn given(&self, password: SecretString) -> Result<NewPassword, Failure> {
        if !self.is_broken_by(&password) {
            return Ok(NewPassword::Plain(password));
        }
        if self.is_skipped {
            return Ok(unruled(password));
        }
        Err(Failure::say("The password breaks PASSWORD_RULES. Choose another one, or add --skip-password-rules."))
    }

    /// Asks twice, until both are the same and follow the rules, in the words of Django's `createsuperuser`.
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

    /// One that was typed: if it breaks the rules, whoever typed it is asked what they want.
    pub async fn agreed(&self, password: SecretString, to: &str) -> Result<Option<NewPassword>, Failure> {
        if !self.is_broken_by(&password) {
            return Ok(Some(NewPassword::Plain(password)));
        }
        let question = format!("Bypass password validation and {to} anyway?");
        Ok((self.is_skipped || prompt::agrees(&question).await?).then(|| unruled(password)))
    }

    /// Says what is wrong with it.
    fn is_broken_by(&self, password: &SecretString) -> bool {
        let problems = policy::check(&self.app.config, &self.owner, password);
        for problem in &problems {
            stderr::warn(&problem.message);
        }
        !problems.is_empty()
    }
}

fn unruled(password: SecretString) -> NewPassword {
    stderr::warn("Warning: the password breaks PASSWORD_RULES and is set nevertheless.");
    NewPassword::Unruled(password)
}
