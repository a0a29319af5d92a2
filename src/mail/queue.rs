//! The queue of mail.

/// It waits to be sent, for the first time or again.
pub const QUEUED: &str = "queued";
/// The server has taken it.
pub const SENT: &str = "sent";
/// It is given up.
pub const FAILED: &str = "failed";
