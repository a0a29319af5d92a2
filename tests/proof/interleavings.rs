//! Plays scenarios in many schedules, on PostgreSQL between connections and on SQLite between the read phase and the
//! write job of two servers on one file, and asks the model whether every answer can be explained.

use std::fmt::Write;
use std::time::Instant;

use super::conductor::{Played, Step};
use super::history::{History, Made};
use super::model::{Call, Model, Proof, Reply, Rules, Token};
use super::scenarios::{FACTORS, PAIRS, Scenario, Settings, TRIPLES};
use super::search::{Extent, Search};
use super::world::{Answer, Cast, World};
use super::{is_full, report};
use crate::harness::Backend;

impl Settings {
    pub fn list(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Usual => &[("JWT_CHECK_SESSION", "true")],
            Self::KeepsOld => &[("JWT_CHECK_SESSION", "true"), ("JWT_BLACKLIST_AFTER_ROTATION", "false")],
            Self::NoRotation => &[("JWT_CHECK_SESSION", "true"), ("JWT_ROTATE_REFRESH_TOKENS", "false")],
            Self::Factors => &[("JWT_CHECK_SESSION", "true"), ("LOGIN_THROTTLE", "false")],
            Self::MustEnrol => {
                &[("JWT_CHECK_SESSION", "true"), ("LOGIN_THROTTLE", "false"), ("SECOND_FACTOR", "required")]
            }
        }
    }

    fn has_factors(self) -> bool {
        matches!(self, Self::Factors | Self::MustEnrol)
    }

    fn rules(self) -> Rules {
        Rules {
            rotate: self != Self::NoRotation,
            blacklist: self != Self::KeepsOld,
            check_session: true,
            must_enrol: self == Self::MustEnrol,
        }
    }
}

/// Plays a scenario; answers how many schedules it had.
pub fn play(world: &World, scenario: &Scenario, extent: Extent) -> usize {
    let mut search = Search::new(extent.within(scenario.interruptions));
    loop {
        let name = format!("{}-{}", scenario.name.replace([' ', ',', '\''], ""), search.played());
        let mut cast = world.cast(&name);
        let before = prepare(world, &mut cast, scenario);
        let played = perform(world, &cast, scenario, &mut search);
        if let Some(fault) = judge(world, &mut cast, scenario, before, &played) {
            panic!("{}, schedule {}: {fault}\n{}", scenario.name, search.played(), told(&played.steps));
        }
        if !search.advance() {
            return search.played();
        }
    }
}

/// Does what happened before, in the world and in the model.
fn prepare(world: &World, cast: &mut Cast, scenario: &Scenario) -> Model {
    let mut model = Model::new(scenario.settings.rules());
    for call in scenario.before {
        let reply = world.call(cast, *call);
        let new = if let Reply::Token(token) = reply { token } else { Token::MAX };
        assert_eq!(model.call(*call, new), reply, "{call:?}");
    }
    model
}

fn perform(world: &World, cast: &Cast, scenario: &Scenario, search: &mut Search) -> Played<Answer> {
    let seats = world.seats.iter().zip(scenario.at_once);
    let jobs = seats.map(|(seat, call)| Box::new(move || seat.call(cast, *call)) as Box<dyn FnOnce() -> Answer + Send>);
    world.conductor.play(jobs.collect(), search)
}

/// Asks everything that can be asked afterwards, and then what is wrong.
fn judge(
    world: &World,
    cast: &mut Cast,
    scenario: &Scenario,
    before: Model,
    played: &Played<Answer>,
) -> Option<String> {
    if played.deadlocks > 0 {
        return Some("the jobs waited for each other".to_owned());
    }
    let mut at_once = Vec::new();
    for (call, (answer, began, ended)) in scenario.at_once.iter().zip(&played.answers) {
        if let Answer::Broken(error) = answer {
            return Some(format!("{call:?} broke: {error}"));
        }
        at_once.push(Made { call: *call, reply: cast.note(*call, answer), began: *began, ended: *ended });
    }
    let has_revoked = |call: &Made| call.reply == Reply::Done && ends_everything(call.call);
    let is_over = at_once.iter().any(has_revoked) && !scenario.at_once.contains(&Call::LogIn);
    let after = ask(world, cast, scenario.settings);
    let history = History { before, at_once, after };
    let fault = history.fault().or_else(|| {
        (is_over && !history.is_all_over()).then(|| "something works although everything was revoked".to_owned())
    });
    fault.map(|fault| format!("{fault}\nat once: {:#?}\nafter: {:?}", history.at_once, history.after))
}

fn ends_everything(call: Call) -> bool {
    matches!(call, Call::LogOutAll(_) | Call::Disable | Call::ChangePassword | Call::Delete)
}

