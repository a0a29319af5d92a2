//! The log: turns `LOG_FORMAT` and `RUST_LOG` into tracing's subscriber, which writes to standard error. Called once,
//! by the command line, before anything is worth logging.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::EnvFilter;

use crate::config::Log;

/// Actix logs each start of a worker and each line of garbage from outside, and webauthn-rs each wrong answer of a
/// browser, byte by byte; `RUST_LOG=actix_server=info` shows them.
const QUIET: &str = "actix_server=warn,actix_http=off,webauthn_rs=off,webauthn_rs_core=off";

/// Starts the log. If one is already running (in tests), it stays as it is.
pub fn init(log: &Log) {
    // `config` has already parsed the filter; if it were wrong after all, a log with the default is better than none.
    let filter = EnvFilter::builder().parse(format!("{QUIET},{}", log.filter)).unwrap_or_default();
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
    // If standard error is on a full disk, tracing would report that to standard error, and panic.
    let builder = builder.log_internal_errors(false);
    // Not set on a terminal, where tracing looks at NO_COLOR itself.
    let builder = if stderr().is_terminal() { builder } else { builder.with_ansi(false) };
    let _already_running = if log.json {
        builder.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init()
    } else {
        builder.compact().with_target(false).try_init()
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starting_twice_does_no_harm() {
        for (json, filter) in [(true, "off"), (false, "off"), (false, "not==a filter")] {
            init(&Log { json, filter: filter.to_owned() });
        }
    }
}
