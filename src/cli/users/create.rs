//! `latchkey users create`.

use super::user;
use crate::accounts::confirm::Confirmed;
use crate::accounts::manage::{self, NewUser};
use crate::app::App;
use crate::cli::failure::Failure;
use crate::cli::new_password::Rules;
use crate::cli::text::help;
use crate::cli::{open, text};

/// Create a user
///
/// Asks for the password twice, or reads it from stdin. It cannot be given as an argument, where other users of the
/// machine could see it. Names and addresses are checked as in Django, and an address that another user has is refused.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of the command line")]
#[command(after_long_help = help(
    "  latchkey users create ana --email ana@example.com\n  \
       printf %s \"$PASSWORD\" | latchkey users create ana --staff --password-stdin --json",
    "  DATABASE_URL     where the users are\n  \
       USERNAME_FIELD   'email': a USERNAME that is an address is also the email address\n  \
       PASSWORD_RULES   which passwords are accepted\n  \
       PASSWORD_HASHER  how the password is stored",
))]
pub struct Args {
    /// The name to log in with
    username: String,
    /// Email address
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// First name
    #[arg(long, value_name = "NAME")]
    first_name: Option<String>,
    /// Last name
    #[arg(long, value_name = "NAME")]
    last_name: Option<String>,
    /// Can open the admin panel
    #[arg(long)]
    staff: bool,
    /// Can change everything in the admin panel (implies --staff)
    #[arg(long)]
    superuser: bool,
    /// Can't log in yet
    #[arg(long)]
    inactive: bool,
    /// Read the password from stdin instead of asking
    #[arg(long)]
    password_stdin: bool,
    /// Set the password even if it breaks PASSWORD_RULES
    #[arg(long)]
    skip_password_rules: bool,
}

/// Runs the command.
pub async fn run(args: Args, json: bool) -> Result<(), Failure> {
    let app = open::app().await?;
    let mut user = NewUser {
        email: args.email.unwrap_or_else(|| implied_email(&app, &args.username)),
        username: args.username,
        first_name: args.first_name.unwrap_or_default(),
        last_name: args.last_name.unwrap_or_default(),
        is_active: !args.inactive,
        is_staff: args.staff || args.superuser,
        is_superuser: args.superuser,
        ..NewUser::default()
    };
    // Checked before asking, so that nobody types a password for a name that is refused.
    manage::check(&app, &user).await?;
    let rules = Rules { app: &app, owner: user.owner(), is_skipped: args.skip_password_rules };
    user.password = rules.given_or_asked(args.password_stdin).await?;
    let user = manage::create(&app, &Confirmed::command_line(), user).await?;
    let sentence = format!("User '{}' created (id {}).", text::plain(&user.username), user.id);
    user::answer(&app, user.id, json, &sentence).await
}

/// If users log in with their address, the name is the address.
fn implied_email(app: &App, username: &str) -> String {
    let by_email = app.users.is_login_by_email();
    if by_email && username.contains('@') { username.to_owned() } else { String::new() }
}
