//! `latchkey createsuperuser`: Django's command of this name, with its questions and its words.

use std::fs;
use std::os::unix::fs::MetadataExt;

use super::failure::Failure;
use super::new_password::Rules;
use super::text::help;
use super::{open, output, prompt, stderr, text};
use crate::accounts::confirm::Confirmed;
use crate::accounts::manage::{self, ManageError, NewPassword, NewUser};
use crate::accounts::user::FieldError;
use crate::app::App;
use crate::config;

/// Create a superuser, who can see and change everything in the admin panel
///
/// Asks for a username, an email address and a password (twice). With --noinput it asks nothing and reads what the
/// options leave out from the environment; if there is no password either, the superuser can't log in until
/// 'latchkey changepassword' sets one.
#[derive(Debug, clap::Args)]
#[command(after_long_help = help(
    "  latchkey createsuperuser\n  \
       latchkey createsuperuser --username ana --email ana@example.com\n  \
       LATCHKEY_SUPERUSER_PASSWORD=… latchkey createsuperuser --noinput \\\n      \
           --username ana --email ana@example.com",
    "  LATCHKEY_SUPERUSER_USERNAME, LATCHKEY_SUPERUSER_EMAIL, LATCHKEY_SUPERUSER_PASSWORD\n                  \
       for --noinput; Django's DJANGO_SUPERUSER_… work too\n  \
       DATABASE_URL    where the users are\n  \
       USERNAME_FIELD  'email': only the address is asked for, and is also the username\n  \
       PASSWORD_RULES  which passwords are accepted",
))]
pub struct Args {
    /// The name to log in with
    #[arg(long)]
    username: Option<String>,
    /// Email address; may be empty
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// Don't ask anything
    #[arg(long, visible_alias = "no-input")]
    noinput: bool,
    /// Set the password even if it breaks PASSWORD_RULES
    #[arg(long)]
    skip_password_rules: bool,
}

/// Runs the command.
pub async fn run(args: Args) -> Result<(), Failure> {
    if !args.noinput && !prompt::is_possible() {
        return Err(Failure::say(
            "Superuser creation skipped due to not running in a TTY. Run 'latchkey createsuperuser' in a terminal, \
             or with --noinput and LATCHKEY_SUPERUSER_PASSWORD.",
        ));
    }
    let app = open::app().await?;
    let user = if args.noinput { from_environment(&app, args)? } else { ask(&app, args).await? };
    let has_password = !matches!(user.password, NewPassword::Unusable);
    let user = manage::create(&app, &Confirmed::command_line(), user).await.map_err(|error| match error {
        ManageError::Fields(faults) => Failure::Said(words(&faults)),
        error => error.into(),
    })?;
    output::say("Superuser created successfully.")?;
    if !has_password {
        let name = text::plain(&user.username);
        stderr::warn(&format!(
            "The superuser has no password and can't log in yet: run 'latchkey changepassword {name}'."
        ));
    }
    Ok(())
}

fn superuser(username: String, email: String) -> NewUser {
    NewUser { username, email, is_active: true, is_staff: true, is_superuser: true, ..NewUser::default() }
}

fn from_environment(app: &App, args: Args) -> Result<NewUser, Failure> {
    let environment = config::superuser();
    let email = args.email.or(environment.email);
    let username = args.username.or(environment.username);
    let username = if by_email(app) { username.or_else(|| email.clone()) } else { username };
    let missing = |option: &str| Failure::say(format!("You must use --{option} with --noinput."));
    let mut user = superuser(
        username.ok_or_else(|| missing(if by_email(app) { "email" } else { "username" }))?,
        email.ok_or_else(|| missing("email"))?,
    );
    if let Some(password) = environment.password {
        user.password = Rules { app, owner: user.owner(), is_skipped: args.skip_password_rules }.given(password)?;
    }
    Ok(user)
}

async fn ask(app: &App, args: Args) -> Result<NewUser, Failure> {
    let is_skipped = args.skip_password_rules;
    let mut user = superuser(String::new(), String::new());
    let address = Question { text: "Email address: ", given: args.email, suggestion: None };
    if by_email(app) {
        let name = args.username;
        let put = |user: &mut NewUser, address: String| {
            user.username = name.clone().unwrap_or_else(|| address.clone());
            user.email = address;
        };
        address.ask(app, &mut user, put).await?;
    } else {
        let suggestion = suggestion(app).await?;
        let text = match &suggestion {
            Some(name) => format!("Username (leave blank to use '{name}'): "),
            None => "Username: ".to_owned(),
        };
        let name = Question { text: &text, given: args.username, suggestion };
        name.ask(app, &mut user, |user, name| user.username = name).await?;
        address.ask(app, &mut user, |user, email| user.email = email).await?;
    }
    user.password = Rules { app, owner: user.owner(), is_skipped }.asked().await?;
    Ok(user)
}

/// A question about one field.
struct Question<'a> {
    text: &'a str,
    /// The answer given on the command line; if it is not acceptable, the question is asked.
    given: Option<String>,
    /// What an empty answer means.
    suggestion: Option<String>,
}

impl Question<'_> {
    /// Puts the answer into the user, asking until it is acceptable.
    async fn ask(mut self, app: &App, user: &mut NewUser, put: impl Fn(&mut NewUser, String)) -> Result<(), Failure> {
        loop {
            let value = match self.given.take() {
                Some(value) => value,
                None => prompt::line(self.text).await?,
            };
            put(user, if value.is_empty() { self.suggestion.clone().unwrap_or_default() } else { value });
            match manage::check(app, user).await {
                Ok(()) => return Ok(()),
                Err(ManageError::Fields(faults)) => stderr::warn(&format!("Error: {}", words(&faults))),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Only the messages, as in Django's command: it asks for one field at a time, so the field's name is not needed.
fn words(faults: &[FieldError]) -> String {
    let words = faults.iter().map(|fault| match fault.message.as_str() {
        "A user with that username already exists." => "That username is already taken.",
        message => message,
    });
    let mut words: Vec<_> = words.collect();
    words.dedup();
    words.join("; ")
}

/// The name of the user at the terminal, adapted to a username, if it is not taken.
async fn suggestion(app: &App) -> Result<Option<String>, Failure> {
    let name = config::login_name().or_else(owner_of_process).unwrap_or_default();
    let name: String =
        name.to_lowercase().chars().filter(|c| c.is_ascii_alphanumeric() || "@.+-_".contains(*c)).collect();
    if name.is_empty() {
        return Ok(None);
    }
    let wanted = name.clone();
    let taken = app.read(move |tx| tx.app.users.find_by_name(tx.conn, &wanted)).await?.is_some();
    Ok((!taken).then_some(name))
}

/// In a container often no variable has it, but the list of users does.
fn owner_of_process() -> Option<String> {
    let id = fs::metadata("/proc/self").ok()?.uid().to_string();
    let users = fs::read_to_string("/etc/passwd").ok()?;
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == id).then(|| name.to_owned())
    })
}

fn by_email(app: &App) -> bool {
    app.users.is_login_by_email()
}
