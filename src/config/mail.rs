//! Where mail goes, who it is from, and where its links lead. `mail/` sends it.

use std::fmt;
use std::path::PathBuf;

use lettre::message::Mailbox;
use secrecy::SecretString;
use url::{Host, Url};

use super::parse::{self, ValueError};
use super::reader::Reader;
use super::server::Server;

/// `EMAIL_URL`, `DEFAULT_FROM_EMAIL`, `SITE_NAME`, `PASSWORD_RESET_URL`, `EMAIL_CONFIRM_URL`, `SECURITY_MAIL`.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Where it goes.
    pub url: EmailUrl,
    /// The sender.
    pub from: Mailbox,
    /// The site's name, in mails and on the pages of users.
    pub site_name: String,
    /// Where the link for a new password leads; `{token}` is replaced by the token.
    pub password_reset_url: String,
    /// Where the link that confirms an address leads; `{token}` is replaced by the token.
    pub email_confirm_url: String,
    /// Users get mail about their account's security.
    pub security_mail: bool,
}

/// A parsed `EMAIL_URL`. `Display` has no password in it.
#[derive(Debug, Clone)]
pub enum EmailUrl {
    /// Written to the standard output.
    Console,
    /// Written into a directory, one file per mail.
    File(PathBuf),
    /// Sent to an SMTP server.
    Smtp {
        /// Name or address of the server.
        host: String,
        /// Its port.
        port: u16,
        /// How the connection is protected.
        tls: SmtpTls,
        /// Name and password, if the server requires them.
        credentials: Option<(String, SecretString)>,
    },
}

/// How a connection to an SMTP server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpTls {
    /// TLS from the first byte (`smtps://`; RFC 8314, section 3.3).
    Implicit,
    /// STARTTLS, or no mail (RFC 3207).
    Required,
    /// STARTTLS if the server offers it.
    Opportunistic,
    /// None.
    None,
}

/// The placeholder for the token in the address of a page.
pub const TOKEN: &str = "{token}";

const TLS: &[(&str, SmtpTls)] =
    &[("required", SmtpTls::Required), ("opportunistic", SmtpTls::Opportunistic), ("none", SmtpTls::None)];

impl Mail {
    pub(super) fn read(reader: &mut Reader<'_>, server: &Server) -> Self {
        let url = reader.read("EMAIL_URL", email_url);
        reader.mask("EMAIL_URL", url.to_string());
        if let EmailUrl::Smtp { host, tls: SmtpTls::None | SmtpTls::Opportunistic, credentials: Some(_), .. } = &url
            && !is_loopback(host)
        {
            reader.warnings.push(format!("EMAIL_URL may send the password to {host} without TLS"));
        }
        let origin = server.public_origin();
        let from = reader.read("DEFAULT_FROM_EMAIL", mailbox);
        let site_name = reader.read("SITE_NAME", site_name);
        let mut page = |name, path| page_of(reader, &origin, name, path);
        Self {
            url,
            from,
            site_name,
            password_reset_url: page("PASSWORD_RESET_URL", "/account/password/reset/confirm/"),
            email_confirm_url: page("EMAIL_CONFIRM_URL", "/account/email/confirm/"),
            security_mail: reader.read("SECURITY_MAIL", parse::boolean),
        }
    }
}

/// The address of a front end's page, or of our own.
fn page_of(reader: &mut Reader<'_>, origin: &str, name: &str, path: &str) -> String {
    reader.optional(name, link).unwrap_or_else(|| {
        let page = format!("{origin}{path}?token={TOKEN}");
        reader.show(name, page.clone());
        page
    })
}

impl EmailUrl {
    /// Whether nobody can listen in between here and the mail server: mail stays on this machine, or is protected by TLS with a
    /// checked certificate.
    pub fn is_local_or_encrypted(&self) -> bool {
        match self {
            Self::Console | Self::File(_) | Self::Smtp { tls: SmtpTls::Implicit | SmtpTls::Required, .. } => true,
            Self::Smtp { host, tls: SmtpTls::Opportunistic | SmtpTls::None, .. } => is_loopback(host),
        }
    }
}

impl fmt::Display for EmailUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Console => f.write_str("console:"),
            Self::File(path) => write!(f, "file://{}", path.display()),
            Self::Smtp { host, port, tls, credentials } => {
                let scheme = if *tls == SmtpTls::Implicit { "smtps" } else { "smtp" };
                let user = credentials.as_ref().map(|(user, _)| format!("{user}:***@")).unwrap_or_default();
                write!(f, "{scheme}://{user}{host}:{port}")?;
                TLS.iter().find(|(_, word)| word == tls).map_or(Ok(()), |(word, _)| write!(f, "?tls={word}"))
            }
        }
    }
}

