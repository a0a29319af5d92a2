//! The cellar without the rest of the house: migrations, and the two doors into the database.

mod doors;
mod migrate;
mod upgrade;
