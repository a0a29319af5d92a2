//! `Db::read` and `Db::write`: what a job may do to its neighbours (nothing), and what an answer promises.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::BigInt;
use futures_util::future::join_all;
use latchkey::db::{Conn, Db, DbError};

use crate::harness::{Backend, TestDatabase};

/// A migrated database, its doors, and a runtime to walk through them.
struct Doors {
    runtime: tokio::runtime::Runtime,
    db: Db,
    database: TestDatabase,
}

impl Doors {
    fn open(backend: Backend) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let database = TestDatabase::migrated(backend);
        Self { runtime, db: database.doors(), database }
    }

    /// Queues jobs for the names at the same time and waits for all answers.
    fn write_all(&self, names: &[&str], job: fn(&mut Conn, &str) -> Result<(), DbError>) -> Vec<Result<(), DbError>> {
        let jobs = names.iter().map(|name| {
            let name = (*name).to_owned();
            self.db.write(move |conn| job(conn, &name))
        });
        self.runtime.block_on(join_all(jobs))
    }

    fn names(&self) -> Vec<String> {
        let names = self.database.texts("SELECT username AS t FROM auth_user ORDER BY username");
        names.into_iter().map(Option::unwrap).collect()
    }
}

fn insert_user(conn: &mut Conn, name: &str) -> Result<(), DbError> {
    let row = "INSERT INTO auth_user (username, password, is_superuser, first_name, last_name, email, is_staff, is_active, \
               date_joined) VALUES ";
    sql_query(format!("{row} ('{name}', '!', false, '', '', '', false, true, '2026-03-01 12:00:00')")).execute(conn)?;
    Ok(())
}

fn insert_token(conn: &mut Conn, jti: &str, user: i64) -> Result<(), DbError> {
    let row = "INSERT INTO token_blacklist_outstandingtoken (token, expires_at, user_id, jti) VALUES ";
    sql_query(format!("{row} ('x', '2026-03-02 12:00:00', {user}, '{jti}')")).execute(conn)?;
    Ok(())
}

fn count_users(conn: &mut Conn) -> i64 {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        n: i64,
    }
    sql_query("SELECT count(*) AS n FROM auth_user").get_result::<Row>(conn).unwrap().n
}

both!(a_failing_job_is_rolled_back_alone);
fn a_failing_job_is_rolled_back_alone(backend: Backend) {
    let doors = Doors::open(backend);
    let answers = doors.write_all(&["a", "b-bad", "c", "d-bad", "e"], |conn, name| {
        insert_user(conn, name)?;
        if name.ends_with("bad") { Err(DbError::Other(name.to_owned())) } else { Ok(()) }
    });
    assert_eq!(answers.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true, false, true]);
    assert!(matches!(&answers[1], Err(DbError::Other(name)) if name == "b-bad"), "{answers:?}");
    assert_eq!(doors.names(), ["a", "c", "e"]);
}

both!(a_refused_statement_does_not_spoil_the_jobs_beside_it);
fn a_refused_statement_does_not_spoil_the_jobs_beside_it(backend: Backend) {
    let doors = Doors::open(backend);
    let answers = doors.write_all(&["a", "a", "b"], insert_user);
    assert_eq!(answers.iter().filter(|answer| matches!(answer, Err(DbError::Unique(_)))).count(), 1, "{answers:?}");
    assert_eq!(doors.names(), ["a", "b"]);
}

both!(a_panicking_job_is_caught_and_rolled_back);
fn a_panicking_job_is_caught_and_rolled_back(backend: Backend) {
    let doors = Doors::open(backend);
    let answers = doors.write_all(&["a", "b-bad", "c"], |conn, name| {
        insert_user(conn, name)?;
        assert!(!name.ends_with("bad"), "this panic belongs to the test");
        Ok(())
    });
    assert_eq!(answers.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true], "{answers:?}");
    assert_eq!(doors.names(), ["a", "c"]);
    assert!(doors.write_all(&["d"], insert_user)[0].is_ok());
}

