//! The API over HTTP: what clients of SimpleJWT rely on, and what they must never meet.
//! The conformance corpus compares every answer with the original; here stands what a recording cannot say.

mod bad_input;
mod beside_django;
mod bodies;
mod browsable;
mod cookie;
mod database_away;
mod emails;
mod events;
mod headers;
mod health;
mod introspect;
mod jwk_url;
mod last_login;
mod logout;
pub mod passwords;
mod properties;
mod purge;
mod refresh;
mod revoke;
mod schema;
pub mod second_factor;
mod session_list;
mod sessions;
mod speed;
mod throttle;
mod token;
mod users;
