//! `/admin/account/time_zone/`: the time zone of this browser. A cookie remembers it, like the theme.

use actix_web::HttpResponse;
use actix_web::cookie::time::Duration;
use actix_web::http::header;
use chrono_tz::{TZ_VARIANTS, Tz};
use serde::Deserialize;

use super::super::access::Staff;
use super::super::address::ACCOUNT;
use super::super::csrf::CsrfForm;
use super::super::error::PageError;
use super::super::layout::{Message, Tone, see};
use super::super::session::ZONE_COOKIE;

/// The time zones of a region.
pub struct Region {
    /// Its name.
    pub name: &'static str,
    /// The name of each zone, its label, and whether it is the current one.
    pub zones: Vec<(&'static str, String, bool)>,
}

/// All zones named after a place, UTC, and `current`.
pub fn regions(current: Tz) -> Vec<Region> {
    let mut regions: Vec<Region> = Vec::new();
    let is_place = |zone: &Tz| zone.name().contains('/') && !zone.name().starts_with("Etc/");
    for zone in TZ_VARIANTS.iter().filter(|zone| is_place(zone) || **zone == Tz::UTC || **zone == current) {
        let (region, place) = zone.name().split_once('/').unwrap_or(("Other", zone.name()));
        let entry = (zone.name(), place.replace('_', " "), *zone == current);
        match regions.iter_mut().find(|known| known.name == region) {
            Some(known) => known.zones.push(entry),
            None => regions.push(Region { name: region, zones: vec![entry] }),
        }
    }
    regions
}

/// The field of the form.
#[derive(Deserialize)]
pub struct Choice {
    #[serde(default)]
    time_zone: String,
}

/// `POST account/time_zone/`: remembers the time zone in this browser for a year.
pub async fn set(staff: Staff, CsrfForm(choice): CsrfForm<Choice>) -> Result<HttpResponse, PageError> {
    let Ok(zone) = choice.time_zone.parse::<Tz>() else {
        let text = "This time zone does not exist. Nothing was changed.".to_owned();
        staff.say(Message { tone: Tone::Bad, text, link: None })?;
        return Ok(see(ACCOUNT));
    };
    let mut cookie = staff.visit.cookie(ZONE_COOKIE, zone.name().to_owned());
    cookie.set_max_age(Duration::days(365));
    let text = format!("Times are now shown in {zone}.");
    staff.say(Message { tone: Tone::Good, text, link: None })?;
    Ok(HttpResponse::SeeOther().insert_header((header::LOCATION, ACCOUNT)).cookie(cookie).finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_zone_of_the_list_can_be_read_again_and_one_is_chosen() {
        for current in [Tz::UTC, Tz::Europe__Berlin, Tz::EST] {
            let regions = regions(current);
            let zones: Vec<_> = regions.iter().flat_map(|region| &region.zones).collect();
            assert!(zones.iter().all(|(name, ..)| name.parse::<Tz>().is_ok()));
            let chosen: Vec<_> = zones.iter().filter(|(.., is_chosen)| *is_chosen).map(|(name, ..)| *name).collect();
            assert_eq!(chosen, [current.name()]);
        }
    }
}