/// The usual ports: 465 for `smtps`, 587 for `smtp`, and 25 on this machine, where TLS is not needed.
fn email_url(value: &str) -> Result<EmailUrl, ValueError> {
    if matches!(value, "console:" | "console://") {
        return Ok(EmailUrl::Console);
    }
    // `Url` would read what follows as a host.
    if let Some(path) = value.strip_prefix("file://") {
        return if path.starts_with('/') && path.len() > 1 {
            Ok(EmailUrl::File(decoded(path)?.into()))
        } else {
            Err("names no absolute directory".to_owned())
        };
    }
    let url = Url::parse(value).map_err(|_| "is not an address such as smtp://host:587".to_owned())?;
    let is_tls = match url.scheme() {
        "smtps" => true,
        "smtp" => false,
        _ => return Err("does not start with smtp://, smtps://, console: or file://".to_owned()),
    };
    if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
        return Err("has more than user, password, host, port and ?tls=".to_owned());
    }
    // `Url` recognises IP addresses only in the schemes that it knows.
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or("names no host")?;
    let host = match Host::parse(host) {
        Ok(Host::Ipv6(ip)) => ip.to_string(),
        Ok(host) => host.to_string(),
        Err(_) => return Err("names no host".to_owned()),
    };
    let is_local = is_loopback(&host);
    let mut tls = match (is_tls, is_local) {
        (true, _) => SmtpTls::Implicit,
        (false, true) => SmtpTls::Opportunistic,
        (false, false) => SmtpTls::Required,
    };
    for (name, value) in url.query_pairs() {
        if name != "tls" || is_tls {
            return Err("has more than user, password, host, port and (with smtp://) ?tls=".to_owned());
        }
        tls = parse::choice(TLS)(&value).map_err(|fault| format!("has a tls that {fault}"))?;
    }
    let port = url.port().unwrap_or(if is_tls {
        465
    } else if is_local {
        25
    } else {
        587
    });
    let credentials = match (decoded(url.username())?, url.password()) {
        (user, Some(password)) if !user.is_empty() => Some((user, SecretString::from(decoded(password)?))),
        (user, None) if user.is_empty() => None,
        _ => return Err("has a user without a password, or a password without a user".to_owned()),
    };
    Ok(EmailUrl::Smtp { host, port, tls, credentials })
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn decoded(text: &str) -> Result<String, ValueError> {
    let decoded = percent_encoding::percent_decode_str(text).decode_utf8();
    decoded.map(std::borrow::Cow::into_owned).map_err(|_| "has percent-encoded bytes that are not UTF-8".to_owned())
}

/// `accounts@example.com` or `Example <accounts@example.com>`.
fn mailbox(value: &str) -> Result<Mailbox, ValueError> {
    value.parse().map_err(|_| "is not an address such as accounts@example.com".to_owned())
}

/// One line, short enough for a subject.
fn site_name(value: &str) -> Result<String, ValueError> {
    if value.chars().any(char::is_control) || value.chars().count() > 60 {
        return Err("is not one line of up to 60 characters".to_owned());
    }
    Ok(value.to_owned())
}

/// The address of a page, with a place for the token.
fn link(value: &str) -> Result<String, ValueError> {
    let url = Url::parse(&value.replace(TOKEN, "token")).map_err(|_| "is not a web address".to_owned())?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("does not start with http:// or https://".to_owned());
    }
    if value.matches(TOKEN).count() != 1 {
        return Err(format!("has no place for the token: {TOKEN} has to stand in it once"));
    }
    Ok(value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(value: &str) -> String {
        email_url(value).unwrap_or_else(|fault| panic!("{value} {fault}")).to_string()
    }

    #[test]
    fn transports_are_told_apart_and_passwords_are_not_shown() {
        for (given, wanted) in [
            ("console:", "console:"),
            ("file:///var/mail/out", "file:///var/mail/out"),
            ("smtp://mail.example.com", "smtp://mail.example.com:587?tls=required"),
            ("smtp://a%40b:p%2Fq@mail.example.com:2525", "smtp://a@b:***@mail.example.com:2525?tls=required"),
            ("smtps://a:b@mail.example.com", "smtps://a:***@mail.example.com:465"),
            ("smtp://localhost", "smtp://localhost:25?tls=opportunistic"),
            ("smtp://127.0.0.1:2525?tls=none", "smtp://127.0.0.1:2525?tls=none"),
            ("smtp://[::1]:2525", "smtp://::1:2525?tls=opportunistic"),
        ] {
            assert_eq!(shown(given), wanted);
        }
        let EmailUrl::Smtp { credentials: Some((_, password)), .. } = email_url("smtp://a:p%2Fq@b").unwrap() else {
            panic!("no password");
        };
        assert_eq!(secrecy::ExposeSecret::expose_secret(&password), "p/q");
    }

    #[test]
    fn what_is_no_transport_is_refused() {
        for bad in [
            "",
            "mail.example.com",
            "imap://a",
            "file://relative",
            "file:///",
            "smtp://",
            "smtp://a/b",
            "smtp://a?ssl=1",
            "smtps://a?tls=none",
            "smtp://a?tls=maybe",
            "smtp://user@a",
            "smtp://:p@a",
            "smtp://a b",
            "smtp://u:%ff@a",
        ] {
            assert!(email_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn links_have_one_place_for_the_token() {
        assert!(link("https://app.example.com/#/reset/{token}").is_ok());
        for bad in ["https://a.b/", "https://a.b/{token}{token}", "javascript:alert({token})", "/reset?token={token}"] {
            assert!(link(bad).is_err(), "{bad}");
        }
    }
}
