//! Faults with a name: two that other servers had, and those that the proof has found here. They run with every test.

use serde_json::json;

use super::interleavings::play;
use super::model::Call::{self, Django, LogIn, LogOutAll, Refresh};
use super::scenarios::{Scenario, Settings};
use super::search::Extent;
use super::world::World;
use crate::harness::{Backend, Pair, Server};

/// Plays a scenario of two jobs in every schedule with at most one interruption.
fn play_all(backend: Backend, settings: Settings, before: &'static [Call], at_once: &'static [Call]) {
    let world = World::new(backend, at_once.len(), settings.list());
    let schedules = play(&world, &Scenario { name: "named", settings, before, at_once, interruptions: 1 }, Extent::ALL);
    assert!(schedules > 1);
}

// A server that kept the time of the last refresh in seconds took a replay within the same second for the first use.
both!(a_replay_within_the_same_second_is_refused);
fn a_replay_within_the_same_second_is_refused(backend: Backend) {
    let server = Server::start(backend);
    server.add_user("alice");
    // The clock stands still: all of this happens in the same microsecond.
    let first = server.log_in("alice");
    let second = Pair::of(&server.refresh(&first.refresh));
    let third = Pair::of(&server.refresh(&second.refresh));
    for replayed in [&first, &second, &first] {
        let refused = json!({"detail": "Token is blacklisted", "code": "token_not_valid"});
        server.refresh(&replayed.refresh).expect(401, refused);
    }
    Pair::of(&server.refresh(&third.refresh));
}

// A server that looked at the session first and wrote the new token later handed out one that outlived its revocation.
both!(a_refresh_does_not_overtake_a_revoke);
fn a_refresh_does_not_overtake_a_revoke(backend: Backend) {
    play_all(backend, Settings::Usual, &[LogIn], &[Refresh(0, None), LogOutAll(0)]);
}

both!(a_token_of_djangos_that_two_tabs_refresh_gets_one_session);
fn a_token_of_djangos_that_two_tabs_refresh_gets_one_session(backend: Backend) {
    for settings in [Settings::NoRotation, Settings::KeepsOld, Settings::Usual] {
        play_all(backend, settings, &[Django], &[Refresh(0, None), Refresh(0, None)]);
    }
}
