//! `/admin/settings/`: the effective value, origin and meaning of every setting, with secrets masked; and the security
//! posture. `latchkey check` prints the same settings.

use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;
use strum::VariantArray;

use super::access::Staff;
use super::address::USERS;
use super::error::PageError;
use super::layout::{Layout, Place};
use super::status::{Badge, badge};
use super::words::commas;
use crate::app::App;
use crate::config::posture::{self, Row, Source};
use crate::config::{Config, Effective, SETTINGS, Setting};
use crate::db::DbError;
use crate::db::latchkey_second_factor::PanelRole::{self, Superuser};
use crate::db::latchkey_second_factor::{FactorCoverage, count_without};

/// The settings under one heading.
struct Section {
    name: &'static str,
    id: String,
    settings: Vec<Line>,
}

struct Line {
    name: &'static str,
    value: String,
    is_set: bool,
    origin: &'static str,
    meaning: Vec<Piece>,
}

/// A part of a text: code or words.
struct Piece {
    is_code: bool,
    text: &'static str,
}

/// The requirements of one standard.
struct Standard {
    name: &'static str,
    id: &'static str,
    met: usize,
    rows: Vec<Requirement>,
}

struct Requirement {
    row: Row,
    /// The address of its text, if it has one.
    href: Option<String>,
    badge: Badge,
    fix: Vec<Piece>,
    /// The users who do not meet it: a text and the address of their list.
    missing: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "admin/settings.html")]
struct Page {
    layout: Layout,
    sections: Vec<Section>,
    standards: Vec<Standard>,
    warnings: Vec<String>,
    set: usize,
    met: usize,
    asked: usize,
}

/// `GET /admin/settings/`
pub async fn page(staff: Staff, app: Data<App>) -> Result<HttpResponse, PageError> {
    let without = app.read(|tx| {
        Ok::<_, DbError>([
            count_without(tx.conn, &tx.app.users, Superuser)?,
            count_without(tx.conn, &tx.app.users, PanelRole::Staff)?,
        ])
    });
    let without = without.await?;
    let mut standards = standards(&app.config, app.beside_django);
    for requirement in standards.iter_mut().flat_map(|standard| &mut standard.rows) {
        if requirement.row.variable == Some("SECOND_FACTOR") {
            requirement.missing = without_factors(without);
        }
    }
    super::layout::page(&Page {
        layout: staff.layout(Place::Settings),
        sections: sections(&app),
        warnings: app.config.warnings.iter().chain(app.keys.warnings()).cloned().collect(),
        set: app.config.effective().iter().filter(|setting| !setting.is_default()).count(),
        met: standards.iter().map(|standard| standard.met).sum(),
        asked: standards.iter().map(|standard| standard.rows.len()).sum(),
        standards,
    })
}

/// All settings in the order of their table, under its headings.
fn sections(app: &App) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    for (setting, effective) in SETTINGS.iter().zip(app.config.effective()) {
        let line = line(app, setting, effective);
        match sections.last_mut().filter(|section| section.name == setting.section) {
            Some(section) => section.settings.push(line),
            None => sections.push(Section {
                name: setting.section,
                id: setting.section.to_lowercase().replace(' ', "-"),
                settings: vec![line],
            }),
        }
    }
    sections
}

fn line(app: &App, setting: &'static Setting, effective: &Effective) -> Line {
    Line {
        name: setting.name,
        value: effective.in_force(Some(app.beside_django)).to_owned(),
        is_set: !effective.is_default(),
        origin: effective.origin.word(),
        meaning: pieces(setting.meaning),
    }
}

/// Splits a text with code in backticks.
fn pieces(text: &'static str) -> Vec<Piece> {
    let pieces = text.split('`').enumerate();
    pieces.map(|(at, text)| Piece { is_code: at % 2 == 1, text }).filter(|piece| !piece.text.is_empty()).collect()
}

fn standards(config: &Config, beside_django: bool) -> Vec<Standard> {
    let rows = posture::rows(config, beside_django);
    let standard = |source: Source| {
        let rows: Vec<Requirement> = rows.iter().filter(|row| row.source == source).cloned().map(requirement).collect();
        let id = match source {
            Source::Asvs => "asvs",
            Source::Rfc8725 => "rfc8725",
            Source::Rfc9700 => "rfc9700",
        };
        Standard {
            name: source.name(),
            id,
            met: rows.iter().filter(|requirement| requirement.row.is_met).count(),
            rows,
        }
    };
    Source::VARIANTS.iter().copied().map(standard).collect()
}

fn requirement(row: Row) -> Requirement {
    let section = |rfc: u16| Some(format!("https://www.rfc-editor.org/rfc/rfc{rfc}#section-{}", row.number));
    let href = match row.source {
        Source::Asvs => None,
        Source::Rfc8725 => section(8725),
        Source::Rfc9700 => section(9700),
    };
    let badge = match (row.is_met, row.is_pressing) {
        (true, _) => badge("live", "check", "Met"),
        (false, true) => badge("blacklisted", "alert", "Not met"),
        (false, false) => badge("expired", "minus", "Not met"),
    };
    Requirement { href, badge, fix: pieces(row.fix), row, missing: vec![] }
}

/// The superusers and staff without a second factor.
fn without_factors([superusers, staff]: [FactorCoverage; 2]) -> Vec<(String, String)> {
    let of = |FactorCoverage { people, without }, name: &str, flags: &str| {
        let cut = if people == FactorCoverage::MAX_COUNTED { "the first " } else { "" };
        let text = format!("{} of {cut}{} {name}", commas(without), commas(people));
        (without > 0).then(|| (text, format!("{USERS}?{flags}&is_active=yes&second_factor=no")))
    };
    let superusers =
        of(superusers, if superusers.people == 1 { "superuser" } else { "superusers" }, "is_superuser=yes");
    [superusers, of(staff, "other staff", "is_superuser=no&is_staff=yes")].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_stands_between_backticks() {
        let shown: Vec<_> = pieces("`a` or b").into_iter().map(|piece| (piece.is_code, piece.text)).collect();
        assert_eq!(shown, [(true, "a"), (false, " or b")]);
    }
}
