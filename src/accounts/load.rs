//! Loads many users together: all of them or none.

use futures_util::{StreamExt, stream};

use super::manage::{self, ManageError, NewUser};
use crate::app::App;
use crate::db::DbError;
use crate::journal::Actor;

/// Passwords that are hashed in parallel: enough to keep the pool's threads busy without filling its queue.
const HASHING: usize = 16;

/// Why no user was loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// These users cannot be created; their positions in the list count from 0.
    #[error("{} of the users cannot be loaded", .0.len())]
    Users(Vec<(usize, ManageError)>),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Creates all of these users or none; `tell` is called with the number of passwords hashed so far.
pub async fn load(
    app: &App,
    actor: &Actor,
    users: Vec<NewUser>,
    mut tell: impl FnMut(usize),
) -> Result<usize, LoadError> {
    let mut hashing = stream::iter(users).map(|user| manage::prepare(app, user)).buffered(HASHING);
    let (mut rows, mut problems) = (Vec::new(), Vec::new());
    let mut position = 0;
    while let Some(prepared) = hashing.next().await {
        match prepared {
            Ok(row) => rows.push((position, row)),
            Err(problem) => problems.push((position, problem)),
        }
        position += 1;
        tell(position);
    }
    if !problems.is_empty() {
        return Err(LoadError::Users(problems));
    }
    let actor = actor.clone();
    app.write(move |tx| {
        let mut problems = Vec::new();
        for (position, row) in &rows {
            match manage::insert(tx, &actor, row) {
                Ok(_) => {}
                Err(ManageError::Db(error)) => return Err(LoadError::Db(error)),
                Err(problem) => problems.push((*position, problem)),
            }
        }
        if problems.is_empty() { Ok(rows.len()) } else { Err(LoadError::Users(problems)) }
    })
    .await
}
