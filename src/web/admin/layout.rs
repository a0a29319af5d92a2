//! What every page shows round its content: navigation, account menu, messages, theme. `Layout` is made from a `Staff`
//! only; `Solo` is for pages before a login and for failures.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;
use serde::{Deserialize, Serialize};

use super::access::Staff;
use super::csrf;
use super::error::PageError;
use super::session::Visit;
use super::words::Reader;

const MESSAGES: &str = "messages";

/// Light, dark, or what the system says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the system.
    #[default]
    Auto,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

impl Theme {
    /// The cookie that remembers it.
    pub const COOKIE: &str = "latchkey_theme";
    /// All, in the order of the menu.
    pub const ALL: [Self; 3] = [Self::Auto, Self::Light, Self::Dark];

    /// Its word, in the cookie, the page and the menu.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// Reads the word.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.name() == name)
    }
}

/// Which entry of the navigation a page belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// None of them.
    None,
    /// The index.
    Home,
    /// The users; true on the list itself.
    Users(bool),
    /// The outstanding tokens.
    Outstanding(bool),
    /// The blacklisted tokens.
    Blacklisted(bool),
    /// The sessions.
    Sessions(bool),
    /// "Explain a token".
    Explain,
    /// The mail.
    Mail,
    /// The audit log.
    AuditLog(bool),
    /// The settings.
    Settings,
    /// The visitor's own account.
    Account,
}

/// How a message is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tone {
    /// It worked.
    Good,
    /// It did not.
    Bad,
}

/// What happened, said once on the next page.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Message {
    /// How it is meant.
    pub tone: Tone,
    /// One sentence.
    pub text: String,
    /// An address and its words, to see it.
    pub link: Option<(String, String)>,
}

impl Message {
    /// Whether it reports a failure.
    pub fn is_bad(&self) -> bool {
        self.tone == Tone::Bad
    }
}

/// The frame of a page for somebody who may see it.
pub struct Layout {
    /// Who is logged in.
    pub username: String,
    /// Whether they may change things.
    pub is_superuser: bool,
    /// For the forms of the frame and of the page.
    pub csrf: String,
    /// Where a change of theme leads back to.
    pub here: String,
    /// The theme.
    pub theme: Theme,
    /// Who reads it: for every point in time on the page.
    pub reader: Reader,
    /// What happened on the page before.
    pub messages: Vec<Message>,
    /// Which database.
    pub database: &'static str,
    place: Place,
}

impl Staff {
    /// The frame for a page of theirs.
    pub fn layout(&self, place: Place) -> Layout {
        let app = &self.visit.app;
        Layout {
            username: self.user.username.clone(),
            is_superuser: self.user.is_superuser,
            csrf: csrf::token(&self.visit),
            here: self.visit.address.clone(),
            theme: self.visit.theme,
            reader: self.reader(),
            messages: self.take_messages(),
            database: if app.db.is_postgres() { "PostgreSQL" } else { "SQLite" },
            place,
        }
    }

    /// Says something on the next page.
    pub fn say(&self, message: Message) -> Result<(), PageError> {
        let Some(session) = &self.session else { return Ok(()) };
        let mut messages: Vec<Message> = session.get(MESSAGES).ok().flatten().unwrap_or_default();
        messages.push(message);
        session.insert(MESSAGES, messages).map_err(|_| PageError::Other("a message could not be kept"))
    }

    /// Messages are shown once; a session without any is not written.
    fn take_messages(&self) -> Vec<Message> {
        let Some(session) = self.session.as_ref().filter(|session| session.contains_key(MESSAGES)) else {
            return vec![];
        };
        session.remove_as(MESSAGES).and_then(Result::ok).unwrap_or_default()
    }
}

impl Layout {
    /// The first letter of the name.
    pub fn initial(&self) -> String {
        self.username.chars().next().map(|first| first.to_uppercase().to_string()).unwrap_or_default()
    }

    /// The themes to choose from, and which one is chosen.
    pub fn themes(&self) -> [(&'static str, bool); 3] {
        Theme::ALL.map(|theme| (theme.name(), theme == self.theme))
    }

    /// The value of `aria-current` for an entry of the navigation, if it is the current one.
    pub fn current(&self, entry: &str) -> Option<&'static str> {
        let (name, is_page) = match self.place {
            Place::None => return None,
            Place::Home => ("home", true),
            Place::Users(is_list) => ("users", is_list),
            Place::Outstanding(is_list) => ("outstanding", is_list),
            Place::Blacklisted(is_list) => ("blacklisted", is_list),
            Place::Sessions(is_list) => ("sessions", is_list),
            Place::Explain => ("explain", true),
            Place::Mail => ("mail", true),
            Place::AuditLog(is_list) => ("audit_log", is_list),
            Place::Settings => ("settings", true),
            Place::Account => ("account", true),
        };
        (name == entry).then_some(if is_page { "page" } else { "true" })
    }
}

/// A page without the frame.
pub struct Solo {
    /// The theme.
    pub theme: Theme,
    /// For its form.
    pub csrf: String,
    /// How users reach this server.
    pub host: String,
}

impl Solo {
    /// For whoever visits.
    pub fn new(visit: &Visit) -> Self {
        let host = visit.app.config.server.public_url.host_str().unwrap_or_default().to_owned();
        Self { theme: visit.theme, csrf: csrf::token(visit), host }
    }
}

/// Shows a page.
pub fn page(template: &impl Template) -> Result<HttpResponse, PageError> {
    Ok(html(StatusCode::OK, template.render()?))
}

/// An answer with HTML in it.
pub fn html(status: StatusCode, body: String) -> HttpResponse {
    HttpResponse::build(status).content_type("text/html; charset=utf-8").body(body)
}

/// After a form: on to a page, by GET.
pub fn see(address: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((actix_web::http::header::LOCATION, address)).finish()
}

/// Another address for the same page.
pub fn moved(address: &str) -> HttpResponse {
    HttpResponse::MovedPermanently().insert_header((actix_web::http::header::LOCATION, address)).finish()
}
