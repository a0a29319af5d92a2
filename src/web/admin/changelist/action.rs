//! The form for an action on selected rows of a list.

use crate::web::admin::csrf::CsrfForm;

/// The fields of the form, in the list and in the question that follows.
pub struct Chosen {
    /// The value of the chosen action.
    pub action: String,
    /// The keys of the selected rows, as sent.
    pub selected: Vec<String>,
    /// Whether the question was confirmed.
    pub is_confirmed: bool,
    /// The user's own password, where the question asks for it.
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
    /// The keys as numbers, without duplicates.
    pub fn ids(&self) -> Vec<i64> {
        let mut ids: Vec<i64> = self.selected.iter().filter_map(|key| key.parse().ok()).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }
}
