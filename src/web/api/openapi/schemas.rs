//! The schemas of the API document: of fields, answers and errors.

use serde_json::Value;
use utoipa::PartialSchema;
use utoipa::openapi::schema::{
    AdditionalProperties, AnyOfBuilder, ArrayBuilder, ArrayItems, ObjectBuilder, OneOfBuilder, Schema, SchemaType, Type,
};
use utoipa::openapi::{Ref, RefOr};

use super::super::answer::{Detail, Empty};

/// The value of a text field.
pub const TEXT: &str = "Text";
/// A signed token.
pub const TOKEN: &str = "Token";
/// `{}`
pub const EMPTY: &str = "Empty";
/// Only a `detail`.
pub const DETAIL: &str = "Detail";
/// A `detail` and a code.
pub const CODED: &str = "CodedDetail";
/// A login that needs a second factor.
pub const SECOND_FACTOR: &str = "SecondFactorRequired";
/// The caller's token is valid for no token class.
pub const TOKEN_NOT_VALID: &str = "TokenNotValid";
/// An error of RFC 6749.
pub const OAUTH: &str = "OAuthError";
/// The errors of a body as a whole.
pub const NON_FIELD: &str = "NonFieldErrors";

/// A text without NUL, with at least one character that Python's `str.strip` keeps.
const NOT_BLANK: &str = "^[^\\u0000]*[^\\u0000\\t-\\r\\u001c-\\u0020\\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000][^\\u0000]*$";

/// A body with a `token` that is not only white space; RFC 7009 and RFC 7662 require no more.
pub fn oauth_token() -> ObjectBuilder {
    const SOMETHING: &str = "[^\\t-\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]";
    let token = text().pattern(Some(SOMETHING)).description(Some("A token. White space around it is ignored."));
    ObjectBuilder::new().property("token", token).required("token")
}

/// Every schema that others refer to, by name.
pub fn all() -> Vec<(&'static str, RefOr<Schema>)> {
    let detail = || ("detail", text().description(Some("What is wrong, for people.")));
    let code = || ("code", text().description(Some("What is wrong, for programs.")));
    let message = object([("token_class", text()), ("token_type", text()), ("message", text())]);
    let challenge = ("challenge", text().description(Some("Identifies the login in the next request.")));
    let methods = list(text()).description(Some("The methods that can answer the challenge."));
    let messages = list(message).min_items(Some(1));
    vec![
        (TEXT, field_text()),
        (TOKEN, text().pattern(Some(r"^[\w-]+\.[\w-]+\.[\w-]+$")).description(Some("A signed JWT.")).into()),
        (EMPTY, Empty::schema()),
        (DETAIL, Detail::schema()),
        (CODED, object([detail(), code()]).into()),
        (SECOND_FACTOR, object([detail(), code(), challenge]).property("methods", methods).into()),
        (TOKEN_NOT_VALID, object([detail(), code()]).property("messages", messages).required("messages").into()),
        (OAUTH, object([("error", text())]).property("error_description", text()).into()),
        (NON_FIELD, object([("non_field_errors", texts())]).into()),
    ]
}

/// The input of Django REST framework's `CharField`.
fn field_text() -> RefOr<Schema> {
    let number =
        ObjectBuilder::new().schema_type(Type::Number).description(Some("Read as text, in Python's notation."));
    let description =
        "Text. White space around it is ignored; it may not be blank or contain NUL. A number is accepted too.";
    AnyOfBuilder::new().item(text().pattern(Some(NOT_BLANK))).item(number).description(Some(description)).into()
}

/// Any value that is true in Python.
pub fn truthy() -> AnyOfBuilder {
    AnyOfBuilder::new()
        .description(Some("Anything that is true, such as `true`, `1` or `\"yes\"`."))
        .item(flag().enum_values(Some([Value::Bool(true)])))
        .item(text().min_length(Some(1)))
        .item(ObjectBuilder::new().schema_type(Type::Number).exclusive_minimum(Some(0)))
        .item(ObjectBuilder::new().schema_type(Type::Number).exclusive_maximum(Some(0)))
        .item(list(anything()).min_items(Some(1)))
        .item(ObjectBuilder::new().min_properties(Some(1)))
}

fn anything() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::AnyValue)
}

/// An object with exactly these properties.
pub fn object<S: Into<RefOr<Schema>>>(properties: impl IntoIterator<Item = (&'static str, S)>) -> ObjectBuilder {
    properties.into_iter().fold(closed(), |object, (name, schema)| object.property(name, schema).required(name))
}

/// An object with no properties other than those that are added.
pub fn closed() -> ObjectBuilder {
    ObjectBuilder::new().additional_properties(Some(AdditionalProperties::FreeForm(false)))
}

/// Errors by field, each a list of texts.
pub fn field_errors<'a>(names: impl IntoIterator<Item = &'a str>) -> ObjectBuilder {
    names.into_iter().fold(closed().min_properties(Some(1)), |object, name| object.property(name, texts()))
}

/// The schema of a field, unless its view sets another.
pub fn text_field() -> RefOr<Schema> {
    Ref::from_schema_name(TEXT).into()
}

/// An optional name of at most this many characters, which may be blank.
pub fn short_text(longest: usize) -> ObjectBuilder {
    text().max_length(Some(longest)).pattern(Some("^[^\\u0000]*$"))
}

/// A list of these.
pub fn list(items: impl Into<ArrayItems>) -> ArrayBuilder {
    ArrayBuilder::new().items(items)
}

/// A plain text.
pub fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

/// `true` or `false`.
pub fn flag() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Boolean)
}

/// A text, or null.
pub fn text_or_null() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::from_iter([Type::String, Type::Null]))
}

fn texts() -> ArrayBuilder {
    list(text()).min_items(Some(1))
}

/// The schema of an error's body.
pub fn of_error(body: &Value) -> Option<&'static str> {
    // A list under a field's name holds the errors of that field.
    let has = |name: &str| body.get(name).is_some_and(Value::is_string);
    match body {
        _ if has("challenge") => Some(SECOND_FACTOR),
        _ if has("error") => Some(OAUTH),
        _ if body.get("messages").is_some() => Some(TOKEN_NOT_VALID),
        _ if has("code") => Some(CODED),
        _ if has("detail") => Some(DETAIL),
        _ if body.get("non_field_errors").is_some() => Some(NON_FIELD),
        _ => None,
    }
}

/// At least one of these.
pub fn any_of(schemas: Vec<RefOr<Schema>>) -> AnyOfBuilder {
    schemas.into_iter().fold(AnyOfBuilder::new(), AnyOfBuilder::item)
}

/// One of these; just the schema itself if there is only one.
pub fn one_of(mut schemas: Vec<RefOr<Schema>>) -> RefOr<Schema> {
    if schemas.len() == 1 {
        return schemas.remove(0);
    }
    schemas.into_iter().fold(OneOfBuilder::new(), OneOfBuilder::item).into()
}
