//! What runs at the same time, and after what. Tokens are numbered in the order of their issue.

use super::model::Call::{
    self, Answer, Begin, Blacklist, ChangePassword, Confirm, Delete, Disable, Django, Introspect, IntrospectAccess,
    LogIn, LogOut, LogOutAll, LogOutOthers, Me, Refresh, Remove, Revoke, Wait,
};
use super::model::Proof::{App, Paper};

/// Calls that run at the same time.
pub struct Scenario {
    pub name: &'static str,
    pub settings: Settings,
    /// What happened before, one after the other.
    pub before: &'static [Call],
    pub at_once: &'static [Call],
    /// Of how many interruptions at most every schedule is played: some scenarios have too many schedules otherwise.
    pub interruptions: usize,
}

/// The settings that the model knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settings {
    /// As they come, but with `JWT_CHECK_SESSION`.
    Usual,
    /// `JWT_BLACKLIST_AFTER_ROTATION=false`
    KeepsOld,
    /// `JWT_ROTATE_REFRESH_TOKENS=false`
    NoRotation,
    /// As they come, but tries are not slowed: all users of the proof come from one place.
    Factors,
    /// The same with `SECOND_FACTOR=required`.
    MustEnrol,
}

impl Settings {
    pub const ALL: [Self; 5] = [Self::Usual, Self::KeepsOld, Self::NoRotation, Self::Factors, Self::MustEnrol];
}

const fn usual(name: &'static str, before: &'static [Call], at_once: &'static [Call]) -> Scenario {
    Scenario { name, settings: Settings::Usual, before, at_once, interruptions: usize::MAX }
}

/// With second factors a call has many statements.
const fn factors(
    name: &'static str,
    settings: Settings,
    before: &'static [Call],
    at_once: &'static [Call],
) -> Scenario {
    Scenario { name, settings, before, at_once, interruptions: 2 }
}

/// A user with an app and a recovery code, both unused, and two logins that wait.
const TWO_WAIT: &[Call] = &[Begin(None), Confirm(None), Wait(30), LogIn, LogIn];

const KEY: Option<char> = Some('k');
const OTHER: Option<char> = Some('o');

