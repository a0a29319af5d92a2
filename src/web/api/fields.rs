//! The values of a body's fields, checked as DRF's `CharField` checks them, with its texts.

use super::error::ApiError;
use super::python;

/// What a field holds, as far as anybody asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, written as Python writes it.
    Number(String),
    /// Text; JSON may smuggle half of a surrogate pair into it, which no text can hold.
    Text {
        /// The text, with U+FFFD in place of half pairs.
        text: String,
        /// The first half pair.
        surrogate: Option<u32>,
    },
    /// A list, an object or an uploaded file.
    Other {
        /// Nothing is in it.
        is_empty: bool,
    },
}

impl Value {
    /// Plain text, as from a form.
    pub fn text(text: String) -> Self {
        Self::Text { text, surrogate: None }
    }

    /// Python's `bool(value)`.
    pub fn is_true(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Bool(value) => *value,
            Self::Number(text) => text.parse::<f64>() != Ok(0.0),
            Self::Text { text, .. } => !text.is_empty(),
            Self::Other { is_empty } => !is_empty,
        }
    }
}

/// The fields of a body, in order; of a repeated one the last counts.
#[derive(Debug, Clone, Default)]
pub struct Fields(pub Vec<(String, Value)>);

impl Fields {
    /// The value of a field.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// The value of a field that holds text.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name) {
            Some(Value::Text { text, .. }) => Some(text),
            _ => None,
        }
    }

    /// These required texts, trimmed; or what is wrong with each of them.
    pub fn texts<const N: usize>(&self, names: [&str; N]) -> Result<[String; N], ApiError> {
        let checked = names.map(|name| (name, char_field(self.get(name))));
        if checked.iter().all(|(_, result)| result.is_ok()) {
            return Ok(checked.map(|(_, result)| result.unwrap_or_default()));
        }
        Err(ApiError::fields(checked.into_iter().filter_map(|(name, result)| Some((name, result.err()?)))))
    }
}

fn char_field(value: Option<&Value>) -> Result<String, Vec<String>> {
    let fail = |text: &str| Err(vec![text.to_owned()]);
    let (text, surrogate) = match value {
        None => return fail("This field is required."),
        Some(Value::Null) => return fail("This field may not be null."),
        Some(Value::Bool(_) | Value::Other { .. }) => return fail("Not a valid string."),
        Some(Value::Number(text)) => (python::strip(text), None),
        Some(Value::Text { text, surrogate }) => (python::strip(text), *surrogate),
    };
    if text.is_empty() {
        return fail("This field may not be blank.");
    }
    let mut problems = Vec::new();
    if text.contains('\0') {
        problems.push("Null characters are not allowed.".to_owned());
    }
    if let Some(code) = surrogate {
        problems.push(format!("Surrogate characters are not allowed: U+{code:X}."));
    }
    if problems.is_empty() { Ok(text.to_owned()) } else { Err(problems) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(value: Value) -> Result<String, String> {
        char_field(Some(&value)).map_err(|problems| problems.join(" "))
    }

    #[test]
    fn texts_are_trimmed_and_numbers_become_text() {
        assert_eq!(checked(Value::text(" alice\n".into())), Ok("alice".into()));
        assert_eq!(checked(Value::Number("1.5".into())), Ok("1.5".into()));
    }

    #[test]
    fn each_bad_value_has_its_own_text() {
        assert_eq!(char_field(None), Err(vec!["This field is required.".into()]));
        assert_eq!(checked(Value::Null), Err("This field may not be null.".into()));
        assert_eq!(checked(Value::Bool(false)), Err("Not a valid string.".into()));
        assert_eq!(checked(Value::Other { is_empty: true }), Err("Not a valid string.".into()));
        assert_eq!(checked(Value::text(" \t".into())), Err("This field may not be blank.".into()));
        assert_eq!(checked(Value::text("a\0b".into())), Err("Null characters are not allowed.".into()));
        let half = Value::Text { text: "a\u{fffd}".into(), surrogate: Some(0xd83d) };
        assert_eq!(checked(half), Err("Surrogate characters are not allowed: U+D83D.".into()));
    }

    #[test]
    fn truth_is_pythons() {
        for value in [Value::Null, Value::Bool(false), Value::Number("-0.0".into()), Value::text(String::new())] {
            assert!(!value.is_true(), "{value:?}");
        }
        assert!(!Value::Other { is_empty: true }.is_true());
        for value in
            [Value::Bool(true), Value::Number("inf".into()), Value::text("false".into()), Value::text("0".into())]
        {
            assert!(value.is_true(), "{value:?}");
        }
        assert!(Value::Other { is_empty: false }.is_true());
    }
}
