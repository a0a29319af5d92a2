//! OWASP ASVS 5.0, chapter V6: authentication.

use super::facts::Facts;
use super::row::{Requirement, Row};
use crate::config::accounts::{Hasher, PasswordRules};
use crate::config::second_factor::Required;

pub(super) fn rows(facts: &Facts<'_>) -> Vec<Row> {
    let always = |number, asks, finding| Requirement::asvs(number, asks).met(finding);
    let missing = |number, asks, finding| Requirement::asvs(number, asks).unmet(finding);
    let by_rules = |number, what, findings| {
        let is_met = facts.config.passwords.rules != PasswordRules::None;
        Requirement::asvs(number, what).by("PASSWORD_RULES", is_met, findings, "`PASSWORD_RULES=nist`")
    };
    vec![
        by_rules(
            "6.2.1",
            "Passwords have at least 8 characters, better 15.",
            ["New ones do; 15 with PASSWORD_RULES=nist.", "Any length is taken."],
        ),
        always("6.2.2", "Users can change their password.", "Over the API, on a page, and staff in the panel."),
        always("6.2.3", "Who changes a password gives the present one.", "It is asked for, or a link in a mail."),
        by_rules(
            "6.2.4",
            "New passwords are not among the 3000 most common.",
            ["The 19,640 most common ones are refused.", "They are taken."],
        ),
        always("6.2.5", "Passwords may be of any composition.", "There are no rules about kinds of characters."),
        always(
            "6.2.7",
            "Pasting and password managers are allowed.",
            "The forms are plain and named as managers expect.",
        ),
        Requirement::asvs("6.2.8", "A password is verified exactly as typed, without being cut.").by(
            "PASSWORD_HASHER",
            facts.hasher() != Hasher::Bcrypt,
            ["The whole password counts.", "bcrypt alone looks at the first 72 bytes."],
            "`PASSWORD_HASHER=bcrypt_sha256`",
        ),
        always("6.2.9", "Passwords of 64 characters are allowed.", "Much longer ones are."),
        always("6.2.10", "No password has to be changed for its age.", "None ever has to."),
        by_rules(
            "6.2.11",
            "Words that anybody would try for this account are refused.",
            ["The username and the address are; with PASSWORD_RULES=nist the site's name too.", "They are taken."],
        ),
        by_rules(
            "6.2.12",
            "New passwords are not among those of known breaches.",
            ["Those that were found most often in breaches are refused.", "Nobody looks."],
        ),
        Requirement::asvs("6.3.1", "Guessing of passwords is slowed down, and cannot keep the owner out.")
            .by(
                "LOGIN_THROTTLE",
                facts.config.accounts.login_throttle,
                [
                    "Tries are counted for each address and account, and wait longer and longer.",
                    "Nothing but the cost of a hash slows guessing down.",
                ],
                "`LOGIN_THROTTLE=true`",
            )
            .pressing(),
        always("6.3.2", "There are no default accounts.", "The first user is made by createsuperuser."),
        Requirement::asvs("6.3.3", "Logging in takes more than one factor.").by(
            "SECOND_FACTOR",
            facts.config.second_factor.required == Required::Everybody,
            [
                "Everybody needs a second factor.",
                match facts.config.second_factor.required {
                    Required::Optional => "Users may have a second factor, and none of them has to.",
                    _ => "Staff need a second factor; others may have one.",
                },
            ],
            "`SECOND_FACTOR=required`",
        ),
        missing(
            "6.3.6",
            "Email is no factor.",
            "Users may choose codes by email. They are the weakest factor, and better than none.",
        ),
        Requirement::asvs("6.3.7", "Users are told when their password or address is changed.").by(
            "SECURITY_MAIL",
            facts.config.mail.security_mail,
            ["They get a mail, at the old address when it changes.", "They are not told."],
            "`SECURITY_MAIL=true`",
        ),
        always(
            "6.3.8",
            "Failed logins do not tell who has an account.",
            "Unknown, inactive and wrong get one answer after the same time.",
        ),
        always(
            "6.4.1",
            "Initial passwords and activation codes are random and do not last.",
            "An invitation is a random link that is good once, for an hour.",
        ),
        always("6.4.2", "There are no secret questions.", "There are none."),
        always(
            "6.4.3",
            "A forgotten password can be replaced in a safe way.",
            "By a random link in a mail, which is good once, for an hour, and ends every session.",
        ),
    ]
}

/// Requirements for the factors themselves.
pub(super) fn factors() -> Vec<Row> {
    let always = |number, asks, finding| Requirement::asvs(number, asks).met(finding);
    let missing = |number, asks, finding| Requirement::asvs(number, asks).unmet(finding);
    vec![
        always(
            "6.5.1",
            "Recovery codes, codes by email and those of authenticator apps work once.",
            "Each is used up in the transaction of its login.",
        ),
        missing(
            "6.5.2",
            "Recovery codes of less than 112 bits are stored as passwords are.",
            "They have 50 bits and are stored as an HMAC under SECRET_KEY, not with a slow function.",
        ),
        always("6.5.3", "Codes and seeds come from a secure random generator.", "That of the system is used."),
        always("6.5.4", "Codes have at least 20 bits, or six digits.", "By email six digits; on paper 50 bits."),
        missing(
            "6.5.5",
            "Codes by email are good for ten minutes at most, those of authenticator apps for 30 seconds.",
            "By email they are; those of apps one step longer, for clocks that are not right.",
        ),
        always("6.5.6", "A lost factor can be revoked.", "By its user, and by a superuser in the panel."),
        always("6.5.8", "The time of codes is that of a trusted source.", "It is this server’s clock."),
        always(
            "6.6.2",
            "A code by email counts only for the login that asked for it.",
            "It is bound to its challenge.",
        ),
        always(
            "6.6.3",
            "Guessing of codes is slowed down.",
            "A challenge takes five tries, and tries are counted for the user besides.",
        ),
        always("6.7.2", "The question to a passkey has at least 64 random bits.", "It has 256."),
    ]
}
