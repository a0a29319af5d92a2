//! Latchkey: a self-hosted JWT authentication server with an admin panel.
//!
//! Three doors (`web` with its API and its admin, `cli`), one set of rooms (`accounts`, `tokens`, `mail`), one cellar (`db`).
//! `ARCHITECTURE.md` says who may know whom; `tests/it/house/` holds it.

pub mod accounts;
pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod crypto;
pub mod db;
pub mod key_set;
pub mod mail;
pub mod telemetry;
pub mod tokens;
pub mod web;
