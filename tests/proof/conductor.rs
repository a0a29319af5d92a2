//! Lets one job at a time run its next statement. Every job has a server of its own, whose observer stops here before
//! each statement; a job that waits for a lock is known by asking the database for whom it waits.

use std::collections::BTreeSet;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};
use latchkey::db::{Conn, Event};

use super::search::Search;
use crate::harness::http::PATIENCE;
use crate::harness::{Backend, TestDatabase};

/// How long a job may run before the database is asked whether it waits.
const GLANCE: Duration = Duration::from_millis(1);

pub struct Conductor {
    backend: Backend,
    stage: Mutex<Stage>,
    changed: Condvar,
    /// Sees who waits for a lock, on PostgreSQL.
    lookout: Mutex<Conn>,
}

#[derive(Default)]
struct Stage {
    /// The seats that are conducted now, each with its job.
    jobs: Vec<Job>,
    steps: Vec<Step>,
}

struct Job {
    place: Place,
    in_transaction: bool,
    began: usize,
}

#[derive(PartialEq, Eq)]
enum Place {
    Running,
    Before(String),
    Ended,
}

/// A statement that a job was allowed to run.
#[derive(Debug, Clone)]
pub struct Step {
    pub job: usize,
    pub sql: String,
}

/// What came of a schedule.
pub struct Played<A> {
    /// For each job its answer, the step with which it began, and the number of steps when it had ended.
    pub answers: Vec<(A, usize, usize)>,
    pub steps: Vec<Step>,
    /// How often all jobs waited for each other until the database refused one.
    pub deadlocks: usize,
}

/// The name by which the database knows the connections of a seat.
pub fn seat_name(seat: usize) -> String {
    format!("seat{seat}")
}

impl Conductor {
    pub fn new(database: &TestDatabase) -> Self {
        let lookout = Mutex::new(database.connect());
        Self { backend: database.backend, stage: Mutex::default(), changed: Condvar::new(), lookout }
    }

    /// What the observer of a seat's database does.
    pub fn hear(&self, seat: usize, event: Event<'_>) {
        let mut stage = self.stage.lock().unwrap();
        let Some(job) = stage.jobs.get_mut(seat) else { return };
        match event {
            Event::Starts(sql) => {
                if self.is_boundary(sql, job.in_transaction) {
                    job.place = Place::Before(sql.to_owned());
                    self.changed.notify_all();
                    let is_held = |stage: &mut Stage| matches!(stage.jobs[seat].place, Place::Before(_));
                    stage = self.changed.wait_while(stage, is_held).unwrap();
                }
                stage.jobs[seat].in_transaction |= sql.starts_with("BEGIN");
            }
            Event::Keeps(_) => {}
            Event::Ends(sql) => job.in_transaction &= sql != "COMMIT" && sql != "ROLLBACK",
        }
    }

    /// Whether it matters what others do just before a statement.
    fn is_boundary(&self, sql: &str, in_transaction: bool) -> bool {
        match self.backend {
            // Nothing is seen or locked by these.
            Backend::Postgres => !["BEGIN", "SAVEPOINT", "RELEASE"].iter().any(|word| sql.starts_with(word)),
            // Who has the write lock is alone, and nobody sees what they do before the COMMIT.
            Backend::Sqlite => !in_transaction || sql == "COMMIT",
        }
    }

