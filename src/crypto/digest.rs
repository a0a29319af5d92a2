//! Hashes and comparisons of bytes other than passwords: fingerprints of tokens, signatures of cookies and forms.
//! Passwords are in `password`, signatures of tokens in `keys`.

use aws_lc_rs::{constant_time, digest, hmac};
use md5::{Digest, Md5};

use super::random::hex;

/// SHA-256, as 64 lower-case hexadecimal digits.
pub fn sha256_hex(data: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, data).as_ref())
}

/// HMAC with SHA-256 (RFC 2104).
pub fn hmac_sha256(key: &[u8], data: &[u8]) -> [u8; 32] {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), data);
    let mut out = [0; 32];
    out.copy_from_slice(tag.as_ref());
    out
}

/// Whether both are equal, in a time that depends only on their lengths.
pub fn equal(a: &[u8], b: &[u8]) -> bool {
    constant_time::verify_slices_are_equal(a, b).is_ok()
}

/// MD5, as 32 upper-case hexadecimal digits: the value of SimpleJWT's revoke claim (`CHECK_REVOKE_TOKEN`).
///
/// MD5 protects nothing here: the claim has to be the one that Django writes, and the token around it is signed.
pub fn md5_upper_hex(data: &[u8]) -> String {
    hex(&Md5::digest(data)).to_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sha256_is_that_of_fips_180() {
        assert_eq!(sha256_hex(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn hmac_is_that_of_rfc_4231() {
        let tag = hmac_sha256(b"Jefe", b"what do ya want for nothing?");
        assert_eq!(hex(&tag), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }

    #[test]
    fn equal_compares_content_and_length() {
        assert!(equal(b"", b"") && equal(b"key", b"key"));
        assert!(!equal(b"key", b"kez") && !equal(b"key", b"ke") && !equal(b"", b"k"));
    }

    #[test]
    fn md5_is_that_of_simplejwt() {
        assert_eq!(md5_upper_hex(b"pbkdf2_sha256$1$a$b"), "D189514B36275B5C49334DB961F35162");
    }
}
