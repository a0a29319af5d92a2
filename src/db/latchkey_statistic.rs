//! `latchkey_statistic`: counts that take too long for a page, taken now and then in the background.
