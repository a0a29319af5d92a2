//! What has to come of calls that are made one after the other. This is the whole truth that the proof compares with:
//! no database, no locks, no time but `now`.

use std::collections::BTreeMap;

/// A refresh token, in the order in which the test got to know them.
pub type Token = usize;

/// A login that waits, numbered in the same way.
pub type Challenge = usize;

/// What is shown besides the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// What the authenticator app shows now.
    App,
    /// The first recovery code.
    Paper,
}

/// One call of a client or an operator, about one user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// The user logs in.
    LogIn,
    /// Django, which knows of no sessions, issues a refresh token.
    Django,
    /// `token/refresh/`, perhaps with an `Idempotency-Key`.
    Refresh(Token, Option<char>),
    /// `token/blacklist/`.
    Blacklist(Token),
    /// `logout/` with this refresh token and the access token that came with it.
    LogOut(Token),
    /// `logout/` with `all`, by the access token that came with this.
    LogOutAll(Token),
    /// `logout/` with `others`.
    LogOutOthers(Token),
    /// `me/` by the access token with this number, which came with this refresh token.
    Me(Token, usize),
    /// `token/introspect/` of this refresh token.
    Introspect(Token),
    /// `token/introspect/` of an access token, numbered as for `Me`.
    IntrospectAccess(Token, usize),
    /// `token/revoke/` of this refresh token: 200 whatever comes of it.
    Revoke(Token),
    /// An operator disables the user.
    Disable,
    /// An operator sets another password.
    ChangePassword,
    /// An operator deletes the user.
    Delete,
    /// The user begins to add an app, logged in or for a login that has to wait for it.
    Begin(Option<Challenge>),
    /// The app that was begun so is confirmed by what it shows.
    Confirm(Option<Challenge>),
    /// `token/second-factor/`
    Answer(Challenge, Proof),
    /// The user removes the app: a challenge, its answer, and the removal.
    Remove(Proof),
    /// Nothing, for so many seconds.
    Wait(i64),
}

/// What a call answers, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// This refresh token, and an access token.
    Token(Token),
    /// An access token.
    Access,
    /// A login that waits.
    Challenge(Challenge),
    /// Yes.
    Done,
    /// No.
    Refused,
}

/// The settings that matter here.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting")]
pub struct Rules {
    /// `JWT_ROTATE_REFRESH_TOKENS`
    pub rotate: bool,
    /// `JWT_BLACKLIST_AFTER_ROTATION`
    pub blacklist: bool,
    /// `JWT_CHECK_SESSION`
    pub check_session: bool,
    /// `SECOND_FACTOR=required`
    pub must_enrol: bool,
}

const RETRY_WINDOW: i64 = 60;
const REUSE_ALARM_AFTER: i64 = 10;
/// How long an app shows a code. The clock of the test begins with a new one.
const STEP: i64 = 30;

/// One user with their sessions and tokens.
#[derive(Debug, Clone)]
pub struct Model {
    rules: Rules,
    now: i64,
    may_log_in: bool,
    is_active: bool,
    /// For each whether it goes on.
    sessions: Vec<bool>,
    tokens: BTreeMap<Token, State>,
    /// The app, by the step of the last code that it was used with.
    app: Option<i64>,
    /// Whether the recovery code is there and unused.
    has_paper: bool,
    challenges: Vec<Waiting>,
}

/// What a login waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waiting {
    Answer,
    Enrolment,
    Nothing,
}

#[derive(Debug, Clone, Copy)]
struct State {
    session: usize,
    is_live: bool,
    rotated: Option<Rotation>,
}

#[derive(Debug, Clone, Copy)]
struct Rotation {
    at: i64,
    key: Option<char>,
    into: Token,
}

