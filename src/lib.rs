//! Latchkey: a self-hosted JWT authentication server with an admin panel.
//!
//! Entry points (`web` and `cli`), rooms that hold the rules (`accounts`, `factors`, `tokens` …), and the database
//! (`db`). ARCHITECTURE.md says which room may import which; `tests/it/house/` enforces it.

pub mod accounts;
pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod crypto;
pub mod db;
pub mod factors;
pub mod guard;
pub mod journal;
pub mod key_set;
pub mod mail;
pub mod sessions;
pub mod telemetry;
pub mod tokens;
pub mod web;