/// Two at a time: every schedule of these is played.
pub const PAIRS: &[Scenario] = &[
    usual("two tabs, no key", &[LogIn], &[Refresh(0, None), Refresh(0, None)]),
    usual("two tabs, one key", &[LogIn], &[Refresh(0, KEY), Refresh(0, KEY)]),
    usual("two tabs, two keys", &[LogIn], &[Refresh(0, KEY), Refresh(0, OTHER)]),
    usual("a key and none", &[LogIn], &[Refresh(0, KEY), Refresh(0, None)]),
    usual("a retry and the successor", &[LogIn, Refresh(0, KEY)], &[Refresh(0, KEY), Refresh(1, None)]),
    usual("two late retries", &[LogIn, Refresh(0, KEY), Wait(59)], &[Refresh(0, KEY), Refresh(0, KEY)]),
    usual("a retry and a stranger's key", &[LogIn, Refresh(0, KEY), Wait(20)], &[Refresh(0, KEY), Refresh(0, OTHER)]),
    usual("the alarm and the successor", &[LogIn, Refresh(0, None), Wait(20)], &[Refresh(0, None), Refresh(1, None)]),
    usual("two alarms", &[LogIn, Refresh(0, None), Wait(20)], &[Refresh(0, None), Refresh(0, None)]),
    usual("the alarm and a logout", &[LogIn, Refresh(0, None), Wait(20)], &[Refresh(0, None), LogOut(1)]),
    usual(
        "the alarm and a log-out-all",
        &[LogIn, LogIn, Refresh(0, None), Wait(20)],
        &[Refresh(0, None), LogOutAll(1)],
    ),
    usual("a refresh and a logout", &[LogIn], &[Refresh(0, KEY), LogOut(0)]),
    usual("a refresh and a log-out-all", &[LogIn], &[Refresh(0, KEY), LogOutAll(0)]),
    usual("a refresh and a log-out-others", &[LogIn, LogIn], &[Refresh(0, None), LogOutOthers(1)]),
    usual("the kept session's refresh and a log-out-others", &[LogIn, LogIn], &[Refresh(0, None), LogOutOthers(0)]),
    usual("a refresh and a blacklisting", &[LogIn], &[Refresh(0, None), Blacklist(0)]),
    usual("a refresh and a revocation", &[LogIn], &[Refresh(0, KEY), Revoke(0)]),
    usual("an introspection and a refresh", &[LogIn], &[Introspect(0), Refresh(0, None)]),
    usual("an introspection and a log-out-all", &[LogIn], &[IntrospectAccess(0, 0), LogOutAll(0)]),
    usual("a refresh and a disabled user", &[LogIn], &[Refresh(0, None), Disable]),
    usual("a refresh and another password", &[LogIn], &[Refresh(0, None), ChangePassword]),
    usual("a refresh and a deleted user", &[LogIn], &[Refresh(0, None), Delete]),
    usual("a retry and a logout", &[LogIn, Refresh(0, KEY)], &[Refresh(0, KEY), LogOut(1)]),
    usual("a retry and a log-out-all", &[LogIn, Refresh(0, KEY)], &[Refresh(0, KEY), LogOutAll(1)]),
    usual("a retry and a disabled user", &[LogIn, Refresh(0, KEY)], &[Refresh(0, KEY), Disable]),
    usual("a logout with a used token and the successor", &[LogIn, Refresh(0, None)], &[LogOut(0), Refresh(1, None)]),
    usual("two logouts", &[LogIn], &[LogOut(0), LogOut(0)]),
    usual("a logout and a log-out-all", &[LogIn, LogIn], &[LogOut(0), LogOutAll(1)]),
    usual("a log-out-all and a disabled user", &[LogIn], &[LogOutAll(0), Disable]),
    usual("two logins", &[], &[LogIn, LogIn]),
    usual("a login and a log-out-all", &[LogIn], &[LogIn, LogOutAll(0)]),
    usual("a login and a disabled user", &[LogIn], &[LogIn, Disable]),
    usual("a login and another password", &[LogIn], &[LogIn, ChangePassword]),
    usual("a call and a logout", &[LogIn], &[Me(0, 0), LogOut(0)]),
    usual("a call and a disabled user", &[LogIn], &[Me(0, 0), Disable]),
    usual("two tabs with a token of Django's", &[Django], &[Refresh(0, None), Refresh(0, None)]),
    usual("a token of Django's and a disabled user", &[Django], &[Refresh(0, None), Disable]),
    Scenario {
        name: "two tabs, where old tokens stay good",
        settings: Settings::KeepsOld,
        before: &[LogIn],
        at_once: &[Refresh(0, None), Refresh(0, None)],
        interruptions: usize::MAX,
    },
    Scenario {
        name: "a refresh and a logout, where old tokens stay good",
        settings: Settings::KeepsOld,
        before: &[LogIn],
        at_once: &[Refresh(0, None), LogOut(0)],
        interruptions: usize::MAX,
    },
    Scenario {
        name: "two tabs with a token of Django's, where old tokens stay good",
        settings: Settings::KeepsOld,
        before: &[Django],
        at_once: &[Refresh(0, None), Refresh(0, None)],
        interruptions: 3,
    },
    Scenario {
        name: "two tabs, without rotation",
        settings: Settings::NoRotation,
        before: &[LogIn],
        at_once: &[Refresh(0, None), Refresh(0, None)],
        interruptions: usize::MAX,
    },
    Scenario {
        name: "a refresh and a logout, without rotation",
        settings: Settings::NoRotation,
        before: &[LogIn],
        at_once: &[Refresh(0, None), LogOut(0)],
        interruptions: usize::MAX,
    },
    Scenario {
        name: "two tabs with a token of Django's, without rotation",
        settings: Settings::NoRotation,
        before: &[Django],
        at_once: &[Refresh(0, None), Refresh(0, None)],
        interruptions: 3,
    },
    Scenario {
        name: "a token of Django's and a log-out-all, without rotation",
        settings: Settings::NoRotation,
        before: &[LogIn, Django],
        at_once: &[Refresh(1, None), LogOutAll(0)],
        interruptions: 3,
    },
];

