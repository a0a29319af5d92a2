//! Pure computation on secrets: tokens, keys, password hashes, randomness. No database, no network.

pub mod claims;
pub mod decode_error;
pub mod digest;
pub mod jwk;
pub mod jwt;
mod key_error;
pub mod keyed;
pub mod keys;
pub mod passkey;
pub mod password;
mod pem;
#[cfg(test)]
mod properties;
pub mod random;
mod registered;
pub mod seal;
mod segment;
pub mod signature;
pub mod totp;
