//! What can be done with the rows that are ticked in a list: the form that says which, and what.

use crate::web::admin::csrf::CsrfForm;

/// The form round a list, or the one of the question that follows.
pub struct Chosen {
    /// What is to be done: the value of one of the list's actions.
    pub action: String,
    /// The keys of the ticked rows, as sent.
    pub selected: Vec<String>,
    /// Whether the question was answered with yes.
    pub is_confirmed: bool,
    /// The visitor's own password, where the question asks for it.
    pub password: Option<String>,
}

/// How many rows a form can select; a page has fewer.
const MAX_SELECTED: usize = 200;

impl From<CsrfForm<Vec<(String, String)>>> for Chosen {
    fn from(CsrfForm(fields): CsrfForm<Vec<(String, String)>>) -> Self {
        let find = |name: &str| fields.iter().rfind(|(given, _)| given == name).map(|(_, value)| value.clone());
        let selected = fields.iter().filter(|(name, _)| name == "selected").map(|(_, value)| value.clone());
        Self {
            action: find("action").unwrap_or_default(),
            selected: selected.take(MAX_SELECTED).collect(),
            is_confirmed: find("confirmed").is_some(),
            password: find("own_password"),
        }
    }
}

impl Chosen {
    /// The keys that are numbers, each once.
    pub fn ids(&self) -> Vec<i64> {
        let mut ids: Vec<i64> = self.selected.iter().filter_map(|key| key.parse().ok()).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }
}
