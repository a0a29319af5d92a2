//! The answers of views. An answer is a struct: serde writes its JSON, utoipa derives its schema, and a value of it is
//! the example in the API document, so the three cannot differ. Shared answers are here; the answer of a single view is
//! defined beside the view.

use serde::Serialize;
use utoipa::openapi::schema::{AdditionalProperties, Object, Schema};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use crate::config::Config;

use super::openapi::schemas;

/// The body of a successful answer.
///
/// `#[serde(deny_unknown_fields)]` on an answer adds to its schema that it has no other members.
pub trait AnswerBody: Serialize + ToSchema {
    /// Its schema under these settings.
    fn schema_under(_config: &Config) -> RefOr<Schema> {
        Self::schema()
    }
}

/// A list of rows.
#[derive(Serialize)]
#[serde(transparent)]
pub struct ListOf<T>(pub Vec<T>);

impl<T: PartialSchema> PartialSchema for ListOf<T> {
    fn schema() -> RefOr<Schema> {
        schemas::list(T::schema()).into()
    }
}

impl<T: ToSchema> ToSchema for ListOf<T> {}

impl<T: AnswerBody> AnswerBody for ListOf<T> {}

/// `{}`: a success with nothing else to report.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Empty {}

impl AnswerBody for Empty {
    fn schema_under(_: &Config) -> RefOr<Schema> {
        Ref::from_schema_name(schemas::EMPTY).into()
    }
}

/// One sentence.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Detail {
    /// What happened, or what is wrong, for people.
    pub detail: &'static str,
}

impl AnswerBody for Detail {
    fn schema_under(_: &Config) -> RefOr<Schema> {
        Ref::from_schema_name(schemas::DETAIL).into()
    }
}

/// The type of a field that holds a signed token. Only its name is used: the schema is a component.
pub struct Token;

impl PartialSchema for Token {
    fn schema() -> RefOr<Schema> {
        Ref::from_schema_name(schemas::TOKEN).into()
    }
}

impl ToSchema for Token {}

/// The schema of an object with the members of both, as serde writes two flattened structs.
pub fn merged<A: ToSchema, B: ToSchema>() -> RefOr<Schema> {
    let members = |schema| match schema {
        RefOr::T(Schema::Object(object)) => object,
        _ => Object::new(),
    };
    let (mut object, more) = (members(A::schema()), members(B::schema()));
    object.properties.extend(more.properties);
    object.required.extend(more.required);
    object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
    object.description = None;
    Schema::Object(object).into()
}
