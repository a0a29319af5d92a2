//! The filters of a list: how they are read from an address, and how they are shown: as tabs, as fields of a form, and as
//! chips that remove a filter. Invalid values are ignored.

use chrono::NaiveDate;

use super::period::Period;
use crate::web::admin::search::clean;

/// A filter of a list.
#[derive(Debug)]
pub struct Filter {
    /// Its name in the address.
    pub name: &'static str,
    /// Its label.
    pub label: &'static str,
    /// The kind of its values.
    pub kind: FilterKind,
}

/// The kind of a filter's values.
#[derive(Debug, Clone, Copy)]
pub enum FilterKind {
    /// One of these values, each with its label, chosen by tabs above the list.
    Tabs(&'static [(&'static str, &'static str)]),
    /// One of these values, chosen in the form.
    Choice(&'static [(&'static str, &'static str)]),
    /// Any text; with a hint.
    Text(&'static str),
    /// A period: `NAME=2026-11-22`, `NAME=2026-11`, `NAME=2026`, or `NAME_from=` and `NAME_to=`.
    Dates,
}

/// The active filters of a list.
#[derive(Debug, Default)]
pub struct Chosen {
    values: Vec<(&'static Filter, Value)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
    Choice(&'static str, &'static str),
    Text(String),
    Dates(Period),
}

/// An active filter, with a link that removes it.
pub struct Chip {
    /// The text.
    pub words: String,
    /// The address of the list without it.
    pub href: String,
}

/// A tab.
pub struct Tab {
    /// The text.
    pub words: &'static str,
    /// The value of the filter; empty for all.
    pub value: &'static str,
    /// The address of the list.
    pub href: String,
    /// Whether it is the current one.
    pub is_current: bool,
    /// The approximate number of rows.
    pub count: Option<String>,
}

/// A field of the form behind "Filters".
pub enum Field {
    /// A choice: name, label, and for each option its value, its label and whether it is chosen.
    Choice(&'static str, &'static str, Vec<(&'static str, &'static str, bool)>),
    /// A text: name, label, hint, value.
    Text(&'static str, &'static str, &'static str, String),
    /// Two dates: name, label, first and last day.
    Dates(&'static str, &'static str, String, String),
}

impl Field {
    /// The name of its filter.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Choice(name, ..) | Self::Text(name, ..) | Self::Dates(name, ..) => name,
        }
    }
}

impl Chosen {
    /// Reads the pairs of a query.
    pub fn parse(pairs: &[(String, String)], filters: &'static [Filter]) -> Self {
        let find = |name: &str| pairs.iter().rfind(|(given, _)| given == name).map(|(_, value)| value.trim());
        let values = filters.iter().filter_map(|filter| {
            let value = match filter.kind {
                FilterKind::Tabs(choices) | FilterKind::Choice(choices) => {
                    let given = find(filter.name)?;
                    let (value, words) = choices.iter().find(|(value, _)| *value == given)?;
                    Value::Choice(value, words)
                }
                FilterKind::Text(_) => Value::Text(Some(clean(find(filter.name)?)).filter(|text| !text.is_empty())?),
                FilterKind::Dates => {
                    let day = |name| find(&format!("{}_{name}", filter.name)).and_then(|day| day.parse().ok());
                    let whole = find(filter.name).and_then(Period::parse);
                    Value::Dates(whole.or_else(|| Period::between(day("from"), day("to")))?)
                }
            };
            Some((filter, value))
        });
        Self { values: values.collect() }
    }

    fn get(&self, name: &str) -> Option<&Value> {
        self.values.iter().find(|(filter, _)| filter.name == name).map(|(_, value)| value)
    }

    /// The value of a choice.
    pub fn choice(&self, name: &str) -> Option<&'static str> {
        match self.get(name)? {
            Value::Choice(value, _) => Some(value),
            _ => None,
        }
    }

    /// The value of a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value of a period.
    pub fn period(&self, name: &str) -> Option<Period> {
        match self.get(name)? {
            Value::Dates(period) => Some(*period),
            _ => None,
        }
    }

    /// How many are active, without the tabs.
    pub fn count(&self) -> usize {
        self.values.iter().filter(|(filter, _)| !matches!(filter.kind, FilterKind::Tabs(_))).count()
    }

    /// Whether none is active.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The pairs for an address, without the filter of this name.
    pub fn pairs(&self, without: Option<&str>) -> Vec<(String, String)> {
        let kept = self.values.iter().filter(|(filter, _)| Some(filter.name) != without);
        kept.flat_map(|(filter, value)| match value {
            Value::Choice(value, _) => vec![(filter.name.to_owned(), (*value).to_owned())],
            Value::Text(text) => vec![(filter.name.to_owned(), text.clone())],
            Value::Dates(period) => period.pairs(filter.name),
        })
        .collect()
    }

    /// The active filters as chips, without the tabs; `href` makes an address from pairs.
    pub fn chips(&self, href: impl Fn(&[(String, String)]) -> String) -> Vec<Chip> {
        let shown = self.values.iter().filter(|(filter, _)| !matches!(filter.kind, FilterKind::Tabs(_)));
        shown
            .map(|(filter, value)| {
                let words = match value {
                    Value::Choice(_, words) => format!("{}: {words}", filter.label),
                    Value::Text(text) => format!("{}: {text}", filter.label),
                    Value::Dates(period) => format!("{} {}", filter.label, period.words()),
                };
                Chip { words, href: href(&self.pairs(Some(filter.name))) }
            })
            .collect()
    }

    /// The tabs of the list, if it has any; the first shows all rows.
    pub fn tabs(&self, filters: &'static [Filter], href: impl Fn(&[(String, String)]) -> String) -> Vec<Tab> {
        let tabbed = filters.iter().find_map(|filter| match filter.kind {
            FilterKind::Tabs(choices) => Some((filter.name, choices)),
            _ => None,
        });
        let Some((name, choices)) = tabbed else { return vec![] };
        let others = self.pairs(Some(name));
        let all = [("", "All")];
        let choices = all.iter().chain(choices);
        choices
            .map(|(value, words)| {
                let mut pairs = others.clone();
                if !value.is_empty() {
                    pairs.push((name.to_owned(), (*value).to_owned()));
                }
                let is_current = self.choice(name).unwrap_or_default() == *value;
                Tab { words, value, href: href(&pairs), is_current, count: None }
            })
            .collect()
    }

    /// The fields of the form, with the chosen values.
    pub fn fields(&self, filters: &'static [Filter]) -> Vec<Field> {
        let date = |day: Option<NaiveDate>| day.map(|day| day.to_string()).unwrap_or_default();
        let field = |filter: &'static Filter| match filter.kind {
            FilterKind::Tabs(_) => None,
            FilterKind::Choice(choices) => {
                let chosen = self.choice(filter.name).unwrap_or_default();
                let any = [("", "Any")];
                let options = any.iter().chain(choices).map(|(value, words)| (*value, *words, *value == chosen));
                Some(Field::Choice(filter.name, filter.label, options.collect()))
            }
            FilterKind::Text(hint) => Some(Field::Text(
                filter.name,
                filter.label,
                hint,
                self.text(filter.name).unwrap_or_default().to_owned(),
            )),
            FilterKind::Dates => {
                let (first, last) = self.period(filter.name).map(Period::days).unwrap_or_default();
                Some(Field::Dates(filter.name, filter.label, date(first), date(last)))
            }
        };
        filters.iter().filter_map(field).collect()
    }
}
