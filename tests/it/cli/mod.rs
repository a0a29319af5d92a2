//! The command line: the real binary, as operators and scripts use it.

mod commands;
mod password_rules;
mod runserver;
mod users;
