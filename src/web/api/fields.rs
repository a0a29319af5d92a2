//! The values of a body's fields, validated as DRF's `CharField` validates them, with the same texts.

use super::error::ApiError;
use super::python;

/// The value of a field, in as much detail as views need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, in Python's notation.
    Number(String),
    /// Text. JSON may contain lone surrogates, which no Rust string can hold.
    Text {
        /// The text, with U+FFFD in place of lone surrogates.
        text: String,
        /// The first lone surrogate.
        surrogate: Option<u32>,
    },
    /// A list or an object of a JSON body, not parsed yet.
    Nested(String),
    /// An uploaded file.
    File,
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
            Self::Nested(raw) => raw.len() > 2 && !raw[1..raw.len() - 1].trim().is_empty(),
            Self::File => true,
        }
    }
}

/// The fields of a body, in order. If a field is repeated, the last one counts.
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

    /// Whether a field holds a true value: the form of a page sends all of its fields, even empty ones.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some_and(Value::is_true)
    }

    /// Returns an optional text that may be blank, trimmed; or its errors.
    pub fn optional_text(&self, name: &str, longest: usize) -> Result<Option<String>, ApiError> {
        let text = self.get(name).map(|value| checked(value, Some(longest))).transpose();
        text.map_err(|problems| ApiError::fields([(name, problems)]))
    }

    /// Returns a required JSON object, which a form sends as text; or its errors.
    pub fn object(&self, name: &str) -> Result<serde_json::Value, ApiError> {
        let refused = |problem: &str| ApiError::fields([(name, vec![problem.to_owned()])]);
        let text = match self.get(name) {
            None => return Err(refused("This field is required.")),
            Some(Value::Null) => return Err(refused("This field may not be null.")),
            Some(Value::Nested(text) | Value::Text { text, surrogate: None }) => text,
            Some(_) => return Err(refused(NO_OBJECT)),
        };
        // serde_json refuses JSON that is nested too deeply.
        let value: serde_json::Value = serde_json::from_str(text).map_err(|_| refused(NO_OBJECT))?;
        if value.is_object() { Ok(value) } else { Err(refused(NO_OBJECT)) }
    }

    /// Returns an optional `BooleanField`, false by default; or its errors.
    pub fn flag(&self, name: &str) -> Result<bool, ApiError> {
        let word = match self.get(name) {
            // For an unticked box, a form sends nothing or an empty value.
            None => return Ok(false),
            Some(Value::Text { text, .. }) if text.is_empty() => return Ok(false),
            Some(Value::Bool(value)) => return Ok(*value),
            Some(Value::Text { text, .. } | Value::Number(text)) => python::strip(text).to_lowercase(),
            Some(Value::Null | Value::Nested(_) | Value::File) => String::new(),
        };
        match &*word {
            "true" | "t" | "yes" | "y" | "on" | "1" => Ok(true),
            "false" | "f" | "no" | "n" | "off" | "0" | "0.0" => Ok(false),
            _ => Err(ApiError::fields([(name, vec!["Must be a valid boolean.".to_owned()])])),
        }
    }

    /// The `token` of RFC 7009 and RFC 7662. A parameter without a value counts as missing (RFC 6749 3.2).
    pub fn oauth_token(&self) -> Result<&str, ApiError> {
        self.text("token").map(str::trim).filter(|token| !token.is_empty()).ok_or_else(ApiError::no_token)
    }

    /// Returns these required texts, trimmed; or the errors of each.
    pub fn texts<const N: usize>(&self, names: [&str; N]) -> Result<[String; N], ApiError> {
        let checked = names.map(|name| (name, char_field(self.get(name))));
        if checked.iter().all(|(_, result)| result.is_ok()) {
            return Ok(checked.map(|(_, result)| result.unwrap_or_default()));
        }
        Err(ApiError::fields(checked.into_iter().filter_map(|(name, result)| Some((name, result.err()?)))))
    }
}

const NO_OBJECT: &str = "Not a valid JSON object.";

/// The errors of these fields if each of them holds this value.
pub fn refusal<'a>(names: impl IntoIterator<Item = &'a str>, value: Option<&Value>) -> ApiError {
    ApiError::fields(names.into_iter().filter_map(|name| Some((name, char_field(value).err()?))))
}

