//! Which check a token fails first. A client is told only "Token is expired" or "Token is invalid"; the panel's page "Explain a
//! token" shows the rest. Returned by `jwt`, `registered` and `key_set`.

/// The check that a token fails, in the order of the checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecodeError {
    /// Not three parts in base64url, or a header that is not a JSON object.
    Form,
    /// The header names no algorithm, or another than `JWT_ALGORITHM`.
    Algorithm,
    /// `kid` is not a string, or `crit` or `b64` ask for something unsupported.
    Header,
    /// With a key set: the header names no key.
    NoKeyId,
    /// With a key set: it does not have that key.
    UnknownKey,
    /// The signature is not that of this key over this text.
    Signature,
    /// The payload is not a JSON object.
    Payload,
    /// A claim (`iat`, `nbf`, `exp`) is not a point in time.
    NotATime(&'static str),
    /// `iat` or `nbf` is in the future.
    TooEarly(&'static str),
    /// `exp` has passed: the only error that a client is told by name.
    Expired,
    /// A claim (`sub`, `jti`, `iss`) is not a string.
    NotAText,
    /// Not from `JWT_ISSUER`.
    Issuer,
    /// Not for `JWT_AUDIENCE`.
    Audience,
}
