//! The frame of every page: navigation, account menu, messages, theme. A `Layout` can only be made from a `Staff`; `Solo`
//! is the frame of pages before a login and of errors.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

use super::access::Staff;
use super::csrf;
use super::error::PageError;
use super::session::Visit;
use super::words::Reader;

const MESSAGES: &str = "messages";

/// Light, dark, or the theme of the system.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, VariantArray, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
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

    /// Its word, in the cookie, the page and the menu.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The theme of a word; any other word is the default.
    pub fn of(name: &str) -> Self {
        name.parse().unwrap_or_default()
    }
}

/// The entry of the navigation that a page belongs to. Its name is that of the entry in `admin/base.html`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Place {
    /// No entry.
    None,
    /// The dashboard.
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
    /// "My account".
    Account,
}

/// Whether a message reports success or failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tone {
    /// Success.
    Good,
    /// Failure.
    Bad,
}

/// A message that the next page shows once.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Message {
    /// Success or failure.
    pub tone: Tone,
    /// One sentence.
    pub text: String,
    /// A link: its address and its text.
    pub link: Option<(String, String)>,
}

impl Message {
    /// Whether it reports a failure.
    pub fn is_bad(&self) -> bool {
        self.tone == Tone::Bad
    }
}

/// The frame of a page for staff.
pub struct Layout {
    /// The user who is logged in.
    pub username: String,
    /// Whether the user may change things.
    pub is_superuser: bool,
    /// Whether they may add users.
    pub may_add_users: bool,
    /// The token for all forms of the page.
    pub csrf: String,
    /// The address that a change of theme leads back to.
    pub here: String,
    /// The theme.
    pub theme: Theme,
    /// The reader, for the times on the page.
    pub reader: Reader,
    /// Messages of the page before.
    pub messages: Vec<Message>,
    /// The name of the database system.
    pub database: &'static str,
    place: Place,
}

impl Staff {
    /// The frame of a page.
    pub fn layout(&self, place: Place) -> Layout {
        let app = &self.visit.app;
        Layout {
            username: self.user.username.clone(),
            is_superuser: self.user.is_superuser,
            may_add_users: self.user.is_superuser && app.users.creation_obstacle().is_none(),
            csrf: csrf::token(&self.visit),
            here: self.visit.address.clone(),
            theme: self.visit.theme,
            reader: self.reader(),
            messages: self.take_messages(),
            database: if app.db.is_postgres() { "PostgreSQL" } else { "SQLite" },
            place,
        }
    }

    /// Shows a message on the next page.
    pub fn say(&self, message: Message) -> Result<(), PageError> {
        let Some(session) = &self.session else { return Ok(()) };
        let mut messages: Vec<Message> = session.get(MESSAGES).ok().flatten().unwrap_or_default();
        messages.push(message);
        session.insert(MESSAGES, messages).map_err(|_| PageError::Other("a message could not be kept"))
    }

    /// Takes the messages out of the session, which is written only if there are some.
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

    /// All themes, and whether each is the current one.
    pub fn themes(&self) -> impl Iterator<Item = (&'static str, bool)> {
        Theme::VARIANTS.iter().map(|theme| (theme.name(), *theme == self.theme))
    }

    /// The value of `aria-current` for an entry of the navigation, if it is the current one.
    pub fn current(&self, entry: &str) -> Option<&'static str> {
        let is_page = match self.place {
            Place::Users(is_list)
            | Place::Outstanding(is_list)
            | Place::Blacklisted(is_list)
            | Place::Sessions(is_list)
            | Place::AuditLog(is_list) => is_list,
            Place::None | Place::Home | Place::Explain | Place::Mail | Place::Settings | Place::Account => true,
        };
        let name: &str = self.place.into();
        (name == entry).then_some(if is_page { "page" } else { "true" })
    }
}

/// A page without the frame.
pub struct Solo {
    /// The theme.
    pub theme: Theme,
    /// The token for its form.
    pub csrf: String,
    /// The host name of this server.
    pub host: String,
}

impl Solo {
    /// For this request.
    pub fn new(visit: &Visit) -> Self {
        let host = visit.app.config.server.public_url.host_str().unwrap_or_default().to_owned();
        Self { theme: visit.theme, csrf: csrf::token(visit), host }
    }
}

/// Renders a page.
pub fn page(template: &impl Template) -> Result<HttpResponse, PageError> {
    Ok(html(StatusCode::OK, template.render()?))
}

/// An answer with an HTML page.
pub fn html(status: StatusCode, body: String) -> HttpResponse {
    HttpResponse::build(status).content_type("text/html; charset=utf-8").body(body)
}

/// Redirects to a page after a form.
pub fn see(address: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((actix_web::http::header::LOCATION, address)).finish()
}

/// Redirects to the address of the same page.
pub fn moved(address: &str) -> HttpResponse {
    HttpResponse::MovedPermanently().insert_header((actix_web::http::header::LOCATION, address)).finish()
}
