//! The security posture: what OWASP ASVS 5.0, RFC 8725 and RFC 9700 ask of a token server, and whether these settings meet it.
//! Every row is computed; it says "met" only of what the program really does. The panel's settings page shows all rows, its
//! dashboard the pressing ones.

mod asvs;
mod authentication;
mod facts;
mod rfc;
mod row;

pub use row::{Row, Source};

use super::load::Config;
use facts::Facts;

/// Every row, in the order of the sources.
pub fn rows(config: &Config, beside_django: bool) -> Vec<Row> {
    let facts = Facts { config, beside_django };
    [asvs::rows(&facts), rfc::jwt(&facts), rfc::oauth(&facts)].concat()
}

/// The unmet rows that a setting would fix and that should not wait.
pub fn pressing(config: &Config, beside_django: bool) -> Vec<Row> {
    rows(config, beside_django).into_iter().filter(|row| row.is_pressing && !row.is_met).collect()
}

#[cfg(test)]
mod tests;
