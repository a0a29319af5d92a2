//! How a mail is sent: to an SMTP server (`smtp`), to standard output, or into a directory. When it is tried again is decided in
//! `queue`.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::task::spawn_blocking;
use url::Host;

use super::delivery_error::DeliveryError;
use super::message::Mail;
use super::smtp::Smtp;
use crate::config::EmailUrl;

/// How long one attempt may take, whatever the server does.
pub const DEADLINE: Duration = Duration::from_mins(1);

/// Where mail goes.
pub struct Transport {
    way: Way,
    deadline: Duration,
    /// The password for the server.
    password: Option<SecretString>,
}

enum Way {
    Console,
    File(PathBuf),
    Smtp(Box<Smtp>),
}

impl Transport {
    /// The transport of `EMAIL_URL`. `host` is the name this machine gives.
    pub fn new(url: &EmailUrl, host: Option<Host<&str>>) -> Self {
        let (way, password) = match url {
            EmailUrl::Console => (Way::Console, None),
            EmailUrl::File(folder) => (Way::File(folder.clone()), None),
            EmailUrl::Smtp { host: server, port, tls, credentials } => {
                let smtp = Smtp::new((server, *port), *tls, credentials.clone(), host);
                (Way::Smtp(Box::new(smtp)), credentials.as_ref().map(|(_, password)| password.clone()))
            }
        };
        Self { way, deadline: DEADLINE, password }
    }

    /// The same, with another deadline.
    #[must_use]
    pub fn with_deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// How long an attempt may take.
    pub fn deadline(&self) -> Duration {
        self.deadline
    }

    /// Sends a mail. After `Ok` somebody else is responsible for it.
    pub async fn send(&self, mail: Mail) -> Result<(), DeliveryError> {
        let secret = mail.secret.clone();
        let sent = match &self.way {
            Way::Console => blocking(move || print(&mail)).await,
            Way::File(folder) => {
                let folder = folder.clone();
                blocking(move || write(&folder, &mail)).await
            }
            Way::Smtp(smtp) => smtp.send(&mail, self.deadline).await,
        };
        let secrets = self.password.iter().chain(&secret).map(ExposeSecret::expose_secret);
        sent.map_err(|fault| fault.without(secrets))
    }
}

async fn blocking(job: impl FnOnce() -> Result<(), DeliveryError> + Send + 'static) -> Result<(), DeliveryError> {
    spawn_blocking(job)
        .await
        .unwrap_or_else(|error| Err(DeliveryError::temporary(format!("The attempt broke off: {error}."))))
}

/// Prints the plain text: the encoded mail would break the link over several lines.
fn print(mail: &Mail) -> Result<(), DeliveryError> {
    let line = "-".repeat(79);
    let text =
        format!("{line}\nFrom: {}\nTo: {}\nSubject: {}\n\n{}\n{line}\n", mail.from, mail.to, mail.subject, mail.text);
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|error| DeliveryError::temporary(format!("The standard output cannot be written: {error}.")))
}

/// Writes a file that only its owner can read. It is complete or absent; another attempt replaces it.
fn write(folder: &Path, mail: &Mail) -> Result<(), DeliveryError> {
    let bytes = mail.message()?.formatted();
    let name = format!("{}-{}.eml", mail.at.datetime().format("%Y%m%dT%H%M%SZ"), mail.id);
    let (path, unfinished) = (folder.join(&name), folder.join(format!(".{name}.part")));
    let done = || {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        fs::rename(&unfinished, &path)
    };
    done().map_err(|error| DeliveryError::temporary(format!("{} cannot be written: {error}.", path.display())))
}
