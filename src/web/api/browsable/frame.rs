//! The frame of every page of the API: the navigation, and the endpoint that the page is about.

use strum::VariantArray;

use crate::web::VIEWS;

use super::super::endpoint::address_of;
use super::super::{NavigationLink, Subject, View};

/// The links of the navigation under one heading.
pub struct LinkGroup {
    /// The heading.
    pub heading: &'static str,
    /// Each link, and its address relative to `Frame::base`.
    pub links: Vec<(NavigationLink, String)>,
}

/// The navigation: the endpoints that have a link, grouped by subject.
pub fn navigation() -> Vec<LinkGroup> {
    let mut headings: Vec<_> = Subject::VARIANTS.iter().map(|subject| subject.navigation_heading()).collect();
    headings.dedup();
    let group = |heading| {
        let endpoints = VIEWS.iter().filter(|endpoint| endpoint.subject.navigation_heading() == heading);
        let mut links: Vec<_> =
            endpoints.filter_map(|endpoint| Some((endpoint.link?, endpoint.address_of_view()))).collect();
        links.dedup_by(|one, other| one.1 == other.1);
        LinkGroup { heading, links }
    };
    headings.into_iter().map(group).collect()
}

/// The frame of a page.
#[derive(Clone)]
pub struct Frame {
    /// The address of the page.
    pub here: String,
    /// The beginning of all endpoints' addresses.
    pub base: &'static str,
    /// The address of the page's view relative to `base`; empty if the page is not about one.
    address: String,
}

impl Frame {
    /// The frame of a page that is not about an endpoint.
    pub fn new(path: &str) -> Self {
        let base = if path.starts_with("/api/v1/") { "/api/v1/" } else { "/api/" };
        Self { here: path.to_owned(), base, address: String::new() }
    }

    /// The frame of a view's page at this path.
    pub fn of<V: View>(path: &str) -> Self {
        Self { address: address_of::<V>(), ..Self::new(path) }
    }

    /// Whether the page is about the endpoint at this address.
    pub fn is_at(&self, address: &str) -> bool {
        self.address == address
    }

    /// Whether the page is about this view.
    pub fn is_about<V: View>(&self) -> bool {
        self.is_at(&address_of::<V>())
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::logout::Logout;
    use super::super::super::me::Me;
    use super::super::super::token::{Obtain, Refresh};
    use super::*;

    #[test]
    fn a_page_knows_its_place_with_and_without_a_slash() {
        for path in ["/api/token/", "/api/token", "/api/v1/token"] {
            let frame = Frame::of::<Obtain>(path);
            assert!(frame.is_at("token/") && frame.is_about::<Obtain>() && !frame.is_about::<Refresh>(), "{path}");
        }
        assert_eq!(Frame::of::<Me>("/api/v1/me").base, "/api/v1/");
        assert!(Frame::of::<Logout>("/logout_token/").is_at("logout/"));
    }

    #[test]
    fn the_navigation_has_every_view_with_a_link_once() {
        let groups = navigation();
        let links: Vec<_> = groups.iter().flat_map(|group| &group.links).map(|(_, address)| address.as_str()).collect();
        assert!(links.contains(&"token/refresh/") && links.contains(&"second-factors/"));
        assert_eq!(links.iter().filter(|address| address.contains("logout")).count(), 1);
        assert!(groups.iter().all(|group| !group.links.is_empty()));
    }
}