/// Two at a time, about second factors.
pub const FACTORS: &[Scenario] = &[
    factors("one code in two logins", Settings::Factors, TWO_WAIT, &[Answer(0, App), Answer(1, App)]),
    factors("one recovery code in two logins", Settings::Factors, TWO_WAIT, &[Answer(0, Paper), Answer(1, Paper)]),
    factors("one login, two right answers", Settings::Factors, TWO_WAIT, &[Answer(0, App), Answer(0, Paper)]),
    factors("an answer and the removal", Settings::Factors, TWO_WAIT, &[Answer(0, App), Remove(Paper)]),
    factors("an answer and the removal, by one code", Settings::Factors, TWO_WAIT, &[Answer(0, App), Remove(App)]),
    factors("an answer and another password", Settings::Factors, TWO_WAIT, &[Answer(0, App), ChangePassword]),
    factors("an answer and a disabled user", Settings::Factors, TWO_WAIT, &[Answer(0, Paper), Disable]),
    factors("a login and the first factor", Settings::Factors, &[Begin(None)], &[LogIn, Confirm(None)]),
    factors("a login and the removal", Settings::Factors, TWO_WAIT, &[LogIn, Remove(App)]),
    factors(
        "two who enrol in place of one",
        Settings::MustEnrol,
        &[LogIn, LogIn, Begin(Some(0)), Begin(Some(1))],
        &[Confirm(Some(0)), Confirm(Some(1))],
    ),
    factors(
        "the first factor and another password",
        Settings::MustEnrol,
        &[LogIn, Begin(Some(0))],
        &[Confirm(Some(0)), ChangePassword],
    ),
];

/// Three at a time: a sample of the schedules of these is played.
pub const TRIPLES: &[Scenario] = &[
    usual("two tabs and a logout", &[LogIn], &[Refresh(0, KEY), Refresh(0, KEY), LogOut(0)]),
    usual("two tabs and a log-out-all", &[LogIn], &[Refresh(0, KEY), Refresh(0, None), LogOutAll(0)]),
    usual("two tabs and a disabled user", &[LogIn], &[Refresh(0, KEY), Refresh(0, KEY), Disable]),
    usual("three tabs", &[LogIn], &[Refresh(0, KEY), Refresh(0, KEY), Refresh(0, OTHER)]),
    usual("a refresh, a logout, a log-out-all", &[LogIn, LogIn], &[Refresh(0, KEY), LogOut(0), LogOutAll(1)]),
    usual("a logout, a log-out-all, a disabled user", &[LogIn, LogIn], &[LogOut(0), LogOutAll(1), Disable]),
    usual(
        "a retry, the successor, a log-out-all",
        &[LogIn, Refresh(0, KEY)],
        &[Refresh(0, KEY), Refresh(1, KEY), LogOutAll(1)],
    ),
    usual(
        "a retry, the successor twice",
        &[LogIn, Refresh(0, KEY)],
        &[Refresh(0, KEY), Refresh(1, KEY), Refresh(1, KEY)],
    ),
    usual(
        "the alarm, the successor, a logout",
        &[LogIn, Refresh(0, None), Wait(20)],
        &[Refresh(0, None), Refresh(1, None), LogOut(1)],
    ),
    usual("a login, a refresh, a log-out-all", &[LogIn], &[LogIn, Refresh(0, None), LogOutAll(0)]),
    usual("a call, a refresh, a disabled user", &[LogIn], &[Me(0, 0), Refresh(0, None), Disable]),
];
