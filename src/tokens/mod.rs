//! Token pairs, rotation, verification and blacklisting: SimpleJWT's behaviour without HTTP.

pub mod administer;
pub mod claims;
pub mod error;
pub mod explain;
pub mod introspect;
pub mod login;
pub mod obtain;
pub mod own_sessions;
mod presented;
pub mod purge;
pub mod record;
pub mod refresh;
mod renew;
mod replay;
pub mod reveal;
pub mod revoke;
pub mod sliding;
pub mod verify;

pub use error::TokenError;
pub use presented::RefreshError;
