//! Mail to users: what it says (`letter`, `words`), who puts it into the queue (`mailer`) and who works that off (`queue`), and
//! how it leaves (`message`, `transport`, `smtp`). `accounts` decides who gets which letter; nothing here knows why one is written.

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
