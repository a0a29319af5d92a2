//! `LOG_FORMAT` and `RUST_LOG`. `telemetry.rs` builds the subscriber from them.

use tracing_subscriber::EnvFilter;

use super::parse;
use super::reader::Reader;

/// `LOG_FORMAT`, `RUST_LOG`.
#[derive(Debug, Clone)]
pub struct Log {
    /// One JSON object per line in place of text.
    pub json: bool,
    /// tracing's filter, `info` if unset; known to be valid.
    pub filter: String,
}

impl Log {
    pub(super) fn read(reader: &mut Reader<'_>) -> Self {
        Self {
            json: reader.read("LOG_FORMAT", parse::choice(&[("pretty", false), ("json", true)])),
            filter: reader.read("RUST_LOG", |value| match EnvFilter::builder().parse(value) {
                Ok(_) => Ok(value.to_owned()),
                Err(_) => Err("is no filter".to_owned()),
            }),
        }
    }
}
