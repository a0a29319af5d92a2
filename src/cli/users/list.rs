//! `latchkey users list`.

use std::collections::HashMap;

use super::user::UserView;
use crate::app::App;
use crate::cli::failure::Failure;
use crate::cli::output::Table;
use crate::cli::text::help;
use crate::cli::{open, output, text};
use crate::db;
use crate::db::types::UserId;

/// Rows read at a time: many enough to be quick, few enough to list ten million users in little memory.
const PAGE_SIZE: i64 = 1000;

const HEADS: [&str; 8] =
    ["ID", "USERNAME", "EMAIL", "ACTIVE", "STAFF", "SUPERUSER", "JOINED (UTC)", "LAST LOGIN (UTC)"];

/// List all users, in the order in which they joined
#[derive(Debug, clap::Args)]
#[command(after_long_help = help(
    "  latchkey users list\n  \
       latchkey users list --json | jq -r '.[] | select(.is_superuser) | .username'",
    "  DATABASE_URL  where the users are",
))]
pub struct Args {}

/// Runs the command.
pub async fn run(_args: Args, json: bool) -> Result<(), Failure> {
    let app = open::app().await?;
    if json { as_json(&app).await } else { as_table(&app).await }
}

/// A page of users, and the last of them if there may be more.
async fn page(app: &App, from: Option<UserId>) -> Result<(Vec<UserView>, Option<UserId>), Failure> {
    let page = app.read(move |tx| {
        let users = tx.app.users.list_after(tx.conn, from, PAGE_SIZE)?;
        let ids: Vec<_> = users.iter().map(|user| user.id).collect();
        let uuids: HashMap<_, _> = db::latchkey_user::list_uuids(tx.conn, &ids)?.into_iter().collect();
        Ok::<_, db::DbError>((users, uuids))
    });
    let (users, mut uuids) = page.await?;
    let is_full = users.len() == usize::try_from(PAGE_SIZE).unwrap_or(usize::MAX);
    let last = users.last().map(|user| user.id).filter(|_| is_full);
    let shown = users.into_iter().map(|user| {
        let uuid = uuids.remove(&user.id);
        UserView::new(user, uuid)
    });
    Ok((shown.collect(), last))
}

async fn as_json(app: &App) -> Result<(), Failure> {
    output::print("[")?;
    let (mut from, mut separator) = (None, "\n");
    loop {
        let (users, after) = page(app, from).await?;
        let mut text = String::new();
        for user in users {
            text.push_str(separator);
            text.push_str(&output::compact(&user)?);
            separator = ",\n";
        }
        output::print(&text)?;
        from = after;
        if from.is_none() {
            return output::say(if separator == "\n" { "]" } else { "\n]" });
        }
    }
}

async fn as_table(app: &App) -> Result<(), Failure> {
    let (mut from, mut total) = (None, 0);
    let mut table = Table::new(HEADS, &[]);
    loop {
        let (users, after) = page(app, from).await?;
        let rows: Vec<_> = users.iter().map(row).collect();
        if total == 0 && rows.is_empty() {
            return output::say("There are no users yet. Create the first one with 'latchkey createsuperuser'.");
        }
        table.widen(&rows);
        let heads = (total == 0).then(|| table.line(&HEADS));
        let lines: Vec<_> = heads.into_iter().chain(rows.iter().map(|row| table.line(row))).collect();
        if !lines.is_empty() {
            output::say(lines.join("\n"))?;
        }
        total += rows.len();
        from = after;
        if from.is_none() {
            return output::say(format!("\n{}", text::count(total, "user")));
        }
    }
}

fn row(user: &UserView) -> [String; 8] {
    [
        user.id.to_string(),
        text::plain(&user.username).into_owned(),
        text::plain(&user.email).into_owned(),
        text::yes(user.is_active).to_owned(),
        text::yes(user.is_staff).to_owned(),
        text::yes(user.is_superuser).to_owned(),
        user.date_joined.as_deref().map(minute).unwrap_or_default(),
        user.last_login.as_deref().map_or_else(|| "never".to_owned(), minute),
    ]
}

/// `2026-11-22 11:38` of `2026-11-22T11:38:04.123456Z`.
fn minute(iso: &str) -> String {
    iso.chars().take(16).map(|c| if c == 'T' { ' ' } else { c }).collect()
}
