//! The tools of the tests: databases, the server, clients. No tests are here.

pub mod admin;
pub mod binary;
pub mod database;
pub mod forge;
pub mod http;
pub mod key_source;
mod link;
pub mod passkey;
pub mod proxy;
pub mod server;
pub mod smtp;

pub use admin::Panel;
pub use database::{Backend, TestDatabase};
pub use http::{Answer, Client, wire};
pub use passkey::Authenticator;
pub use server::{PASSWORD, Pair, Server};
pub use smtp::Smtp;

/// Makes `name::sqlite` and `name::postgres` from the function `name(backend: Backend)` below it.
macro_rules! both {
    ($name:ident) => {
        mod $name {
            use crate::harness::Backend;

            #[test]
            fn sqlite() {
                super::$name(Backend::Sqlite);
            }

            #[test]
            fn postgres() {
                super::$name(Backend::Postgres);
            }
        }
    };
}
