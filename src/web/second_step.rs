//! The second step of a login in a browser: one way to answer is shown, the best that there is; the others are a button
//! away. The panel's login and that of one's own account show it; each page with a question to a passkey makes the
//! question before worthless.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use secrecy::SecretString;

use crate::factors::answer::{Answer, FactorResponse};
use crate::guard::throttle::Wait;
use crate::journal::authentication::{FactorKind, Method};
use crate::web::words::length;

/// By a passkey.
pub const PASSKEY: Method = Method::Factor(FactorKind::Passkey);
/// By a code in a mail.
pub const EMAIL: Method = Method::Factor(FactorKind::Email);
const APP: Method = Method::Factor(FactorKind::Totp);

/// The best one first.
const ORDER: [Method; 4] = [PASSKEY, APP, EMAIL, Method::Recovery];

/// How a challenge can be answered, and which way is shown.
pub struct Ways {
    methods: Vec<Method>,
    /// The one that is shown.
    pub chosen: Method,
    /// Whether a mailed code can be typed.
    pub was_sent: bool,
}

impl Ways {
    /// The best of these.
    pub fn best_of(methods: Vec<Method>) -> Self {
        let chosen = ORDER.into_iter().find(|method| methods.contains(method)).unwrap_or(Method::Recovery);
        Self { methods, chosen, was_sent: false }
    }

    /// As the form has them: all, and the one that was chosen.
    pub fn read(names: &str, chosen: Method) -> Self {
        Self { methods: names.split(',').filter_map(Method::of).collect(), chosen, was_sent: chosen == EMAIL }
    }

    /// For the form.
    pub fn names(&self) -> String {
        self.methods.iter().map(|method| method.name()).collect::<Vec<_>>().join(",")
    }

    /// The page's title.
    pub fn title(&self) -> &'static str {
        match self.chosen {
            PASSKEY => "Use your passkey",
            APP => "Enter the code from your app",
            EMAIL if self.was_sent => "Enter the code from the mail",
            EMAIL => "Get a code by email",
            _ => "Enter a recovery code",
        }
    }

    /// What to do.
    pub fn lede(&self) -> &'static str {
        match self.chosen {
            PASSKEY => "Your password is right. Now show that it is you, with your phone, computer or security key.",
            APP => "Your password is right. Now type the six digits that your authenticator app shows.",
            EMAIL if self.was_sent => "Six digits. Nothing there after a few minutes? Look among the unwanted mail.",
            EMAIL => {
                "Your password is right. Press the button, and a code is sent to the address that you chose for it."
            }
            _ => "One of the ten that you kept. Each is good once.",
        }
    }

    /// Whether a code has to be sent before one can be typed.
    pub fn asks_to_send(&self) -> bool {
        self.chosen == EMAIL && !self.was_sent
    }

    /// Whether the code is a number.
    pub fn takes_digits(&self) -> bool {
        self.chosen != Method::Recovery
    }

    /// What was wrong with the answer.
    pub fn wrong(&self) -> &'static str {
        match self.chosen {
            PASSKEY => "This passkey was not accepted. Try it again, or use another way.",
            _ => "The code is wrong or was used before. Try another one.",
        }
    }

    /// The other ways: the word, and what its button says.
    pub fn others(&self) -> Vec<(&'static str, &'static str)> {
        let words = |method| match method {
            PASSKEY => "Use a passkey",
            APP => "Use a code from your app",
            EMAIL if self.chosen == EMAIL => "Send another code",
            EMAIL => "Get a code by email",
            _ => "Use a recovery code",
        };
        let is_other = |method: &Method| *method != self.chosen || (*method == EMAIL && self.was_sent);
        let others = ORDER.into_iter().filter(|method| self.methods.contains(method)).filter(is_other);
        others.map(|method| (method.name(), words(method))).collect()
    }
}

/// Why an answer, or the wish for a code, was not looked at.
pub fn too_many(wait: Wait) -> String {
    format!("Too many tries. Nothing was done this time. Try again in {}.", length(wait.seconds()))
}

/// Says the same in the head of the page, unless that leads elsewhere.
pub fn delay(page: &mut HttpResponse, wait: Wait) {
    if page.status() == StatusCode::OK {
        *page.status_mut() = StatusCode::TOO_MANY_REQUESTS;
        page.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.seconds()));
    }
}

/// What a form answers.
pub fn answer(challenge: SecretString, method: Method, code: String, credential: &str) -> Answer {
    let response = match method {
        // What is no JSON is no passkey either.
        PASSKEY => FactorResponse::Passkey(serde_json::from_str(credential).unwrap_or_default()),
        _ => FactorResponse::Code(code.into()),
    };
    Answer { challenge, method, response }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(ways: &Ways) -> Vec<&'static str> {
        ways.others().into_iter().map(|(_, words)| words).collect()
    }

    #[test]
    fn the_best_way_comes_first_and_the_others_are_offered() {
        let ways = Ways::best_of(Method::all().collect());
        assert_eq!((ways.chosen, &*ways.names()), (PASSKEY, "email,totp,passkey,recovery"));
        assert_eq!(words(&ways), ["Use a code from your app", "Get a code by email", "Use a recovery code"]);
    }

    #[test]
    fn who_has_one_way_is_offered_no_other() {
        for method in Method::all() {
            let ways = Ways::best_of(vec![method]);
            assert_eq!((ways.chosen, words(&ways).len()), (method, 0));
        }
    }

    #[test]
    fn a_code_by_email_is_sent_before_it_is_typed_and_can_be_sent_again() {
        let before = Ways::best_of(vec![EMAIL, Method::Recovery]);
        assert_eq!((before.title(), words(&before)), ("Get a code by email", vec!["Use a recovery code"]));
        let sent = Ways::read("email,recovery,nonsense", EMAIL);
        assert_eq!(sent.title(), "Enter the code from the mail");
        assert_eq!(words(&sent), ["Send another code", "Use a recovery code"]);
    }
}
