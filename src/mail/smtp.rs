//! Sends one mail to an SMTP server, over its own connection. lettre speaks the protocol; here is which server, with which
//! protection, and what its answers mean for the mail.

use std::error::Error as _;
use std::sync::OnceLock;
use std::time::Duration;

use lettre::Message;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::{Category, Severity};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;
use url::Host;

use super::delivery_error::DeliveryError;
use super::message::Mail;
use crate::config::SmtpTls;

/// How long the server may take to close the connection after accepting the mail.
const QUIT_TIMEOUT: Duration = Duration::from_secs(2);

/// A server, and how to talk to it.
pub struct Smtp {
    host: String,
    port: u16,
    tls: SmtpTls,
    credentials: Option<(String, SecretString)>,
    hello: ClientId,
    /// The system's root certificates, read for the first mail.
    parameters: OnceLock<TlsParameters>,
}

impl Smtp {
    /// A server. `hello` is the name this machine gives (RFC 5321, section 4.1.4).
    pub fn new(
        (host, port): (&str, u16),
        tls: SmtpTls,
        credentials: Option<(String, SecretString)>,
        hello: Option<Host<&str>>,
    ) -> Self {
        let hello = match hello {
            Some(Host::Domain(name)) => ClientId::Domain(name.to_owned()),
            Some(Host::Ipv4(address)) => ClientId::Ipv4(address),
            Some(Host::Ipv6(address)) => ClientId::Ipv6(address),
            None => ClientId::default(),
        };
        Self { host: host.to_owned(), port, tls, credentials, hello, parameters: OnceLock::new() }
    }

    /// Sends a mail, within the deadline.
    pub async fn send(&self, mail: &Mail, deadline: Duration) -> Result<(), DeliveryError> {
        let message = mail.message()?;
        let attempt = async {
            let mut connection = self.connect(deadline).await.map_err(|error| self.unusable(&error))?;
            self.hand_over(&mut connection, &message).await?;
            Ok(connection)
        };
        let Ok(attempted) = timeout(deadline, attempt).await else {
            return Err(DeliveryError::temporary(format!(
                "The mail server {} was not done within {} seconds.",
                self.name(),
                deadline.as_secs()
            )));
        };
        let mut connection = attempted?;
        // The server has accepted the mail, whatever happens to the connection.
        let _ = timeout(QUIT_TIMEOUT, connection.abort()).await;
        Ok(())
    }

    async fn connect(&self, deadline: Duration) -> Result<AsyncSmtpConnection, Error> {
        let server = (self.host.as_str(), self.port);
        let implicit = if self.tls == SmtpTls::Implicit { Some(self.parameters()?) } else { None };
        // A name may have several addresses, and the first may not answer.
        let patience = Some(deadline / 4);
        let mut connection = AsyncSmtpConnection::connect_tokio1(server, patience, &self.hello, implicit, None).await?;
        let wants_tls = match self.tls {
            SmtpTls::Required => true,
            SmtpTls::Opportunistic => connection.can_starttls(),
            SmtpTls::Implicit | SmtpTls::None => false,
        };
        if wants_tls {
            connection.starttls(self.parameters()?, &self.hello).await?;
        }
        if let Some((user, password)) = &self.credentials {
            let credentials = Credentials::new(user.clone(), password.expose_secret().to_owned());
            connection.auth(DEFAULT_MECHANISMS, &credentials).await?;
        }
        Ok(connection)
    }

    async fn hand_over(&self, connection: &mut AsyncSmtpConnection, message: &Message) -> Result<(), DeliveryError> {
        let sent = connection.send(message.envelope(), &message.formatted()).await;
        sent.map(drop).map_err(|error| {
            let fault = self.unusable(&error);
            DeliveryError { is_permanent: is_about_the_mail(&error), ..fault }
        })
    }

    fn parameters(&self) -> Result<TlsParameters, Error> {
        if let Some(parameters) = self.parameters.get() {
            return Ok(parameters.clone());
        }
        let builder = TlsParameters::builder(self.host.clone());
        // If we would go on without TLS, checking certificates gains nothing (RFC 7435); that of a mail server on the same
        // machine is hardly ever valid for "localhost".
        let is_optional = self.tls == SmtpTls::Opportunistic;
        let builder =
            builder.dangerous_accept_invalid_certs(is_optional).dangerous_accept_invalid_hostnames(is_optional);
        let made = builder.build()?;
        Ok(self.parameters.get_or_init(|| made).clone())
    }

    /// A problem with the server, which may be gone later.
    fn unusable(&self, error: &Error) -> DeliveryError {
        let mut cause = error.source();
        while let Some(deeper) = cause.and_then(|cause| cause.source()) {
            cause = Some(deeper);
        }
        let cause = cause.map(ToString::to_string).filter(|cause| !cause.is_empty());
        let (server, cause) = (self.name(), cause.unwrap_or_else(|| error.to_string()));
        let cause = cause.trim_end_matches('.');
        DeliveryError::temporary(match error.status() {
            Some(code) => format!("The mail server {server} answered {code}: {cause}."),
            None => format!("The mail server {server} cannot be used: {cause}."),
        })
    }

    fn name(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

/// Whether a refusal is permanent: 5yz, except 53z, which is about the login and can be fixed by an operator.
fn is_about_the_mail(error: &Error) -> bool {
    // An internationalised address that the server does not accept.
    error.is_client()
        || error.status().is_some_and(|code| {
            code.severity == Severity::PermanentNegativeCompletion && code.category != Category::Unspecified3
        })
}
