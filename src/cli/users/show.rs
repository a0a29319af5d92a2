//! `latchkey users show`.

use serde::Serialize;

use super::user::{self, UserView};
use crate::accounts::email_change;
use crate::cli::failure::Failure;
use crate::cli::text::{self, help};
use crate::cli::{open, output};
use crate::db::types::Instant;
use crate::{db, factors};

/// Show one user
///
/// Everything except the password, and how many tokens are recorded for the user.
#[derive(Debug, clap::Args)]
#[command(after_long_help = help(
    "  latchkey users show ana\n  \
       latchkey users show id:7 --json",
    "  DATABASE_URL  where the users are",
))]
pub struct Args {
    /// The user's name, or id:N
    name: String,
}

#[derive(Serialize)]
struct Detail {
    #[serde(flatten)]
    user: UserView,
    /// Null until the user has confirmed the address.
    email_confirmed_at: Option<String>,
    /// The kinds, oldest first.
    second_factors: Vec<String>,
    recovery_codes: usize,
    /// Whether a superuser or the settings require the user to have a factor.
    second_factor_required: bool,
    outstanding_tokens: i64,
    blacklisted_tokens: i64,
}

/// Runs the command.
pub async fn run(args: Args, json: bool) -> Result<(), Failure> {
    let app = open::app().await?;
    let id = user::find(&app, &args.name).await?.id;
    let user = user::shown(&app, id).await?;
    let now = app.now();
    let tokens = app.read(move |tx| db::users::count_tokens(tx.conn, id, now, None)).await?;
    let confirmed = app.read(move |tx| match tx.app.users.find(tx.conn, id)? {
        Some(user) => email_change::confirmed_at(tx.conn, &user),
        None => Ok(None),
    });
    let overview = app.read(move |tx| match tx.app.users.find(tx.conn, id)? {
        Some(user) => factors::overview::overview(tx, &user).map(Some),
        None => Ok(None),
    });
    let overview = overview.await?.ok_or_else(|| Failure::say("The user has been deleted in the meantime."))?;
    let enrolled = overview.enrolled;
    let detail = Detail {
        user,
        email_confirmed_at: confirmed.await?.map(Instant::iso),
        second_factors: enrolled.factors.iter().map(|factor| factor.kind.clone()).collect(),
        recovery_codes: enrolled.recovery_codes(),
        second_factor_required: overview.is_required,
        outstanding_tokens: tokens.all,
        blacklisted_tokens: tokens.blacklisted,
    };
    if json { output::json(&detail) } else { people(&detail) }
}

fn people(detail: &Detail) -> Result<(), Failure> {
    let Detail { user, email_confirmed_at, outstanding_tokens, blacklisted_tokens, .. } = detail;
    let factors = if detail.second_factors.is_empty() { "none".to_owned() } else { detail.second_factors.join(", ") };
    let lines = [
        ("Id", user.id.to_string()),
        ("UUID", user.uuid.clone().unwrap_or_else(|| "none yet".to_owned())),
        ("Username", user.username.clone()),
        ("Email", user.email.clone()),
        ("Email confirmed", email_confirmed_at.clone().unwrap_or_else(|| "no".to_owned())),
        ("First name", user.first_name.clone()),
        ("Last name", user.last_name.clone()),
        ("Active", text::yes(user.is_active).to_owned()),
        ("Staff", text::yes(user.is_staff).to_owned()),
        ("Superuser", text::yes(user.is_superuser).to_owned()),
        ("Joined", user.date_joined.clone().unwrap_or_default()),
        ("Last login", user.last_login.clone().unwrap_or_else(|| "never".to_owned())),
        ("Second factors", factors),
        ("Factor required", text::yes(detail.second_factor_required).to_owned()),
        ("Recovery codes", detail.recovery_codes.to_string()),
        ("Outstanding tokens", outstanding_tokens.to_string()),
        ("Blacklisted tokens", blacklisted_tokens.to_string()),
    ];
    for (name, value) in lines {
        output::say(format!("{name:<19} {}", text::plain(&value)).trim_end())?;
    }
    Ok(())
}
