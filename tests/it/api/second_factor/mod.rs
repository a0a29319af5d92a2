//! Second factors over the API: each file is one side of them. Here stands what all of them begin with.

mod another;
mod enrolment;
mod guessing;
mod login;
mod mailed;
mod own;
mod passkeys;
mod remembered;
mod required;
mod secrets;
mod ways;

use latchkey::db::types::UserId;
use latchkey::factors::code;
use serde_json::{Value, json};
use totp_rs::{Builder, Secret};

use crate::harness::{Answer, Authenticator, Backend, PASSWORD, Pair, Server, Smtp, forge};

pub const LOGIN: &str = "/api/token/";
pub const FINISH: &str = "/api/token/second-factor/";
pub const FACTORS: &str = "/api/second-factors/";
pub const CHALLENGE: &str = "/api/second-factors/challenge/";
pub const FACTOR_REQUIRED: &str = "You already have a second factor: answer a challenge with it first.";
pub const CONFIRM: &str = "/api/second-factors/confirm/";

/// A server with `alice`.
pub fn stage(backend: Backend, settings: &[(&str, &str)]) -> Server {
    let server = Server::with(backend, settings);
    server.add_user("alice");
    server
}

/// The same with a mail server.
pub fn stage_with_mail(backend: Backend, settings: &[(&str, &str)]) -> (Smtp, Server) {
    let smtp = Smtp::start();
    let url = smtp.url();
    let server = stage(backend, &[&[("EMAIL_URL", url.as_str())], settings].concat());
    (smtp, server)
}

/// What an authenticator app shows at a time.
pub fn totp_at(secret: &str, at: i64) -> String {
    let secret = Secret::try_from_base32(secret).unwrap();
    let totp = Builder::new().with_secret(secret).with_account_name("x").build().unwrap();
    totp.generate(u64::try_from(at).unwrap()).to_string()
}

#[track_caller]
pub fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}")).to_owned()
}

/// An authenticator app, and the recovery codes that came with it.
pub struct App {
    pub secret: String,
    pub recovery_codes: Vec<String>,
    pub id: i64,
}

#[track_caller]
pub fn assert_wrong(answer: &Answer) {
    let body = json!({"detail": "The code is wrong or was used before.", "code": "second_factor_not_valid"});
    assert_eq!((answer.status, answer.json()), (401, body));
}

#[track_caller]
pub fn assert_no_challenge(answer: &Answer) {
    let body = json!({"detail": "The challenge is invalid or has expired.", "code": "challenge_not_valid"});
    assert_eq!((answer.status, answer.json()), (401, body));
}

impl Server {
    /// The server's time, in seconds.
    pub fn time(&self) -> i64 {
        self.app.now().timestamp()
    }

    /// What the app shows now.
    pub fn totp(&self, app: &App) -> String {
        totp_at(&app.secret, self.time())
    }

    /// A passkey in a browser at the server's own address.
    pub fn authenticator(&self, name: &str) -> Authenticator {
        Authenticator::new(name, self.app.config.server.public_origin())
    }

    /// Begins to add a factor. Who has one already shows a recovery code that is made for it.
    pub fn begin_factor(&self, access: &str, kind: &str) -> Answer {
        let mut body = json!({"kind": kind, "password": PASSWORD});
        let answer = self.client.bearer("POST", FACTORS, access, &body);
        if answer.json()["challenge"][0] != FACTOR_REQUIRED {
            return answer;
        }
        body["challenge"] = self.confirm_challenge(access).into();
        body["method"] = "recovery".into();
        body["code"] = self.spare_code(access).into();
        self.client.bearer("POST", FACTORS, access, &body)
    }

    /// A challenge for what only takes a factor.
    #[track_caller]
    pub fn confirm_challenge(&self, access: &str) -> String {
        text(&self.client.bearer("POST", CHALLENGE, access, &json!({})).expect_status(200).json(), "challenge")
    }

    /// One recovery code more for whose token this is.
    fn spare_code(&self, access: &str) -> &'static str {
        const CODE: &str = "spare-codes";
        let user = forge::claims(access)["user_id"].as_str().unwrap().parse().unwrap();
        let hash = code::recovery_hash(&self.app, UserId::Integer(user), &CODE.into());
        self.db.execute(&format!("DELETE FROM latchkey_recovery_code WHERE code_hash = '{hash}'"));
        let insert = "INSERT INTO latchkey_recovery_code (user_id, code_hash, created_at)";
        self.db.execute(&format!("{insert} VALUES ({user}, '{hash}', '2026-01-01 00:00:00+00:00')"));
        CODE
    }

    /// Enrols an authenticator app for a user without factors. Its code is used up then, and its step is over.
    #[track_caller]
    pub fn enrol_totp(&self, username: &str) -> App {
        let access = self.log_in(username).access;
        let started = self.begin_factor(&access, "totp").expect_status(200).json();
        let (enrolment, secret) = (text(&started, "enrolment"), text(&started, "secret"));
        let code = totp_at(&secret, self.time());
        let done = self.client.post(CONFIRM, &json!({"enrolment": enrolment, "code": code}));
        let done = done.expect_status(200).json();
        let codes = done["recovery_codes"].as_array().expect("recovery codes").iter();
        let recovery_codes = codes.map(|code| code.as_str().unwrap().to_owned()).collect();
        self.advance(30);
        App { secret, recovery_codes, id: done["factor"]["id"].as_i64().unwrap() }
    }

    /// Enrols codes by email.
    #[track_caller]
    pub fn enrol_email(&self, smtp: &Smtp, access: &str) -> Value {
        let started = self.begin_factor(access, "email").expect_status(200).json();
        let code = self.mailed_code(smtp);
        self.client.post(CONFIRM, &json!({"enrolment": started["enrolment"], "code": code})).expect_status(200).json()
    }

    /// Enrols a passkey.
    #[track_caller]
    pub fn enrol_passkey(&self, access: &str, passkey: &mut Authenticator) -> Value {
        let started = self.begin_factor(access, "passkey").expect_status(200).json();
        let credential = passkey.create(&started["options"]);
        let body = json!({"enrolment": started["enrolment"], "credential": credential, "name": "Key"});
        self.client.post(CONFIRM, &body).expect_status(200).json()
    }

    /// The code of the last mail.
    #[track_caller]
    pub fn mailed_code(&self, smtp: &Smtp) -> String {
        self.deliver_mail();
        let mails = smtp.received();
        let is_code = |word: &&str| word.len() == 6 && word.bytes().all(|byte| byte.is_ascii_digit());
        let found = mails.iter().rev().find_map(|mail| mail.text.split_whitespace().find(is_code));
        found.unwrap_or_else(|| panic!("no code in {mails:?}")).to_owned()
    }

    /// The challenge of a login with the right password.
    #[track_caller]
    pub fn challenge(&self, username: &str) -> String {
        let answer = self.obtain(username, PASSWORD);
        answer.expect_status(401);
        text(&answer.json(), "challenge")
    }

    pub fn answer(&self, challenge: &str, method: &str, code: &str) -> Answer {
        self.client.post(FINISH, &json!({"challenge": challenge, "method": method, "code": code}))
    }

    /// A whole login with an authenticator app; its step is over then.
    #[track_caller]
    pub fn log_in_with(&self, username: &str, app: &App) -> Pair {
        let pair = Pair::of(&self.answer(&self.challenge(username), "totp", &self.totp(app)));
        self.advance(30);
        pair
    }

    pub fn factor_rows(&self) -> i64 {
        self.db.count("SELECT count(*) FROM latchkey_second_factor")
    }
}
