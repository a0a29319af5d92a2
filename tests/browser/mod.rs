//! Journeys in a real browser: headless Chromium, driven through chromedriver. `scripts/test` installs both.

mod api;
mod front_end;
mod panel;
mod site;
mod webdriver;
