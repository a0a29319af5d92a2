//! `latchkey makesuperuser`: a superuser with a random password, without asking anything. `runserver` uses it for its first
//! superuser too.

use secrecy::SecretString;

use super::failure::Failure;
use super::text::help;
use super::{open, output};
use crate::accounts::confirm::Confirmed;
use crate::accounts::manage::{self, ManageError, NewPassword, NewUser};
use crate::app::App;
use crate::crypto::random;

/// Create a superuser with a random password, without asking anything
///
/// Creates the superuser 'admin' ('admin@example.com' with USERNAME_FIELD=email) and prints its password, once. If there
/// is a superuser already, whatever its name, the command does nothing and says so: it can be part of a script that runs
/// at each deployment.
#[derive(Debug, clap::Args)]
#[command(after_long_help = help(
    "  latchkey makesuperuser\n  \
       latchkey changepassword admin   choose your own password afterwards",
    "  DATABASE_URL    where the users are\n  \
       USERNAME_FIELD  'email' creates admin@example.com instead of admin",
))]
pub struct Args {}

/// Runs the command.
pub async fn run(_args: Args) -> Result<(), Failure> {
    let app = open::app().await?;
    if app.read(|tx| tx.app.users.has_superuser(tx.conn)).await? {
        return output::say("There is a superuser already. Nothing was changed.");
    }
    match make(&app).await {
        Ok(text) => output::print(&text).map_err(unseen),
        Err(ManageError::Fields(faults)) if faults.iter().any(|fault| fault.field == "username") => {
            Err(Failure::say(format!(
                "The user '{}' exists and is not a superuser. Run 'latchkey createsuperuser' and choose another name.",
                name(&app)
            )))
        }
        Err(error) => Err(error.into()),
    }
}

/// Creates the superuser and returns the lines that show its password.
pub async fn make(app: &App) -> Result<String, ManageError> {
    let password = random::password();
    let user = NewUser {
        username: name(app).to_owned(),
        email: if app.users.is_login_by_email() { name(app).to_owned() } else { String::new() },
        is_active: true,
        is_staff: true,
        is_superuser: true,
        password: NewPassword::Plain(SecretString::from(password.clone())),
        ..NewUser::default()
    };
    let user = manage::create(app, &Confirmed::command_line(), user).await?;
    Ok(format!(
        "Superuser created successfully.\nUsername: {}\nPassword: {}\n\
         The password won't be shown again. Change it with 'latchkey changepassword {0}'.\n",
        user.username, password
    ))
}

/// The superuser was created, but its password could not be shown.
pub fn unseen(_: Failure) -> Failure {
    Failure::say("The superuser was created, but its password could not be printed. Run 'latchkey changepassword'.")
}

fn name(app: &App) -> &'static str {
    if app.users.is_login_by_email() { "admin@example.com" } else { "admin" }
}
