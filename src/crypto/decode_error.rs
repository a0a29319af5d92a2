//! Which check a token fails, the first that does. A client is told "Token is expired" or "Token is invalid" and no more;
//! the panel's page "Explain a token" tells the rest. Found in `jwt`, `registered` and `key_set`.

/// The check that a token fails, in the order in which they are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecodeError {
    /// Not three parts in base64url, or a header that is no JSON object.
    Form,
    /// The header names another algorithm than `JWT_ALGORITHM`, or none.
    Algorithm,
    /// `kid` is no text, or `crit` or `b64` ask for what is not understood.
    Header,
    /// With a key set: the header names no key.
    NoKeyId,
    /// With a key set: it has no such key.
    UnknownKey,
    /// The signature was not made with the key, or not over this text.
    Signature,
    /// A payload that is no JSON object.
    Payload,
    /// A claim (`iat`, `nbf`, `exp`) that is no point in time.
    NotATime(&'static str),
    /// `iat` or `nbf` lies in the future.
    TooEarly(&'static str),
    /// Past its `exp`: the one fault that a client is told.
    Expired,
    /// A claim (`sub`, `jti`, `iss`) that is no text.
    NotAText,
    /// Not from `JWT_ISSUER`.
    Issuer,
    /// Not for `JWT_AUDIENCE`.
    Audience,
}
