//! A mail as it is sent: its headers and its two parts, made by lettre's builders, so that no text in it can become another
//! header. The words are in `words`.

use std::time::SystemTime;

use lettre::Address;
use lettre::Message;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use secrecy::SecretString;
use url::Host;

use super::delivery_error::DeliveryError;
use crate::db::types::Instant;

/// A mail, ready to send.
pub struct Mail {
    /// The sender.
    pub from: Mailbox,
    /// The recipient.
    pub to: Address,
    /// Its subject.
    pub subject: String,
    /// When it was written.
    pub at: Instant,
    /// What precedes the `@` of its Message-ID; the same for every attempt.
    pub id: String,
    /// What follows it.
    pub host: String,
    /// Plain text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
    /// The token in its link, removed from what a server says about the mail.
    pub secret: Option<SecretString>,
}

impl Mail {
    /// The mail in the form of RFC 5322.
    pub fn message(&self) -> Result<Message, DeliveryError> {
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, self.to.clone()))
            .subject(&*self.subject)
            .date(SystemTime::from(self.at.datetime()))
            .message_id(Some(format!("<{}@{}>", self.id, self.host)))
            // RFC 3834: out-of-office programs do not answer it.
            .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
            .multipart(MultiPart::alternative_plain_html(self.text.clone(), self.html.clone()))
            .map_err(|error| DeliveryError::permanent(format!("The mail cannot be written: {error}.")))
    }
}

/// Parses an address. An internationalised domain is written in ASCII, which every server understands (RFC 5891).
pub fn address(text: &str) -> Result<Address, DeliveryError> {
    let parts = text.trim().rsplit_once('@').and_then(|(user, domain)| {
        let domain = match Host::parse(domain) {
            Ok(Host::Domain(domain)) => domain,
            _ => domain.to_owned(),
        };
        Address::new(user, domain).ok()
    });
    parts.ok_or_else(|| DeliveryError::permanent("Mail cannot be sent to this address.".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(subject: &str, to: &str) -> String {
        let mail = Mail {
            from: "Bücher <accounts@example.com>".parse().unwrap(),
            to: address(to).unwrap(),
            subject: subject.to_owned(),
            at: Instant::from_timestamp(1_772_366_400).unwrap(),
            id: "7.1".to_owned(),
            host: "auth.example.com".to_owned(),
            text: "Grüße".to_owned(),
            html: "<p>Grüße</p>".to_owned(),
            secret: None,
        };
        String::from_utf8(mail.message().unwrap().formatted()).unwrap()
    }

    #[test]
    fn the_headers_are_those_of_an_automatic_mail() {
        let text = mail("Reset your password for Bücher", "alice@example.com");
        for header in [
            "Message-ID: <7.1@auth.example.com>\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "Date: Sun, 01 Mar 2026 12:00:00 +0000\r\n",
            "To: alice@example.com\r\n",
            "Content-Type: multipart/alternative;",
        ] {
            assert!(text.contains(header), "{header}: {text}");
        }
        assert!(text.is_ascii(), "not every server takes more: {text}");
    }

    #[test]
    fn nothing_in_a_subject_becomes_a_header() {
        let text = mail("Hello\r\nBcc: everybody@example.com\r\n\r\nbody", "alice@example.com");
        assert!(!text.lines().any(|line| line.starts_with("Bcc")), "{text}");
    }

    #[test]
    fn addresses_are_those_that_mail_can_be_sent_to() {
        for (given, kept) in [
            ("alice@example.com", "alice@example.com"),
            (" alice+tag@example.com ", "alice+tag@example.com"),
            ("alice@bücher.example", "alice@xn--bcher-kva.example"),
            ("jürgen@example.com", "jürgen@example.com"),
        ] {
            assert_eq!(address(given).unwrap_or_else(|fault| panic!("{given}: {fault:?}")).to_string(), kept);
        }
        for bad in [
            "",
            "alice",
            "@example.com",
            "alice@",
            "a b@example.com",
            "alice@exa mple.com",
            "alice@example.com\r\nBcc: bob@example.com",
            "alice\r\nRCPT TO:<bob@example.com>@example.com",
            "alice@example.com,bob@example.com",
            "<alice@example.com>",
            "alice@example.com\0",
        ] {
            assert!(address(bad).is_err_and(|fault| fault.is_permanent), "{bad:?}");
        }
    }
}
