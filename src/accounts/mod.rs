//! Users and their passwords: who may log in, and every change to an account. No HTTP.

pub mod account_session;
pub mod admin_session;
pub mod backfill;
pub mod change;
pub mod confirm;
pub mod email_change;
pub mod endings;
pub mod export;
pub mod link;
pub mod load;
pub mod login;
pub mod manage;
pub mod notice;
pub mod password_reset;
pub mod policy;
pub mod upkeep;
pub mod user;
