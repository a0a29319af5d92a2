//! The table of `accounts::endings`, cell by cell: a user with one holding of each kind, something that happens to the
//! account, and what is left then.

use std::time::Duration;

use latchkey::accounts::change::{self, Edit, fingerprint};
use latchkey::accounts::confirm::Confirmed;
use latchkey::accounts::endings::{Effect, Ending, Holding};
use latchkey::accounts::link::{self, Destination};
use latchkey::accounts::{account_session, admin_session, password_reset};
use latchkey::app::Tx;
use latchkey::db::types::{RowId, UserId};
use latchkey::db::users::User;
use latchkey::db::users::profile::Profile;
use latchkey::db::{DbError, latchkey_device, latchkey_recovery_code, latchkey_session};
use latchkey::factors::challenge::{self, EnrolmentBasis, LoginTarget, Purpose};
use latchkey::factors::enrolment::{self, EnrolmentAnswer};
use latchkey::factors::remove::{self, FactorProof};
use latchkey::factors::{answer::FactorResponse, code, remembered_browser};
use latchkey::guard::device;
use latchkey::guard::ticket::LinkPurpose;
use latchkey::journal::authentication::{AuthenticatedBy, FactorKind, Method};
use latchkey::journal::{Actor, Client};
use latchkey::tokens::revoke;
use secrecy::SecretString;
use strum::VariantArray;

use crate::api::second_factor::{stage, totp_at};
use crate::harness::{Backend, Server};

const SECRET: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
const MONTH: Duration = Duration::from_hours(30 * 24);

/// Alice, with one holding of each kind.
struct Stage {
    server: Server,
    alice: User,
    ending: Ending,
    panel_session: String,
    account_session: SecretString,
    browser: SecretString,
    challenge: SecretString,
    pending_login: SecretString,
    reset_link: SecretString,
    email_link: SecretString,
}

fn client() -> Client {
    Client { ip: "192.0.2.7".parse().ok(), ..Client::default() }
}

impl Stage {
    fn new(backend: Backend, ending: Ending) -> Self {
        let server = stage(backend, &[]);
        server.log_in("alice");
        let id = UserId::Integer(server.db.count("SELECT id FROM auth_user WHERE username = 'alice'"));
        if ending != Ending::FirstFactor {
            for (kind, name) in [("totp", "App"), ("email", "Mail")] {
                server.db.execute(&format!(
                    "INSERT INTO latchkey_second_factor (user_id, kind, name, data, created_at) \
                     VALUES ({id}, '{kind}', '{name}', 'x', '2026-03-01 12:00:00')"
                ));
            }
        }
        let alice = server.wait(server.app.read(move |tx| tx.app.users.find(tx.conn, id))).unwrap().unwrap();
        let (user, totp) = (alice.clone(), SecretString::from(SECRET));
        let by = if ending == Ending::FirstFactor {
            AuthenticatedBy::Password
        } else {
            AuthenticatedBy::Factor(Method::Factor(FactorKind::Totp))
        };
        let panel_session = server.wait(admin_session::start(&server.app, &alice, (by, [].into()), &client())).unwrap();
        let held = server.wait(server.app.write(move |tx| {
            let basis = if by == AuthenticatedBy::Password { EnrolmentBasis::Password } else { EnrolmentBasis::Factor };
            let enrol = (Purpose::Enrol(FactorKind::Totp, basis), Some(&totp));
            if by != AuthenticatedBy::Password {
                code::replace(tx, user.id)?;
            }
            Ok::<_, DbError>((
                account_session::open(tx, &user, &client(), by)?,
                remembered_browser::remember(tx, &user, &client())?.expect("SECOND_FACTOR_REMEMBER is on"),
                challenge::begin_with(tx, &user, &client(), enrol)?,
                challenge::begin(tx, &user, &client(), Purpose::Login(LoginTarget::TokenPair))?,
                link_of(tx, LinkPurpose::PasswordReset, &user)?,
                link_of(tx, LinkPurpose::EmailChange, &user)?,
            ))
        }));
        let (account_session, browser, challenge, pending_login, reset_link, email_link) = held.unwrap();
        Self {
            server,
            alice,
            ending,
            panel_session,
            account_session,
            browser,
            challenge,
            pending_login,
            reset_link,
            email_link,
        }
    }

    /// Makes it happen.
    fn happen(&self) {
        let (server, id, by) = (&self.server, self.alice.id, Confirmed::command_line());
        let app = &server.app;
        match self.ending {
            Ending::PasswordChange => server.set_password(id, "another-harbour-18"),
            Ending::PasswordReset => {
                let elsewhere = Client { ip: "203.0.113.9".parse().ok(), ..Client::default() };
                let (token, password) = (self.reset_link.clone(), "another-harbour-18".into());
                server.wait(password_reset::confirm(app, token, password, &elsewhere)).map(drop).unwrap();
            }
            Ending::EmailChange => {
                let old = Profile::from(&self.alice);
                let edit = Edit { of: fingerprint(&old), new: Profile { email: "new@example.com".to_owned(), ..old } };
                assert!(server.wait(change::update(app, &by, id, edit)).unwrap());
            }
            Ending::Deactivation => server.set_active(id, false),
            Ending::Deletion => server.delete(id),
            Ending::FirstFactor => drop(server.enrol_totp("alice")),
            Ending::FactorRemoval => {
                let (alice, by) = (self.alice.clone(), AuthenticatedBy::Factor(Method::Recovery));
                let opened = app.write(move |tx| account_session::open(tx, &alice, &client(), by));
                let session = server.wait(account_session::find(app, server.wait(opened).unwrap())).unwrap().unwrap();
                let proof = FactorProof::AccountSession(session.clone());
                assert!(server.wait(remove::remove(app, proof, self.a_factor(), &client())).unwrap());
                // The session in which it was done goes on.
                assert!(server.wait(app.read(move |tx| session.is_still_open(tx))).unwrap());
            }
            Ending::LastFactorRemoval => {
                assert!(server.wait(remove::remove_of(app, &by, id, self.a_factor())).unwrap());
            }
            Ending::LogoutByAdmin => {
                assert_eq!(server.wait(revoke::blacklist_all_of(app, &Actor::command_line(), id)).unwrap(), (1, 1));
            }
        }
    }

