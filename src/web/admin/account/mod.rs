//! `/admin/account/`: "My account", for staff and superusers: their password (`password`), their sessions (`sessions`) and
//! their time zone (`time_zone`). The form for the theme is in `login`.

pub mod password;
pub mod sessions;
pub mod time_zone;

use std::sync::Arc;

use actix_web::HttpResponse;
use askama::Template;

use super::access::Staff;
use super::address::ACCOUNT;
use super::error::PageError;
use super::form::{Errors, Input};
use super::layout::{Layout, Place, page};
use super::status::{self, Badge};
use super::user::factors::{self, SecondFactors};
use super::user::sections::SessionRow;
use super::words::When;
use crate::accounts::email_change;
use crate::accounts::policy::{self, PasswordRule};
use crate::db::types::UserId;
use sessions::PanelRow;
use time_zone::Region;

#[derive(Template)]
#[template(path = "admin/account.html")]
struct Account {
    layout: Layout,
    id: UserId,
    email: String,
    confirmed: Option<When>,
    badges: Vec<Badge>,
    passwords: [Input; 3],
    rules: Vec<PasswordRule>,
    errors: Vec<(String, &'static str, String)>,
    second: SecondFactors,
    panel_sessions: Vec<PanelRow>,
    api_sessions: Vec<SessionRow>,
    regions: Vec<Region>,
}

/// `GET account/`
pub async fn show(staff: Staff) -> Result<HttpResponse, PageError> {
    render(&staff, &Errors::default()).await
}

async fn render(staff: &Staff, errors: &Errors) -> Result<HttpResponse, PageError> {
    let mut layout = staff.layout(Place::Account);
    ACCOUNT.clone_into(&mut layout.here);
    let user = staff.user.clone();
    let confirmed = app(staff).read(move |tx| email_change::confirmed_at(tx.conn, &user)).await?;
    let overview = factors::overview(staff, &staff.user).await?;
    page(&Account {
        email: staff.user.email.clone(),
        confirmed: confirmed.map(|at| When::new(at, staff.reader())),
        id: staff.user.id,
        badges: status::rights(staff.user.is_active, staff.user.is_staff, staff.user.is_superuser),
        passwords: password::inputs(errors),
        rules: policy::rules_of(&staff.visit.app, &staff.user).await?,
        errors: errors.summary(&password::LABELS),
        second: SecondFactors::new(app(staff), &staff.user, overview, staff.reader()),
        panel_sessions: sessions::panel(staff).await?,
        api_sessions: sessions::api(staff).await?,
        regions: time_zone::regions(layout.reader.zone),
        layout,
    })
}

/// The shared parts of the server.
fn app(staff: &Staff) -> &Arc<crate::app::App> {
    &staff.visit.app
}
