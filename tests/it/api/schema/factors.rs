//! How the documented answers about second factors come about. Each has somebody of its own, for what they have is used up.

use serde_json::{Value, json};

use super::Stage;
use crate::api::second_factor::{App, CONFIRM, FACTORS, FINISH, text};
use crate::harness::{Answer, PASSWORD};

const EMAIL: &str = "/api/token/second-factor/email/";

/// Somebody with an authenticator app.
struct Person {
    name: String,
    access: String,
    app: App,
}

impl Stage {
    fn person(&self) -> Person {
        let name = self.add_person();
        let access = self.server.log_in(&name).access;
        Person { app: self.server.enrol_totp(&name), access, name }
    }

    fn add_person(&self) -> String {
        let name = format!("person{}", self.server.db.count("SELECT count(*) FROM auth_user"));
        self.server.add_user(&name);
        name
    }

    /// The challenge of a login of somebody who has to enrol.
    fn enrolment(&self) -> Answer {
        let id = self.server.db.count(&format!("SELECT id FROM auth_user WHERE username = '{}'", self.add_person()));
        self.server.db.execute(&format!(
            "UPDATE latchkey_user SET second_factor_required = {} WHERE user_id = {id}",
            self.server.db.backend.pick("1", "true")
        ));
        let name = self.server.text(&format!("SELECT username AS t FROM auth_user WHERE id = {id}"));
        self.server.obtain(&name, PASSWORD)
    }

    /// The request of a person, with a challenge that it needs and this code.
    fn answered(&self, method: &str, path: &str, person: &Person, code: &str) -> Answer {
        let challenge = if path == FINISH {
            self.server.challenge(&person.name)
        } else {
            let begun = self.server.client.bearer("POST", "/api/second-factors/challenge/", &person.access, &json!({}));
            text(&begun.json(), "challenge")
        };
        let body = json!({"challenge": challenge, "method": "totp", "code": code});
        self.server.client.bearer(method, path, &person.access, &body)
    }

    /// Brings a documented error about, if it is one of second factors.
    pub fn provoke_factor(&self, method: &str, path: &str, name: &str) -> Option<Answer> {
        let post = |body: Value| self.server.client.post(path, &body);
        Some(match (path, name) {
            (_, "second_factor_required") => post(json!({"username": self.person().name, "password": PASSWORD})),
            (_, "second_factor_enrolment_required") => self.enrolment(),
            (FACTORS, "bad_challenge") => post(json!({"kind": "totp", "challenge": "x"})),
            (CONFIRM, "bad_challenge") => post(json!({"enrolment": "x", "code": "1"})),
            (_, "bad_challenge") => {
                let body = json!({"challenge": "x", "method": "totp", "code": "1"});
                self.server.client.bearer(method, &path.replace("{id}", "1"), &self.caller, &body)
            }
            (CONFIRM, "wrong_code") => {
                let begun = self.server.begin_factor(&self.caller, "totp").json();
                post(json!({"enrolment": begun["enrolment"], "code": "1"}))
            }
            (_, "wrong_code") => self.answered(method, &path.replace("{id}", "1"), &self.person(), "1"),
            (EMAIL, "throttled") => {
                let begun = self.server.begin_factor(&self.caller, "email").json();
                self.until_throttled(|| post(json!({"challenge": begun["enrolment"]})))
            }
            (FACTORS, "throttled") => {
                let body = json!({"kind": "totp", "password": "wrong"});
                self.until_throttled(|| self.server.client.bearer("POST", path, &self.caller, &body))
            }
            (_, "throttled") if path == FINISH || path.starts_with(FACTORS) => {
                let person = self.person();
                self.until_throttled(|| self.answered(method, &path.replace("{id}", "1"), &person, "1"))
            }
            (_, "no_email" | "no_passkey") => post(json!({"challenge": "x"})),
            (_, "bad_kind") => self.server.begin_factor(&self.caller, "x"),
            (_, "factor_required") => {
                let body = json!({"kind": "passkey", "password": PASSWORD});
                self.server.client.bearer(method, path, &self.person().access, &body)
            }
            (_, "kind_exists") => self.server.begin_factor(&self.person().access, "totp"),
            ("/api/second-factors/challenge/", "no_second_factor") | (_, "no_browser") => {
                self.send(method, path, &[], "")
            }
            (_, "no_second_factor") => {
                let person = self.person();
                self.answered(method, &path.replace("{id}", "0"), &person, &self.server.totp(&person.app))
            }
            _ => return None,
        })
    }

    /// A request that succeeds, if the path is one of second factors.
    pub fn succeed_factor(&self, method: &str, path: &str) -> Option<Answer> {
        let post = |body: Value| self.server.client.post(path, &body);
        Some(match (method, path) {
            (_, EMAIL) => {
                let begun = self.server.begin_factor(&self.caller, "email").json();
                post(json!({"challenge": begun["enrolment"]}))
            }
            (_, "/api/token/second-factor/passkey/") => {
                let name = self.add_person();
                let access = self.server.log_in(&name).access;
                self.server.enrol_passkey(&access, &mut self.server.authenticator(&name));
                post(json!({"challenge": self.server.challenge(&name)}))
            }
            ("POST", FACTORS) => self.server.begin_factor(&self.caller, "totp"),
            (_, CONFIRM) => {
                let challenge = text(&self.enrolment().json(), "challenge");
                let begun = self.server.client.post(FACTORS, &json!({"kind": "totp", "challenge": challenge})).json();
                let code = crate::api::second_factor::totp_at(&text(&begun, "secret"), self.server.time());
                post(json!({"enrolment": begun["enrolment"], "code": code, "challenge": challenge}))
            }
            (_, "/api/second-factors/challenge/") => {
                self.server.client.bearer("POST", path, &self.person().access, &json!({}))
            }
            (_, "/api/second-factors/browsers/{id}/") => {
                let person = self.person();
                let body = json!({
                    "challenge": self.server.challenge(&person.name),
                    "method": "totp",
                    "code": self.server.totp(&person.app),
                    "remember": true,
                });
                self.server.client.post(FINISH, &body).expect_status(200);
                let listed = self.server.client.bearer("GET", FACTORS, &person.access, &Value::Null).json();
                let path = path.replace("{id}", listed["browsers"][0]["id"].as_str().unwrap());
                self.server.client.bearer(method, &path, &person.access, &Value::Null)
            }
            ("POST" | "DELETE", FINISH | "/api/second-factors/recovery-codes/" | "/api/second-factors/{id}/") => {
                let person = self.person();
                let path = path.replace("{id}", &person.app.id.to_string());
                self.answered(method, &path, &person, &self.server.totp(&person.app))
            }
            _ => return None,
        })
    }

    fn until_throttled(&self, request: impl Fn() -> Answer) -> Answer {
        let refused = (0..40).map(|_| request()).find(|answer| answer.status == 429);
        self.server.db.execute("DELETE FROM latchkey_throttle");
        refused.expect("it is throttled")
    }
}
