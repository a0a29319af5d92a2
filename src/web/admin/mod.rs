//! The admin panel. Its URLs stand in `routes`.

use actix_web::web::ServiceConfig;

/// Every URL under `/admin/`.
pub fn routes(_cfg: &mut ServiceConfig) {}
