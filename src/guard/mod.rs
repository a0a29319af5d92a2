//! What holds attackers back: attempts are counted, and devices that an account was used from are remembered.

pub mod device;
pub mod throttle;
pub mod ticket;