/// What waits is answered, and one more login begun; every token that there is is looked at, then every refresh token is used, from the newest on; then the last one
/// logs out, and every token is looked at once more.
fn ask(world: &World, cast: &mut Cast, settings: Settings) -> Vec<(Call, Reply)> {
    let mut asked = Vec::new();
    if settings.has_factors() {
        // A code that nobody has used.
        let mut calls = vec![Call::Wait(30)];
        calls.extend(
            (0..cast.factors.challenges.len()).flat_map(|at| [Proof::App, Proof::Paper].map(|by| Call::Answer(at, by))),
        );
        calls.push(Call::LogIn);
        asked.extend(calls.into_iter().map(|call| (call, world.call(cast, call))).collect::<Vec<_>>());
    }
    asked.extend(look(world, cast));
    for token in (0..cast.tokens.len()).rev() {
        let call = Call::Refresh(token, None);
        asked.push((call, world.call(cast, call)));
    }
    let newest = (0..cast.tokens.len()).rev().find(|token| !cast.tokens[*token].access.is_empty());
    if let Some(newest) = newest {
        let call = Call::LogOut(newest);
        asked.push((call, world.call(cast, call)));
    }
    asked.extend(look(world, cast));
    asked
}

fn look(world: &World, cast: &mut Cast) -> Vec<(Call, Reply)> {
    let accesses = cast.accesses.iter().enumerate();
    let accesses = accesses.flat_map(|(at, (token, _))| [Call::Me(*token, at), Call::IntrospectAccess(*token, at)]);
    let calls: Vec<Call> = accesses.chain((0..cast.tokens.len()).map(Call::Introspect)).collect();
    calls.into_iter().map(|call| (call, world.call(cast, call))).collect()
}

fn told(steps: &[Step]) -> String {
    steps.iter().fold(String::new(), |mut text, step| {
        let _ = writeln!(text, "  {step}");
        text
    })
}

/// Plays scenarios and reports how many schedules each had.
fn run(backend: Backend, part: &str, title: &str, scenarios: &[Scenario], extent: Extent) {
    let began = Instant::now();
    let (mut rows, mut total, mut version) = (String::new(), 0, None);
    for settings in Settings::ALL {
        if scenarios.iter().all(|scenario| scenario.settings != settings) {
            continue;
        }
        let seats = scenarios.iter().map(|scenario| scenario.at_once.len()).max().unwrap();
        let world = World::new(backend, seats, settings.list());
        version = world.database.text(backend.pick(
            "SELECT 'SQLite ' || sqlite_version() AS t",
            "SELECT 'PostgreSQL ' || current_setting('server_version') AS t",
        ));
        for scenario in scenarios.iter().filter(|scenario| scenario.settings == settings) {
            let schedules = play(&world, scenario, extent);
            total += schedules;
            let _ = writeln!(rows, "| {} | {schedules} | {} |", scenario.name, extent.within(scenario.interruptions));
        }
    }
    let text = format!(
        "## {title}, on {}\n\n{total} schedules in {:.0} s, every answer explained.\n\n\
         | at the same time | schedules | which |\n| --- | --- | --- |\n{rows}",
        version.unwrap(),
        began.elapsed().as_secs_f64()
    );
    report(&format!("{}-{part}", backend.pick("sqlite", "postgres")), &text);
}

/// Most faults of concurrency need one interruption.
const FEW: Extent = Extent::Every { interruptions: 1 };

fn pairs(backend: Backend) {
    // On SQLite all schedules are few.
    run(backend, "2", "Two at a time", PAIRS, if is_full() || backend == Backend::Sqlite { Extent::ALL } else { FEW });
}

fn factors(backend: Backend) {
    // A call has so many statements that two interruptions make thousands of schedules.
    let extent = match (backend, is_full()) {
        (Backend::Sqlite, true) => Extent::ALL,
        (Backend::Sqlite, false) | (Backend::Postgres, true) => FEW,
        (Backend::Postgres, false) => Extent::Sample { schedules: 10, seed: 20_260_301 },
    };
    run(backend, "factors", "Second factors, two at a time", FACTORS, extent);
}

fn triples(backend: Backend) {
    let schedules = if is_full() { backend.pick(500, 300) } else { 10 };
    run(backend, "3", "Three at a time", TRIPLES, Extent::Sample { schedules, seed: 20_260_301 });
}

#[test]
#[ignore = "takes long: scripts/proof"]
fn pairs_on_sqlite() {
    pairs(Backend::Sqlite);
}

#[test]
#[ignore = "takes long: scripts/proof"]
fn pairs_on_postgres() {
    pairs(Backend::Postgres);
}

#[test]
#[ignore = "takes long: scripts/proof"]
fn triples_on_sqlite() {
    triples(Backend::Sqlite);
}

#[test]
#[ignore = "takes long: scripts/proof"]
fn triples_on_postgres() {
    triples(Backend::Postgres);
}

#[test]
#[ignore = "takes long: scripts/proof"]
fn second_factors_on_sqlite() {
    factors(Backend::Sqlite);
}

#[test]
#[ignore = "takes long: scripts/proof"]
fn second_factors_on_postgres() {
    factors(Backend::Postgres);
}
