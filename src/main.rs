//! Runs the command line and answers its exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    latchkey::cli::run(std::env::args_os())
}
