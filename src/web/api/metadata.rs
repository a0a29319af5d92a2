//! What OPTIONS answers: DRF's `SimpleMetadata`.

use actix_web::http::Method;
use serde_json::{Map, Value, json};

use crate::config::Config;

use super::View;

/// A field as OPTIONS lists it.
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Only answers have it.
    pub is_read_only: bool,
    /// A request must have it.
    pub is_required: bool,
}

impl Field {
    /// A field that a request must have.
    pub fn required(name: &'static str) -> Self {
        Self { name, is_read_only: false, is_required: true }
    }

    /// A field that a request may have.
    pub fn optional(name: &'static str) -> Self {
        Self { name, is_read_only: false, is_required: false }
    }

    /// A field that only answers have.
    pub fn read_only(name: &'static str) -> Self {
        Self { name, is_read_only: true, is_required: false }
    }

    fn describe(&self) -> Value {
        let label = self.name[..1].to_uppercase() + &self.name[1..].replace('_', " ");
        json!({"type": "string", "required": self.is_required, "read_only": self.is_read_only, "label": label})
    }
}

/// Name, description, formats, and the fields where the view has a serializer in SimpleJWT.
pub fn describe<V: View>(config: &Config) -> Value {
    let mut metadata = json!({
        "name": V::NAME,
        "description": V::DESCRIPTION,
        "renders": if config.jwt.browsable_api { json!(["application/json", "text/html"]) } else { json!(["application/json"]) },
        "parses": ["application/json", "application/x-www-form-urlencoded", "multipart/form-data"],
    });
    let fields: Map<_, _> = V::fields(config).iter().map(|field| (field.name.to_owned(), field.describe())).collect();
    if !fields.is_empty() && V::METHODS.contains(&Method::POST) {
        metadata["actions"] = json!({"POST": fields});
    }
    metadata
}
