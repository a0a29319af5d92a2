//! A view at its path. `web/mod.rs` lists the endpoints once; the routes, the API document and the navigation of the
//! browsable pages are made from that list.

use std::any::TypeId;

use actix_web::Resource;
use strum::{IntoStaticStr, VariantArray};
use utoipa::openapi::PathItem;

use crate::config::{Config, PathAlias};
use crate::web::VIEWS;

use super::{View, dispatch, openapi};

/// The subject of an endpoint: its heading in the API document. The navigation uses this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, VariantArray)]
pub enum Subject {
    /// Token pairs, and tokens of any type.
    #[strum(serialize = "Token pairs")]
    TokenPairs,
    /// Sliding tokens.
    #[strum(serialize = "Sliding tokens")]
    SlidingTokens,
    /// The caller and their login.
    Account,
    /// The caller's sessions.
    Sessions,
    /// Second factors: logging in with them, and managing them.
    #[strum(serialize = "Second factors")]
    SecondFactors,
    /// Passwords and email addresses.
    #[strum(serialize = "Passwords and addresses")]
    PasswordsAndAddresses,
}

impl Subject {
    /// The heading in the API document.
    pub fn heading(self) -> &'static str {
        self.into()
    }

    /// The heading in the navigation, where small subjects share one.
    pub fn navigation_heading(self) -> &'static str {
        match self {
            Self::Account | Self::Sessions => "Logged in",
            other => other.heading(),
        }
    }
}

/// How the navigation of the pages shows an endpoint.
#[derive(Debug, Clone, Copy)]
pub struct NavigationLink {
    /// The icon before the text.
    pub icon: &'static str,
    /// The text.
    pub text: &'static str,
}

impl NavigationLink {
    /// A link with an icon and a text.
    pub const fn new(icon: &'static str, text: &'static str) -> Self {
        Self { icon, text }
    }
}

/// A view at its path.
pub struct Endpoint {
    /// Its path, without the last slash.
    path: &'static str,
    view: TypeId,
    /// The subject.
    pub subject: Subject,
    /// Its link in the navigation, if it has one.
    pub link: Option<NavigationLink>,
    resource: fn(Vec<String>) -> Resource,
    describe: fn(&str, &Config) -> PathItem,
}

impl Endpoint {
    /// A view at a path, which is given without its last slash.
    pub const fn of<V: View>(path: &'static str) -> Self {
        Self {
            path,
            view: TypeId::of::<V>(),
            subject: V::SUBJECT,
            link: V::LINK,
            resource: |paths| actix_web::web::resource(paths).to(dispatch::<V>),
            describe: openapi::describe::<V>,
        }
    }

    /// The route, also under the paths that `PATH_ALIASES` adds.
    pub fn resource(&self, aliases: &[PathAlias]) -> Resource {
        let is_meant = |alias: &&PathAlias| self.path.strip_prefix("/api/") == Some(alias.endpoint);
        let aliases = aliases.iter().filter(is_meant).flat_map(|alias| with_and_without_slash(&alias.path));
        (self.resource)(spellings(self.path).into_iter().chain(aliases).collect())
    }

    /// The path, and its entry in the API document.
    pub fn describe(&self, config: &Config) -> (String, PathItem) {
        (format!("{}/", self.path), (self.describe)(self.path, config))
    }

    /// The address of the view below `/api/`.
    pub fn address_of_view(&self) -> String {
        address(self.view)
    }
}

/// The address of a view below `/api/`, with the last slash: `token/refresh/`. If a view has several, the first one
/// listed.
pub fn address_of<V: View>() -> String {
    address(TypeId::of::<V>())
}

fn address(view: TypeId) -> String {
    let path = VIEWS.iter().find(|endpoint| endpoint.view == view).map(|endpoint| endpoint.path).unwrap_or_default();
    format!("{}/", path.trim_start_matches("/api/"))
}

/// A path with and without its last slash; paths under `/api/` also under `/api/v1/`.
pub fn spellings(path: &str) -> Vec<String> {
    let versioned = path.strip_prefix("/api/").map(|rest| format!("/api/v1/{rest}"));
    [Some(path.to_owned()), versioned].into_iter().flatten().flat_map(|path| with_and_without_slash(&path)).collect()
}

fn with_and_without_slash(path: &str) -> [String; 2] {
    [format!("{path}/"), path.to_owned()]
}
