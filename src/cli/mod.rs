//! The command line: one file per command, named as in Django. Here is the list of commands, and how one is run: the runtime and
//! Ctrl-C. The commands call `accounts`, `tokens` and the read functions of `db`.

#![expect(clippy::doc_markdown, reason = "the docs of arguments are printed as help, where backticks are noise")]

mod changepassword;
mod check;
mod createsuperuser;
mod failure;
mod flushexpiredtokens;
mod makesuperuser;
mod migrate;
mod new_password;
mod open;
mod output;
mod prompt;
mod runserver;
mod sendtestemail;
mod stderr;
mod text;
mod users;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use failure::Failure;
use text::help;

/// A self-hosted JWT authentication server with an admin panel
///
/// Latchkey speaks the wire protocol of Django's SimpleJWT and uses the same database tables, alone or shared with a
/// Django site. Without a command it runs 'latchkey runserver'.
#[derive(Debug, Parser)]
#[command(name = "latchkey", version, max_term_width = 100, after_long_help = help(
    "  latchkey                  start on http://127.0.0.1:8000/, with a SQLite file in this folder\n  \
       latchkey check            check the settings, the database and the keys\n  \
       latchkey createsuperuser  create a user for the admin panel",
    "  DATABASE_URL              sqlite:///latchkey.sqlite3 (the default) or postgres://…\n  \
       and many more: 'latchkey check' lists them. They can be set in ./.env too.",
))]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Runserver(runserver::Args),
    Migrate(migrate::Args),
    Createsuperuser(createsuperuser::Args),
    Makesuperuser(makesuperuser::Args),
    Changepassword(changepassword::Args),
    Flushexpiredtokens(flushexpiredtokens::Args),
    Sendtestemail(sendtestemail::Args),
    Check(check::Args),
    Users(users::Args),
}

/// Runs the command named by the arguments and returns the exit code: 0, 1 for a failure, 2 for wrong usage.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help is such an "error" too; if it can't be printed, there is nobody to read it.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
        }
    };
    let result = match cli.command.unwrap_or_else(|| Command::Runserver(runserver::Args::default())) {
        Command::Runserver(args) => runserver::run(args),
        Command::Migrate(args) => wait(migrate::run(args)),
        Command::Createsuperuser(args) => wait(createsuperuser::run(args)),
        Command::Makesuperuser(args) => wait(makesuperuser::run(args)),
        Command::Changepassword(args) => wait(changepassword::run(args)),
        Command::Flushexpiredtokens(args) => wait(flushexpiredtokens::run(args)),
        Command::Sendtestemail(args) => wait(sendtestemail::run(args)),
        Command::Check(args) => wait(check::run(args)),
        Command::Users(args) => wait(users::run(args)),
    };
    result.map_or_else(Failure::tell, |()| ExitCode::SUCCESS)
}

/// Runs a command until it ends or Ctrl-C is pressed.
fn wait(command: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::say(format!("The runtime cannot start: {error}.")))?;
    let result = runtime.block_on(async {
        tokio::select! {
            biased;
            result = command => result,
            _ = tokio::signal::ctrl_c() => Err(Failure::Cancelled),
        }
    });
    // A thread may still wait for an answer at the terminal; nobody will give it any more.
    runtime.shutdown_background();
    result
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_made() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_a_help_worth_reading() {
        fn look(command: &mut clap::Command) {
            let help = command.render_long_help().to_string();
            for part in ["Examples:\n", "Environment:\n", "Exit codes:\n"] {
                assert!(help.contains(part), "{} lacks {part:?}", command.get_name());
            }
            assert!(help.lines().all(|line| line.chars().count() <= 100), "{} has long lines", command.get_name());
            command.get_subcommands_mut().filter(|inner| inner.get_name() != "help").for_each(look);
        }
        look(&mut Cli::command());
    }

    #[test]
    fn wrong_use_is_told_from_help() {
        let run = |words: &[&str]| run(words.iter().map(OsString::from));
        assert_eq!(run(&["latchkey", "nonsense"]), ExitCode::from(2));
        assert_eq!(run(&["latchkey", "users", "create"]), ExitCode::from(2));
        assert_eq!(run(&["latchkey", "--version"]), ExitCode::SUCCESS);
    }
}
