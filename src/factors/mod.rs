//! Second factors: what a login asks for besides the password, and who must have one. A factor has to be confirmed
//! before it counts (`enrol`); anything that waits for a factor is a challenge (`challenge`), and `answer` verifies the
//! answer.

pub mod account_login;
pub mod answer;
pub mod ask;
pub mod challenge;
pub mod code;
pub mod due;
pub mod enrol;
pub mod enrolled;
pub mod enrolment;
pub mod mail;
pub mod overview;
pub mod panel_login;
pub mod remembered_browser;
pub mod remove;
