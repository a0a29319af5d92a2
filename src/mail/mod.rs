//! Mail to users: what it says (`letter`, `words`), how it is queued (`mailer`) and delivered from there (`queue`), and how it is
//! sent (`message`, `transport`, `smtp`). `accounts` decides who gets which letter; nothing here knows why one is written.

mod delivery_error;
pub mod letter;
mod mailer;
mod message;
pub mod queue;
mod smtp;
pub mod transport;
mod words;

pub use delivery_error::DeliveryError;
pub use mailer::{GIVE_UP_AFTER, Mailer, Outgoing};
