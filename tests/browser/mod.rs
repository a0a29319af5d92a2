//! Journeys in a real browser: headless Chromium, driven through chromedriver. `scripts/test` installs both.

mod accessibility;
mod api;
mod front_end;
pub mod pages;
mod panel;
mod panel_factors;
mod passwords;
mod pictures;
mod script;
mod second_factor_page;
mod second_factors;
mod seeded;
mod site;
mod soundness;
mod webdriver;