impl Model {
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            now: 0,
            may_log_in: true,
            is_active: true,
            sessions: Vec::new(),
            tokens: BTreeMap::new(),
            app: None,
            has_paper: false,
            challenges: Vec::new(),
        }
    }

    pub fn knows(&self, token: Token) -> bool {
        self.tokens.contains_key(&token)
    }

    /// Whether a token has one successor at most.
    pub fn blacklists(&self) -> bool {
        self.rules.blacklist
    }

    /// Makes a call; a token that it issues is `new`.
    pub fn call(&mut self, call: Call, new: Token) -> Reply {
        match call {
            Call::LogIn if self.may_log_in && self.app.is_some() => self.wait_for(Waiting::Answer),
            Call::LogIn if self.may_log_in && self.rules.must_enrol => self.wait_for(Waiting::Enrolment),
            Call::LogIn | Call::Django if self.may_log_in => self.start(new),
            Call::Begin(_) if self.may_log_in && self.app.is_none() => Reply::Done,
            Call::Confirm(by) if self.may_log_in && self.app.is_none() => self.confirm(by, new),
            Call::Answer(challenge, proof) if self.waits(challenge, Waiting::Answer) && self.takes(proof) => {
                self.challenges[challenge] = Waiting::Nothing;
                self.start(new)
            }
            Call::Remove(proof) if self.is_active && self.takes(proof) => {
                (self.app, self.has_paper) = (None, false);
                Reply::Done
            }
            Call::Refresh(token, key) if self.is_active => self.refresh(token, key, new),
            Call::Blacklist(token) if self.tokens[&token].is_live => self.blacklist(token),
            Call::LogOut(token) if self.admits(token) => self.log_out(token),
            Call::LogOutAll(token) if self.admits(token) => self.end_all_but(None),
            Call::LogOutOthers(token) if self.admits(token) && self.goes_on(token) => {
                self.end_all_but(Some(self.tokens[&token].session))
            }
            Call::Me(token, _) if self.admits(token) => Reply::Done,
            Call::Introspect(token) if self.is_active && self.tokens[&token].is_live => Reply::Done,
            Call::IntrospectAccess(token, _) if self.is_active && self.goes_on(token) => Reply::Done,
            Call::Revoke(token) => {
                self.log_out(token);
                Reply::Done
            }
            Call::Disable | Call::Delete => {
                (self.may_log_in, self.is_active) = (false, false);
                self.end_all_but(None)
            }
            Call::ChangePassword => {
                self.may_log_in = false;
                self.end_all_but(None)
            }
            Call::Wait(seconds) => {
                self.now += seconds;
                Reply::Done
            }
            _ => Reply::Refused,
        }
    }

    fn refresh(&mut self, token: Token, key: Option<char>, new: Token) -> Reply {
        let State { session, is_live, rotated } = self.tokens[&token];
        if !self.sessions[session] {
            return Reply::Refused;
        }
        if let Some(rotation) = rotated {
            let is_retry = key.is_some() && key == rotation.key && self.now < rotation.at + RETRY_WINDOW;
            if is_retry && self.tokens[&rotation.into].is_live {
                return Reply::Token(rotation.into);
            }
            if !is_retry && rotation.at + REUSE_ALARM_AFTER <= self.now {
                self.end(session);
            }
            return Reply::Refused;
        }
        match (is_live, self.rules.rotate) {
            (false, _) => Reply::Refused,
            (true, false) => Reply::Access,
            (true, true) => {
                if self.rules.blacklist {
                    let rotation = Rotation { at: self.now, key, into: new };
                    self.tokens.insert(token, State { session, is_live: false, rotated: Some(rotation) });
                }
                self.issue(session, new)
            }
        }
    }

    fn wait_for(&mut self, what: Waiting) -> Reply {
        self.challenges.push(what);
        Reply::Challenge(self.challenges.len() - 1)
    }

    /// Whether a login waits for this. With another password none does.
    fn waits(&self, challenge: Challenge, what: Waiting) -> bool {
        self.may_log_in && self.challenges[challenge] == what
    }

    /// Whether this is right, and for the first time; then it is used.
    fn takes(&mut self, proof: Proof) -> bool {
        let step = self.now / STEP;
        match (proof, self.app) {
            (Proof::App, Some(last)) if last < step => self.app = Some(step),
            (Proof::Paper, Some(_)) if self.has_paper => self.has_paper = false,
            _ => return false,
        }
        true
    }

    fn confirm(&mut self, by: Option<Challenge>, new: Token) -> Reply {
        if by.is_some_and(|challenge| !self.waits(challenge, Waiting::Enrolment)) {
            return Reply::Refused;
        }
        (self.app, self.has_paper) = (Some(self.now / STEP), true);
        let Some(challenge) = by else { return Reply::Done };
        self.challenges[challenge] = Waiting::Nothing;
        self.start(new)
    }

    /// Starts a session with its first token.
    fn start(&mut self, new: Token) -> Reply {
        self.sessions.push(true);
        self.issue(self.sessions.len() - 1, new)
    }

    fn issue(&mut self, session: usize, new: Token) -> Reply {
        self.tokens.insert(new, State { session, is_live: true, rotated: None });
        Reply::Token(new)
    }

    fn blacklist(&mut self, token: Token) -> Reply {
        let session = self.tokens[&token].session;
        self.tokens.get_mut(&token).unwrap().is_live = false;
        if !self.tokens.values().any(|other| other.session == session && other.is_live) {
            self.end(session);
        }
        Reply::Done
    }

    fn log_out(&mut self, token: Token) -> Reply {
        let State { session, is_live, rotated } = self.tokens[&token];
        if !is_live && rotated.is_none() {
            return Reply::Refused;
        }
        self.end(session);
        Reply::Done
    }

    fn end_all_but(&mut self, kept: Option<usize>) -> Reply {
        (0..self.sessions.len()).filter(|session| Some(*session) != kept).for_each(|session| self.end(session));
        Reply::Done
    }

    fn end(&mut self, session: usize) {
        self.sessions[session] = false;
        for token in self.tokens.values_mut().filter(|token| token.session == session) {
            token.is_live = false;
        }
    }

    /// Whether the access token that came with a refresh token is good for a request.
    fn admits(&self, token: Token) -> bool {
        self.is_active && (!self.rules.check_session || self.goes_on(token))
    }

    fn goes_on(&self, token: Token) -> bool {
        self.sessions[self.tokens[&token].session]
    }
}
