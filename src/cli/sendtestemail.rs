//! `latchkey sendtestemail`: sends a mail at once, bypassing the queue, so that an operator sees what the mail server answers.

use super::failure::Failure;
use super::text::help;
use super::{open, output, text};
use crate::clock::Clock;
use crate::db::types::Instant;
use crate::mail::Mailer;
use crate::mail::letter::Letter;

/// Send a test mail
///
/// Sends a short mail to each address immediately, bypassing the queue, and reports what the mail server answered. It
/// needs no database. The mail looks like those that users get.
#[derive(Debug, clap::Args)]
#[command(after_long_help = help(
    "  latchkey sendtestemail me@example.com\n  \
       EMAIL_URL='smtp://user:password@mail.example.com' latchkey sendtestemail me@example.com",
    "  EMAIL_URL           where mail goes: smtp://…, smtps://…, console: or file:///directory\n  \
       DEFAULT_FROM_EMAIL  the sender\n  \
       SITE_NAME           the site's name in the mail\n  \
       PUBLIC_URL          its host is the name given to the mail server\n  \
       SSL_CERT_FILE       certificates to trust instead of the system's",
))]
pub struct Args {
    /// Where to send it
    #[arg(value_name = "ADDRESS", required = true)]
    addresses: Vec<String>,
}

/// Sends them one after another; each is tried.
pub async fn run(args: Args) -> Result<(), Failure> {
    let config = open::quiet_config()?;
    let (mailer, way) = (Mailer::new(&config), config.mail.url.to_string());
    let mut faults = Vec::new();
    for address in &args.addresses {
        let now = Instant::from(Clock::System.now());
        let to = text::plain(address);
        match mailer.send_now(now, address, &Letter::Test {}).await {
            Ok(()) => output::say(format!("Sent a test mail to {to} by {way}"))?,
            Err(fault) => faults.push(format!("Nothing was sent to {to}. {}", text::plain(&fault.text))),
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(Failure::say(faults.join("\nError: "))) }
}
