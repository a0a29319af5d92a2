//! `latchkey changepassword`: a new password for a user, asked for as Django does or taken from stdin.

use secrecy::ExposeSecret;

use super::failure::Failure;
use super::new_password::Rules;
use super::text::help;
use super::users::user;
use super::{open, output, prompt, stderr, text};
use crate::accounts::change;
use crate::accounts::confirm::Confirmed;
use crate::accounts::manage::NewPassword;
use crate::accounts::policy::Owner;

/// How often Django's command asks.
const ATTEMPTS: u32 = 3;

/// Change a user's password
///
/// Asks for the new password twice, or reads it from stdin. It cannot be given as an argument, where other users of
/// the machine could see it. Unless END_SESSIONS_ON_USER_CHANGE is false, the user is logged out everywhere: of the
/// panel at once, elsewhere because the refresh tokens are blacklisted.
#[derive(Debug, clap::Args)]
#[command(after_long_help = help(
    "  latchkey changepassword admin\n  \
       latchkey changepassword id:7\n  \
       printf %s \"$NEW_PASSWORD\" | latchkey changepassword admin --password-stdin",
    "  DATABASE_URL                 where the users are\n  \
       PASSWORD_RULES               which passwords are accepted\n  \
       PASSWORD_HASHER              how the new password is stored\n  \
       END_SESSIONS_ON_USER_CHANGE  false keeps the user logged in",
))]
pub struct Args {
    /// The user's name, or id:N
    #[arg(value_name = "USERNAME")]
    name: String,
    /// Read the password from stdin instead of asking
    #[arg(long)]
    password_stdin: bool,
    /// Set the password even if it breaks PASSWORD_RULES
    #[arg(long)]
    skip_password_rules: bool,
}

/// Runs the command.
pub async fn run(args: Args) -> Result<(), Failure> {
    let app = open::app().await?;
    let user = user::find(&app, &args.name).await?;
    let name = text::plain(&user.username).into_owned();
    let rules = Rules { app: &app, owner: Owner::find(&app, &user).await?, is_skipped: args.skip_password_rules };
    let password = if args.password_stdin {
        rules.given(prompt::password_from_stdin()?)?
    } else {
        if !prompt::is_possible() {
            return Err(Failure::say("There is no terminal to ask for a password. Pipe it in with --password-stdin."));
        }
        output::say(format!("Changing password for user '{name}'"))?;
        ask(&name, &rules).await?
    };
    change::set_password(&app, &Confirmed::command_line(), user.id, password).await?;
    output::say(format!("Password changed successfully for user '{name}'"))
}

/// Asks up to three times, in Django's words.
async fn ask(name: &str, rules: &Rules<'_>) -> Result<NewPassword, Failure> {
    for _ in 0..ATTEMPTS {
        let first = prompt::hidden("Password: ")?;
        if first.expose_secret().is_empty() {
            return Err(Failure::say("aborted"));
        }
        let second = prompt::hidden("Password (again): ")?;
        if first.expose_secret() != second.expose_secret() {
            output::say("Passwords do not match. Please try again.")?;
        } else if let Some(fault) = prompt::unfit(first.expose_secret()) {
            stderr::warn(fault);
        } else if let Some(password) = rules.agreed(first, "change it").await? {
            return Ok(password);
        }
    }
    Err(Failure::say(format!("Aborting password change for user '{name}' after {ATTEMPTS} attempts")))
}