    /// Plays jobs, the first on the first seat and so on, in the order that `search` chooses.
    pub fn play<A: Send>(&self, jobs: Vec<Box<dyn FnOnce() -> A + Send + '_>>, search: &mut Search) -> Played<A> {
        let number = jobs.len();
        let job = || Job { place: Place::Running, in_transaction: false, began: usize::MAX };
        *self.stage.lock().unwrap() = Stage { jobs: (0..number).map(|_| job()).collect(), steps: Vec::new() };
        let run = |(seat, job): (usize, Box<dyn FnOnce() -> A + Send + '_>)| {
            let answer = job();
            let mut stage = self.stage.lock().unwrap();
            stage.jobs[seat].place = Place::Ended;
            self.changed.notify_all();
            (answer, stage.jobs[seat].began, stage.steps.len())
        };
        let (answers, deadlocks) = thread::scope(|scope| {
            let threads: Vec<_> = jobs.into_iter().enumerate().map(|job| scope.spawn(move || run(job))).collect();
            let deadlocks = self.conduct(search);
            (threads.into_iter().map(|thread| thread.join().unwrap()).collect(), deadlocks)
        });
        let stage = std::mem::take(&mut *self.stage.lock().unwrap());
        Played { answers, steps: stage.steps, deadlocks }
    }

    fn conduct(&self, search: &mut Search) -> usize {
        let (mut last, mut deadlocks) = (None, 0);
        loop {
            let mut stage = self.settle();
            if stage.jobs.iter().all(|job| job.place == Place::Ended) {
                return deadlocks;
            }
            let able = stage.able();
            if able.is_empty() {
                deadlocks += 1;
                let running = stage.running();
                let stuck = |stage: &mut Stage| stage.running() == running;
                drop(self.changed.wait_timeout_while(stage, PATIENCE, stuck).unwrap());
                continue;
            }
            let job = search.choose(&able, last);
            last = Some(job);
            stage.let_run(job);
            self.changed.notify_all();
        }
    }

    /// Waits until every job stands before a statement, waits for a lock, or has ended.
    fn settle(&self) -> MutexGuard<'_, Stage> {
        let mut stage = self.stage.lock().unwrap();
        loop {
            if stage.running().is_empty() {
                return stage;
            }
            let (after, glance) = self.changed.wait_timeout(stage, GLANCE).unwrap();
            stage = after;
            if glance.timed_out() && self.backend == Backend::Postgres {
                let running = stage.running();
                drop(stage);
                let waiting = self.waiting();
                stage = self.stage.lock().unwrap();
                // If all of them waited, nobody ran who could have woken one since the question was asked.
                if running.is_subset(&waiting) {
                    return stage;
                }
            }
        }
    }

    /// The jobs that wait for a lock of another one.
    fn waiting(&self) -> BTreeSet<usize> {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = Nullable<Text>)]
            seats: Option<String>,
        }
        let row: Row = diesel::sql_query(
            "SELECT string_agg(substr(application_name, 5), ' ') AS seats FROM pg_stat_activity \
             WHERE datname = current_database() AND application_name LIKE 'seat%' AND cardinality(pg_blocking_pids(pid)) > 0",
        )
        .get_result(&mut *self.lookout.lock().unwrap())
        .unwrap();
        row.seats.unwrap_or_default().split_whitespace().map(|seat| seat.parse().unwrap()).collect()
    }
}

impl Stage {
    fn running(&self) -> BTreeSet<usize> {
        (0..self.jobs.len()).filter(|job| self.jobs[*job].place == Place::Running).collect()
    }

    /// The jobs that can run a statement. On SQLite one that wants the write lock cannot while another has it; on
    /// PostgreSQL it can always try.
    fn able(&self) -> Vec<usize> {
        let is_taken = self.jobs.iter().any(|job| job.in_transaction);
        let can = |job: &Job| match &job.place {
            Place::Before(sql) => !(is_taken && sql == "BEGIN IMMEDIATE"),
            Place::Running | Place::Ended => false,
        };
        (0..self.jobs.len()).filter(|job| can(&self.jobs[*job])).collect()
    }

    fn let_run(&mut self, job: usize) {
        let now = self.steps.len();
        let Place::Before(sql) = std::mem::replace(&mut self.jobs[job].place, Place::Running) else { return };
        self.jobs[job].began = self.jobs[job].began.min(now);
        self.steps.push(Step { job, sql });
    }
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sql: String = self.sql.chars().take(100).collect();
        write!(f, "{}: {sql}", self.job)
    }
}