    fn a_factor(&self) -> RowId {
        RowId(self.server.db.count("SELECT min(id) FROM latchkey_second_factor"))
    }

    /// Whether it can still be used.
    fn is_left(&self, holding: Holding) -> bool {
        let (server, app, id) = (&self.server, &self.server.app, self.alice.id);
        match holding {
            Holding::Sessions => {
                let now = app.now();
                let live = app.read(move |tx| latchkey_session::list_newest_live_of(tx.conn, id, now, 9));
                !server.wait(live).unwrap().is_empty()
            }
            Holding::PanelSessions => server.wait(admin_session::find(app, &self.panel_session)).unwrap().is_some(),
            Holding::AccountSessions => {
                server.wait(account_session::find(app, self.account_session.clone())).unwrap().is_some()
            }
            Holding::RememberedBrowsers => {
                let token = self.browser.clone();
                self.of_user(move |tx, user| remembered_browser::recognise(tx, user, &token, &client()))
            }
            Holding::Challenges => {
                let code = totp_at(SECRET, server.time());
                let response = FactorResponse::Code(code.into());
                let answer = EnrolmentAnswer { token: self.challenge.clone(), response, name: None };
                match self.ending {
                    // It can only be finished while there is no factor.
                    Ending::FirstFactor => server.wait(enrolment::finish(app, answer, &client())).is_ok(),
                    _ => server.wait(enrolment::check(app, answer, |_| true)).is_ok(),
                }
            }
            Holding::PendingLogins => {
                let token = self.pending_login.clone();
                let found = app.read(move |tx| challenge::find(tx, &token, |_| true));
                server.wait(found).unwrap().is_some()
            }
            Holding::ResetLinks => self.is_link_good(LinkPurpose::PasswordReset, &self.reset_link),
            Holding::EmailLinks => self.is_link_good(LinkPurpose::EmailChange, &self.email_link),
            Holding::Devices => {
                let since = app.now() - MONTH;
                self.of_user(move |tx, user| latchkey_device::is_known(tx.conn, user.id, &client().network(), since))
            }
            Holding::RecoveryCodes => {
                self.of_user(|tx, user| Ok(!latchkey_recovery_code::list_unused(tx.conn, user.id)?.is_empty()))
            }
        }
    }

    fn is_link_good(&self, purpose: LinkPurpose, token: &SecretString) -> bool {
        let token = token.clone();
        self.server.wait(self.server.app.read(move |tx| link::find(tx, purpose, &token))).unwrap().is_some()
    }

    /// Asks about the user as they are now; `false` if they are gone.
    fn of_user(&self, ask: impl Fn(&mut Tx<'_>, &User) -> Result<bool, DbError> + Send + 'static) -> bool {
        let id = self.alice.id;
        let asked = self.server.app.write(move |tx| match tx.app.users.find(tx.conn, id)? {
            Some(user) => ask(tx, &user),
            None => Ok(false),
        });
        self.server.wait(asked).unwrap()
    }
}

fn link_of(tx: &mut Tx<'_>, purpose: LinkPurpose, user: &User) -> Result<SecretString, DbError> {
    device::remember(tx, user, &client())?;
    let to = Destination { email: &user.email, network: String::new() };
    link::make(tx, purpose, user, to).map(|(token, _)| token)
}

fn every_cell_is_true(backend: Backend, ending: Ending) {
    for holding in Holding::VARIANTS {
        // Asking may use it up, so each cell has a user of its own.
        let stage = Stage::new(backend, ending);
        stage.happen();
        let is_left = ending.effect(*holding) == Effect::Stays;
        assert_eq!(stage.is_left(*holding), is_left, "{ending:?}: {holding:?}");
    }
}

both!(every_ending_ends_what_the_table_says);
fn every_ending_ends_what_the_table_says(backend: Backend) {
    for ending in Ending::VARIANTS {
        every_cell_is_true(backend, *ending);
    }
}

both!(every_holding_can_be_used_before);
fn every_holding_can_be_used_before(backend: Backend) {
    for ending in [Ending::FirstFactor, Ending::FactorRemoval] {
        // Recovery codes come with the first factor.
        let has_codes = ending != Ending::FirstFactor;
        for holding in Holding::VARIANTS.iter().filter(|holding| has_codes || **holding != Holding::RecoveryCodes) {
            assert!(Stage::new(backend, ending).is_left(*holding), "{holding:?}");
        }
    }
}
