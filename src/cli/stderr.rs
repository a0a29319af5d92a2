//! What commands print on stderr besides questions: warnings, errors and progress. Nothing here fails: if stderr is gone, there
//! is nobody to tell.

use std::io::{self, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Prints a line on stderr.
pub fn warn(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Prints an error as one line. Some of Django's texts begin with "Error: " already.
pub fn error(text: &str) {
    warn(&format!("Error: {}", text.strip_prefix("Error: ").unwrap_or(text)));
}

/// A progress bar on stderr; silent if stderr is not a terminal.
pub fn progress(total: usize, what: &'static str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {human_pos}/{human_len}") {
        bar.set_style(style);
    }
    bar.set_message(what);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
