//! Counts the statements of all connections of a database, and reports each of them to an observer, if there is one. Tests use an
//! observer to stop a job before a statement; the program itself has none.

use std::fmt::{self, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// What happens to a statement; with its text, but without its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// It is about to be sent.
    Starts(&'a str),
    /// It was prepared, and its connection keeps it.
    Keeps(&'a str),
    /// It has finished, with or without an error.
    Ends(&'a str),
}

/// Called for each statement, on the thread that runs it, which it may block.
pub type Observer = Box<dyn Fn(Event<'_>) + Send + Sync>;

/// Shared by all connections of a `Db`.
#[derive(Default)]
pub(super) struct Statements {
    count: AtomicU64,
    observer: OnceLock<Observer>,
}

impl Statements {
    /// How many there have been, not counting transaction control.
    pub(super) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// Sets the observer; only the first one is kept.
    pub(super) fn observe(&self, observer: Observer) {
        let _ = self.observer.set(observer);
    }

    pub(super) fn starts(&self, query: &dyn fmt::Display) {
        if !is_transaction_control(query) {
            self.count.fetch_add(1, Ordering::Relaxed);
        }
        if let Some(observer) = self.observer.get() {
            observer(Event::Starts(&without_values(query)));
        }
    }

    pub(super) fn keeps(&self, text: &str) {
        if let Some(observer) = self.observer.get() {
            observer(Event::Keeps(text));
        }
    }

    pub(super) fn ends(&self, query: &dyn fmt::Display) {
        if let Some(observer) = self.observer.get() {
            observer(Event::Ends(&without_values(query)));
        }
    }
}

/// The text that is sent to the database. Diesel appends the values, and tokens may be among them.
fn without_values(query: &dyn fmt::Display) -> String {
    let mut text = query.to_string();
    if let Some(end) = text.find(" -- binds: ") {
        text.truncate(end);
    }
    text
}

/// Reads only the first word: the text continues with values, and tokens may be among them.
fn is_transaction_control(query: &dyn fmt::Display) -> bool {
    let mut start = Start::default();
    // This stops with an error when it has read enough.
    let _ = write!(start, "{query}");
    let sql = &start.0;
    ["BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE"].iter().any(|word| sql.starts_with(word))
}

/// Keeps the beginning of a text and refuses the rest.
#[derive(Default)]
struct Start(String);

impl fmt::Write for Start {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        const ENOUGH: usize = "SAVEPOINT".len();
        self.0.extend(text.chars().take(ENOUGH - self.0.len().min(ENOUGH)));
        if self.0.len() < ENOUGH { Ok(()) } else { Err(fmt::Error) }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[test]
    fn an_observer_hears_of_each_statement_without_its_values() {
        let (statements, heard) = (Statements::default(), Arc::new(Mutex::new(Vec::new())));
        statements.starts(&"BEGIN");
        let list = Arc::clone(&heard);
        statements.observe(Box::new(move |event| list.lock().unwrap().push(format!("{event:?}"))));
        statements.starts(&"SELECT $1 -- binds: [\"secret\"]");
        statements.ends(&"SELECT $1 -- binds: [\"secret\"]");
        assert_eq!(*heard.lock().unwrap(), ["Starts(\"SELECT $1\")", "Ends(\"SELECT $1\")"]);
        assert_eq!(statements.count(), 1);
    }
}
