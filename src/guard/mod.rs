//! Holds attackers back: counts attempts, and remembers the devices that an account was used from.

pub mod device;
pub mod throttle;
pub mod ticket;
