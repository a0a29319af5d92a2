//! The only source of randomness.

use aws_lc_rs::rand;

/// `N` random bytes from the system's generator.
///
/// # Panics
/// Never in practice: the generator of a running system does not fail.
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut out = [0; N];
    #[expect(clippy::expect_used, reason = "without randomness nothing here may go on")]
    rand::fill(&mut out).expect("the system's random generator answers");
    out
}

/// 32 lower-case hexadecimal digits, as Python's `uuid4().hex`: what a jti looks like.
pub fn jti() -> String {
    let mut bytes = bytes::<16>();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    hex(&bytes)
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}
