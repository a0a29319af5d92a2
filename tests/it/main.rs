//! The integration tests: the real server and the real binary, on SQLite and on PostgreSQL.
//! `harness/` is what they stand on; the other folders mirror `src/`. Run them with `scripts/test`.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "all of this is a test")]

#[macro_use]
mod harness;

mod account;
mod admin;
mod api;
#[path = "../browser/mod.rs"]
mod browser;
mod cli;
mod db;
mod differences;
mod endings;
mod house;
mod key_set;
mod mail;
#[path = "../proof/mod.rs"]
mod proof;
mod user_table;
