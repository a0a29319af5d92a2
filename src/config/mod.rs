//! Settings: the environment and `.env` become one struct, with one part per section.
//! All problems are reported together. Nothing else in the program reads the environment.

mod accounts;
mod aliases;
mod cookie;
mod cors;
mod database;
mod dotenv;
mod effective;
mod environment;
mod introspection;
mod jwt;
mod key;
mod load;
mod log;
mod mail;
mod parse;
pub mod posture;
mod reader;
mod second_factor;
mod server;
mod sessions;
mod table;
#[cfg(test)]
mod tests;
mod user_table;
mod vocabulary;

pub use accounts::{Accounts, Hasher, PasswordRules, Passwords};
pub use aliases::{ALIASED, PathAlias};
pub use cookie::{RefreshCookie, SameSite};
pub use cors::Cors;
pub use database::{Database, DatabaseUrl};
pub use effective::{Effective, ValueSource};
pub use environment::{Superuser, login_name, superuser};
pub use introspection::IntrospectionClient;
pub use jwt::Jwt;
pub use key::SecretKeySource;
pub use load::Config;
pub use log::Log;
pub use mail::{EmailUrl, Mail, SmtpTls, TOKEN};
pub use reader::{Get, Problem, Problems};
pub use second_factor::{Required, SecondFactor};
pub use server::Server;
pub use sessions::Sessions;
pub use table::{DefaultValue, SETTINGS, Setting, env_example, readme_table};
pub use user_table::{ColumnChoice, CreateDefault, FoundUserTable, Requirement, UserField, UserTableSettings};
pub use vocabulary::{Algorithm, Audience, ExtraClaim, TokenClass, UserIdClaimType, UserIdField};
