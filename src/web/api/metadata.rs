//! The answer to OPTIONS: DRF's `SimpleMetadata`.

use actix_web::http::Method;
use serde_json::{Map, Value, json};

use crate::config::Config;

use super::View;
use super::field::Field;

/// Name, description and formats, and the fields if the view has a serializer in SimpleJWT.
pub fn describe<V: View>(config: &Config) -> Value {
    let renders: &[&str] =
        if config.jwt.browsable_api { &["application/json", "text/html"] } else { &["application/json"] };
    let mut metadata = json!({
        "name": V::NAME,
        "description": V::DESCRIPTION,
        "renders": renders,
        "parses": ["application/json", "application/x-www-form-urlencoded", "multipart/form-data"],
    });
    let fields: Map<_, _> = V::fields(config).iter().map(|field| (field.name.to_owned(), of_field(field))).collect();
    if !fields.is_empty() && V::METHODS.contains(&Method::POST) {
        metadata["actions"] = json!({"POST": fields});
    }
    metadata
}

fn of_field(field: &Field) -> Value {
    json!({
        "type": "string",
        "required": field.is_required,
        "read_only": field.is_read_only,
        "label": field.options_label(),
    })
}
