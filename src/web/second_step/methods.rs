//! The methods by which a challenge can be answered, in words: the one that is shown, and buttons for the others.

use crate::journal::authentication::{FactorKind, Method};

/// A passkey.
pub const PASSKEY: Method = Method::Factor(FactorKind::Passkey);
/// A code in a mail.
pub const EMAIL: Method = Method::Factor(FactorKind::Email);
/// A code of an authenticator app.
const APP: Method = Method::Factor(FactorKind::Totp);

/// The methods in the order in which they are offered.
const ORDER: [Method; 4] = [PASSKEY, APP, EMAIL, Method::Recovery];

/// The methods that a user has, and the one that is shown.
pub struct Methods {
    all: Vec<Method>,
    /// The one that is shown.
    pub chosen: Method,
    /// Whether a code was mailed.
    was_sent: bool,
}

impl Methods {
    /// Chooses the best of these.
    pub fn best_of(all: Vec<Method>) -> Self {
        let chosen = ORDER.into_iter().find(|method| all.contains(method)).unwrap_or(Method::Recovery);
        Self { all, chosen, was_sent: false }
    }

    /// Reads the hidden field of the form.
    pub fn read(names: &str, chosen: Method) -> Self {
        Self { all: names.split(',').filter_map(Method::of).collect(), chosen, was_sent: chosen == EMAIL }
    }

    /// For the hidden field of the form.
    pub fn names(&self) -> String {
        self.all.iter().map(|method| method.name()).collect::<Vec<_>>().join(",")
    }

    /// The name of the method that is shown.
    pub fn chosen_name(&self) -> &'static str {
        self.chosen.name()
    }

    /// The title of the page.
    pub fn title(&self) -> &'static str {
        match self.chosen {
            PASSKEY => "Use your passkey",
            APP => "Enter the code from your app",
            EMAIL if self.was_sent => "Enter the code from the mail",
            EMAIL => "Get a code by email",
            _ => "Enter a recovery code",
        }
    }

    /// What to do, below the title.
    pub fn lede(&self) -> &'static str {
        match self.chosen {
            PASSKEY => "Your password is correct. Now confirm the login with your phone, computer or security key.",
            APP => "Your password is correct. Now enter the six-digit code from your authenticator app.",
            EMAIL if self.was_sent => {
                "Enter the six-digit code. If it doesn’t arrive within a few minutes, check your spam folder."
            }
            EMAIL => "Your password is correct. We can send a code to the email address you chose for this.",
            _ => "Enter one of the recovery codes you saved. Each works once.",
        }
    }

    /// Whether a code has to be sent before one can be entered.
    pub fn asks_to_send(&self) -> bool {
        self.chosen == EMAIL && !self.was_sent
    }

    /// Whether the code is a number.
    pub fn takes_digits(&self) -> bool {
        self.chosen != Method::Recovery
    }

    /// The error after a wrong answer.
    pub fn wrong(&self) -> &'static str {
        match self.chosen {
            PASSKEY => "This passkey was not accepted. Try again, or choose another method.",
            _ => "The code is wrong or was used before. Try another one.",
        }
    }

    /// The buttons for the other methods: the value of each and its text.
    pub fn others(&self) -> Vec<(&'static str, &'static str)> {
        let words = |method| match method {
            PASSKEY => "Use a passkey",
            APP => "Use a code from your app",
            EMAIL if self.chosen == EMAIL => "Send another code",
            EMAIL => "Get a code by email",
            _ => "Use a recovery code",
        };
        let is_other = |method: &Method| *method != self.chosen || (*method == EMAIL && self.was_sent);
        let others = ORDER.into_iter().filter(|method| self.all.contains(method)).filter(is_other);
        others.map(|method| (method.name(), words(method))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(methods: &Methods) -> Vec<&'static str> {
        methods.others().into_iter().map(|(_, words)| words).collect()
    }

    #[test]
    fn the_best_method_comes_first_and_the_others_are_offered() {
        let methods = Methods::best_of(Method::all().collect());
        assert_eq!((methods.chosen, &*methods.names()), (PASSKEY, "email,totp,passkey,recovery"));
        assert_eq!(words(&methods), ["Use a code from your app", "Get a code by email", "Use a recovery code"]);
    }

    #[test]
    fn a_user_with_one_method_is_offered_no_other() {
        for method in Method::all() {
            let methods = Methods::best_of(vec![method]);
            assert_eq!((methods.chosen, words(&methods).len()), (method, 0));
        }
    }

    #[test]
    fn a_code_by_email_is_sent_before_it_is_typed_and_can_be_sent_again() {
        let before = Methods::best_of(vec![EMAIL, Method::Recovery]);
        assert_eq!((before.title(), words(&before)), ("Get a code by email", vec!["Use a recovery code"]));
        let sent = Methods::read("email,recovery,nonsense", EMAIL);
        assert_eq!(sent.title(), "Enter the code from the mail");
        assert_eq!(words(&sent), ["Send another code", "Use a recovery code"]);
    }
}