/// A `CharField`.
fn char_field(value: Option<&Value>) -> Result<String, Vec<String>> {
    let value = value.ok_or_else(|| vec!["This field is required.".to_owned()])?;
    match checked(value, None)? {
        text if text.is_empty() => Err(vec!["This field may not be blank.".to_owned()]),
        text => Ok(text),
    }
}

/// The text of a value, trimmed; or all of its errors.
fn checked(value: &Value, longest: Option<usize>) -> Result<String, Vec<String>> {
    let (text, surrogate) = match value {
        Value::Null => return Err(vec!["This field may not be null.".to_owned()]),
        Value::Bool(_) | Value::Nested(_) | Value::File => return Err(vec!["Not a valid string.".to_owned()]),
        Value::Number(text) => (python::strip(text), None),
        Value::Text { text, surrogate } => (python::strip(text), *surrogate),
    };
    let mut problems = Vec::new();
    if let Some(longest) = longest.filter(|longest| text.chars().count() > *longest) {
        problems.push(format!("Ensure this field has no more than {longest} characters."));
    }
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

    fn required(value: Value) -> Result<String, String> {
        char_field(Some(&value)).map_err(|problems| problems.join(" "))
    }

    #[test]
    fn texts_are_trimmed_and_numbers_become_text() {
        assert_eq!(required(Value::text(" alice\n".into())), Ok("alice".into()));
        assert_eq!(required(Value::Number("1.5".into())), Ok("1.5".into()));
    }

    #[test]
    fn each_bad_value_has_its_own_text() {
        assert_eq!(char_field(None), Err(vec!["This field is required.".into()]));
        assert_eq!(required(Value::Null), Err("This field may not be null.".into()));
        assert_eq!(required(Value::Bool(false)), Err("Not a valid string.".into()));
        assert_eq!(required(Value::Nested("[]".into())), Err("Not a valid string.".into()));
        assert_eq!(required(Value::text(" \t".into())), Err("This field may not be blank.".into()));
        assert_eq!(required(Value::text("a\0b".into())), Err("Null characters are not allowed.".into()));
        let half = Value::Text { text: "a\u{fffd}".into(), surrogate: Some(0xd83d) };
        assert_eq!(required(half), Err("Surrogate characters are not allowed: U+D83D.".into()));
    }

    #[test]
    fn every_fault_of_a_long_text_is_named() {
        let long = Value::text(format!("a\0{}", "ä".repeat(99)));
        let problems = ["Ensure this field has no more than 100 characters.", "Null characters are not allowed."];
        assert_eq!(checked(&long, Some(100)), Err(problems.map(str::to_owned).to_vec()));
        assert_eq!(checked(&Value::text("ä".repeat(100)), Some(100)), Ok("ä".repeat(100)));
    }

    #[test]
    fn an_object_is_read_from_json_and_from_a_form() {
        let read =
            |value| Fields(vec![("a".to_owned(), value)]).object("a").map_err(|error| error.body["a"][0].clone());
        for good in [Value::Nested(r#"{"b": [1]}"#.into()), Value::text(r#" {"b": [1]} "#.into())] {
            assert_eq!(read(good), Ok(serde_json::json!({"b": [1]})));
        }
        let deep = format!("{}1{}", "{\"a\":".repeat(10_000), "}".repeat(10_000));
        for bad in ["[1]", "1", "", "{", r#"{"a": "\ud800"}"#, &deep] {
            assert_eq!(read(Value::Nested(bad.into())), Err(NO_OBJECT.into()), "{bad:.20}");
        }
        assert_eq!(read(Value::File), Err(NO_OBJECT.into()));
        assert_eq!(read(Value::Null), Err("This field may not be null.".into()));
        assert_eq!(Fields::default().object("a").unwrap_err().body["a"][0], "This field is required.");
    }

    #[test]
    fn truth_is_pythons() {
        for value in [Value::Null, Value::Bool(false), Value::Number("-0.0".into()), Value::text(String::new())] {
            assert!(!value.is_true(), "{value:?}");
        }
        assert!(!Value::Nested("{ }".into()).is_true());
        for value in
            [Value::Bool(true), Value::Number("inf".into()), Value::text("false".into()), Value::text("0".into())]
        {
            assert!(value.is_true(), "{value:?}");
        }
        assert!(Value::Nested("[0]".into()).is_true() && Value::File.is_true());
    }
}
