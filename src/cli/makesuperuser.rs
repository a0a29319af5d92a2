//! `latchkey makesuperuser`: a superuser with a random password, without a question. `runserver` makes its first
//! superuser here too.

use secrecy::SecretString;

use super::failure::Failure;
use super::text::help;
use super::{open, output};
use crate::accounts::confirm::Confirmed;
use crate::accounts::manage::{self, ManageError, NewPassword, NewUser};
use crate::app::App;
use crate::config::UsernameField;
use crate::crypto::random;
use crate::db;

/// Make a superuser with a random password, without asking anything
///
/// Makes the superuser 'admin' ('admin@example.com' where USERNAME_FIELD=email) and prints its password: once, and
/// nowhere else. Where a superuser exists already, whatever its name, it does nothing and says so, so that it can stand
/// in a script that runs at each deployment.
#[derive(Debug, clap::Args)]
#[command(after_long_help = help(
    "  latchkey makesuperuser\n  \
       latchkey changepassword admin   set a password of your own afterwards",
    "  DATABASE_URL    where the users are\n  \
       USERNAME_FIELD  'email' makes admin@example.com instead of admin",
))]
pub struct Args {}

/// Makes it, unless there is one.
pub async fn run(_args: Args) -> Result<(), Failure> {
    let app = open::app().await?;
    if app.db.read(db::users::has_superuser).await? {
        return output::say("A superuser exists already. Nothing was done.");
    }
    match make(&app).await {
        Ok(text) => output::print(&text).map_err(unseen),
        Err(ManageError::Fields(faults)) if faults.iter().any(|fault| fault.field == "username") => {
            Err(Failure::say(format!(
                "There is a user '{}' who is no superuser. Run 'latchkey createsuperuser' and choose another name.",
                name(&app)
            )))
        }
        Err(error) => Err(error.into()),
    }
}

/// Makes the superuser and answers the lines that show its password.
pub async fn make(app: &App) -> Result<String, ManageError> {
    let password = random::password();
    let user = NewUser {
        username: name(app).to_owned(),
        email: if app.config.accounts.username_field == UsernameField::Email {
            name(app).to_owned()
        } else {
            String::new()
        },
        is_active: true,
        is_staff: true,
        is_superuser: true,
        password: NewPassword::Plain(SecretString::from(password.clone())),
        ..NewUser::default()
    };
    let user = manage::create(app, &Confirmed::command_line(), user).await?;
    Ok(format!(
        "Superuser created successfully.\nUsername: {}\nPassword: {}\n\
         The password is shown only now. 'latchkey changepassword {0}' sets another one.\n",
        user.username, password
    ))
}

/// The password was made but not seen.
pub fn unseen(_: Failure) -> Failure {
    Failure::say("The superuser was made, but its password could not be printed. Run 'latchkey changepassword'.")
}

fn name(app: &App) -> &'static str {
    match app.config.accounts.username_field {
        UsernameField::Email => "admin@example.com",
        UsernameField::Username | UsernameField::UsernameOrEmail => "admin",
    }
}