both!(a_violation_that_shows_only_at_commit_takes_only_its_own_job);
fn a_violation_that_shows_only_at_commit_takes_only_its_own_job(backend: Backend) {
    let doors = Doors::open(backend);
    // Django's foreign keys are deferred: the bad row is noticed when the group is committed.
    let answers = doors.write_all(&["a", "b-bad", "c"], |conn, name| {
        insert_user(conn, name)?;
        if name.ends_with("bad") { insert_token(conn, name, 999_999) } else { Ok(()) }
    });
    assert_eq!(answers.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true], "{answers:?}");
    assert_eq!(doors.names(), ["a", "c"]);
    assert_eq!(doors.database.count("SELECT count(*) FROM token_blacklist_outstandingtoken"), 0);
}

both!(an_answer_means_that_everybody_sees_what_was_written);
fn an_answer_means_that_everybody_sees_what_was_written(backend: Backend) {
    let doors = Doors::open(backend);
    for name in ["a", "b", "c"] {
        assert!(doors.write_all(&[name], insert_user)[0].is_ok());
        assert_eq!(doors.names().last().map(String::as_str), Some(name));
    }
}

both!(a_reader_cannot_be_held_up_by_a_writer);
fn a_reader_cannot_be_held_up_by_a_writer(backend: Backend) {
    let doors = Doors::open(backend);
    let mut other = doors.database.connect();
    diesel::connection::SimpleConnection::batch_execute(&mut other, "BEGIN").unwrap();
    insert_user(&mut other, "unfinished").unwrap();
    let seen: Result<i64, DbError> = doors.runtime.block_on(doors.db.read(|conn| Ok(count_users(conn))));
    assert_eq!(seen.unwrap(), 0);
}

both!(statements_are_counted_without_the_frame_around_them);
fn statements_are_counted_without_the_frame_around_them(backend: Backend) {
    let doors = Doors::open(backend);
    let before = doors.db.statements();
    doors.write_all(&["a"], |conn, name| {
        insert_user(conn, name)?;
        count_users(conn);
        Ok(())
    });
    assert_eq!(doors.db.statements() - before, 2);
}

#[test]
fn sqlite_jobs_that_wait_together_are_committed_together() {
    let doors = Doors::open(Backend::Sqlite);
    // While somebody else holds the file, the jobs queue up; then they run in one transaction.
    let mut other = doors.database.connect();
    diesel::connection::SimpleConnection::batch_execute(&mut other, "BEGIN IMMEDIATE").unwrap();
    let file = doors.database.file();
    let jobs = (0..20).map(|number| {
        let file = file.clone();
        doors.db.write(move |conn| {
            insert_user(conn, &format!("user-{number}"))?;
            let mut outside = SqliteConnection::establish(file.to_str().unwrap()).map(Conn::Sqlite).unwrap();
            Ok::<i64, DbError>(count_users(conn) - count_users(&mut outside))
        })
    });
    let release = async {
        diesel::connection::SimpleConnection::batch_execute(&mut other, "ROLLBACK").unwrap();
    };
    let (uncommitted, ()) = doors.runtime.block_on(futures_util::future::join(join_all(jobs), release));
    let most = uncommitted.into_iter().map(Result::unwrap).max().unwrap();
    assert!(most >= 10, "at most {most} jobs shared a commit");
    assert_eq!(doors.names().len(), 20);
}

/// Waits, when it is dropped, until it is told to go on.
struct Gate(Receiver<()>);

impl Drop for Gate {
    fn drop(&mut self) {
        self.0.recv().unwrap();
    }
}

/// Says, when it is dropped, whether its thread panics.
struct Witness(Sender<bool>);

impl Drop for Witness {
    fn drop(&mut self) {
        self.0.send(thread::panicking()).unwrap();
    }
}

#[test]
fn the_last_handle_may_be_dropped_on_the_writers_own_thread() {
    let Doors { runtime, db, database: _database } = Doors::open(Backend::Sqlite);
    let db = Arc::new(db);
    let ((open, gate), (tell, told)) = (mpsc::channel(), mpsc::channel());
    // Dropped one after the other, with the job, after its answer is out.
    let held = (Gate(gate), Arc::clone(&db), Witness(tell));
    let job = move |_: &mut Conn| {
        let _ = &held;
        Ok::<(), DbError>(())
    };
    runtime.block_on(db.write(job)).unwrap();
    drop(db);
    open.send(()).unwrap();
    assert!(!told.recv().unwrap(), "the writer's thread panicked");
}
