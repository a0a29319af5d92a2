//! `latchkey users load`: creates many users from a file, all or none. The file's format is in `records.rs` and `rows.rs`.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::records::RowError;
use super::rows::{self, Row};
use crate::accounts::load::{self, LoadError};
use crate::accounts::manage::{self, ManageError, NewPassword, NewUser};
use crate::accounts::policy;
use crate::app::App;
use crate::cli::failure::Failure;
use crate::cli::text::{self, help};
use crate::cli::{open, output, stderr};
use crate::journal::Actor;

/// Maximum size of the file: some hundred thousand users.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// Create many users from a JSON or CSV file, all or none
///
/// FILE is a JSON list of objects, or CSV with a header, in UTF-8; "-" reads stdin. One row is one user:
///
///   username       the only required field
///   email, first_name, last_name
///   password       as typed; it is hashed here
///   password_hash  instead of password: as Django encodes it (auth_user.password)
///   is_active      true (the default) or false, also yes/no, 1/0, on/off, t/f
///   is_staff, is_superuser  false by default
///
/// A user with neither password nor hash can't log in until one is set. Every bad row is reported
/// with its line number, and if there are any, no user is created.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment, after_long_help = help(
    "  latchkey users load users.csv\n  \
       latchkey users load - --json < users.json\n\n  \
       From another Django database:\n  \
       sqlite3 -json db.sqlite3 'select username, email, password as password_hash from auth_user' |\n    \
         latchkey users load -",
    "  DATABASE_URL     where the users are\n  \
       PASSWORD_RULES   which plain passwords are accepted\n  \
       PASSWORD_HASHER  how plain passwords are stored",
))]
pub struct Args {
    /// JSON or CSV, or "-" for stdin
    file: PathBuf,
    /// Set plain passwords even if they break PASSWORD_RULES
    #[arg(long)]
    skip_password_rules: bool,
}

/// Runs the command.
pub async fn run(args: Args, json: bool) -> Result<(), Failure> {
    let app = open::app().await?;
    let name = if args.file == Path::new("-") { "stdin".to_owned() } else { args.file.display().to_string() };
    let bytes = read(&args.file).map_err(|text| Failure::say(format!("{name}: {text}.")))?;
    let (rows, mut faults) = rows::read(bytes);
    let (lines, mut users): (Vec<_>, Vec<_>) = rows.into_iter().map(|Row { line, user }| (line, user)).unzip();
    let unruled = if args.skip_password_rules { skip_rules(&app, &mut users) } else { 0 };
    faults.extend(located(&lines, check(&app, &users).await)?);
    if !faults.is_empty() {
        return Err(report(&name, faults));
    }
    if unruled > 0 {
        let passwords = text::count(unruled, "password");
        stderr::warn(&format!("Warning: {passwords} in {name} will be set although PASSWORD_RULES forbids it."));
    }
    let without = users.iter().filter(|user| matches!(user.password, NewPassword::Unusable)).count();
    let bar = stderr::progress(users.len(), "Hashing passwords");
    let loaded = load::load(&app, &Actor::command_line(), users, |done| bar.set_position(done as u64)).await;
    bar.finish_and_clear();
    let loaded = loaded.map_err(|error| match error {
        LoadError::Users(faults) => match located(&lines, faults) {
            Ok(faults) => report(&name, faults),
            Err(failure) => failure,
        },
        LoadError::Db(error) => error.into(),
    })?;
    if json {
        return output::json(&json!({ "loaded": loaded, "without_password": without }));
    }
    output::say(format!("{} loaded from {name}.", text::count(loaded, "user")))?;
    match without {
        0 => Ok(()),
        1 => output::say("1 of them has no password and can't log in yet: see 'latchkey changepassword'."),
        _ => output::say(format!(
            "{without} of them have no password and can't log in yet: see 'latchkey changepassword'."
        )),
    }
}

/// What is wrong with each user, found before the hashing, which may take minutes.
async fn check(app: &App, users: &[NewUser]) -> Vec<(usize, ManageError)> {
    let mut faults = Vec::new();
    for (at, user) in users.iter().enumerate() {
        if let Err(fault) = manage::check(app, user).await {
            faults.push((at, fault));
        }
    }
    faults
}

/// Exempts users from the rules that their passwords break; returns how many.
fn skip_rules(app: &App, users: &mut [NewUser]) -> usize {
    let mut unruled = 0;
    for user in users {
        let owner = user.owner();
        if let NewPassword::Plain(password) = &user.password
            && !policy::check(&app.config, &owner, password).is_empty()
        {
            user.password = NewPassword::Unruled(password.clone());
            unruled += 1;
        }
    }
    unruled
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let source: Box<dyn Read> = if path == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(File::open(path).map_err(|error| error.to_string())?)
    };
    let mut bytes = Vec::new();
    source.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err("the file is larger than 64 MiB; load it in parts".to_owned());
    }
    Ok(bytes)
}

/// Prints each error on its own line, and that nothing was done.
fn report(name: &str, mut faults: Vec<RowError>) -> Failure {
    faults.sort_by_key(|fault| fault.line);
    for RowError { line, text } in &faults {
        stderr::warn(&format!("{name}, line {line}: {}", text::plain(text)));
    }
    Failure::say(format!("{} in {name}. No user was created.", text::count(faults.len(), "problem")))
}

/// `accounts` reports a row by its position; people need its line.
fn located(lines: &[usize], faults: Vec<(usize, ManageError)>) -> Result<Vec<RowError>, Failure> {
    let mut told = Vec::new();
    for (at, error) in faults {
        let line = lines.get(at).copied().unwrap_or_default();
        match error {
            ManageError::Fields(fields) => told.extend(
                fields.into_iter().map(|fault| RowError { line, text: format!("{}: {}", fault.field, fault.message) }),
            ),
            // A problem of the database, not of the row: reported once.
            other => return Err(other.into()),
        }
    }
    Ok(told)
}
