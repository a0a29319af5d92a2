//! Records what happened, in one vocabulary: who did it, what is counted, and what the audit log says.

pub mod action;
pub mod actor;
pub mod audit;
pub mod authentication;
pub mod events;
pub mod failed_login;
pub mod reason;

pub use actor::{Actor, Client, Door};
