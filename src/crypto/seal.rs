//! Encryption of secrets that wait in the database: AES-256-GCM with a key derived from `SECRET_KEY` for one purpose only.
//! Passwords are hashed instead (`password`), and so is what only has to be recognised (`digest`).

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use secrecy::{ExposeSecret, SecretString};

use super::keyed;

/// A key for one purpose.
pub struct Seal(RandomizedNonceKey);

impl Seal {
    /// The key for `purpose`, derived from `SECRET_KEY`.
    ///
    /// # Panics
    /// Never: the key has the length that the cipher requires.
    pub fn new(secret_key: &SecretString, purpose: &str) -> Self {
        let key = keyed::mac(secret_key, &format!("latchkey seal {purpose}"), &[]).bytes();
        #[expect(clippy::expect_used, reason = "AES-256 takes 32 bytes")]
        Self(RandomizedNonceKey::new(&AES_256_GCM, &key).expect("a key of 32 bytes"))
    }

    /// Encrypts. `context` is not part of the text, but it is needed to open it: a text that is moved to another row cannot be
    /// decrypted there.
    ///
    /// # Panics
    /// Never in practice: only texts of more than 64 GiB fail.
    pub fn seal(&self, context: &str, secret: &SecretString) -> String {
        let mut text = secret.expose_secret().as_bytes().to_vec();
        #[expect(clippy::expect_used, reason = "nothing here may continue without encryption")]
        let nonce = self.0.seal_in_place_append_tag(Aad::from(context), &mut text).expect("a text that is not endless");
        STANDARD_NO_PAD.encode([nonce.as_ref().as_slice(), &text].concat())
    }

    /// Decrypts; `None` if the text was made with another key or context, or was changed.
    pub fn open(&self, context: &str, sealed: &str) -> Option<SecretString> {
        let mut bytes = STANDARD_NO_PAD.decode(sealed).ok()?;
        let (nonce, text) = bytes.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let text = self.0.open_in_place(nonce, Aad::from(context), text).ok()?;
        std::str::from_utf8(text).ok().map(SecretString::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_key_and_context_open_it() {
        let key = |text: &str| SecretString::from(text.to_owned());
        let seal = Seal::new(&key("0123456789abcdef0123456789abcdef"), "mail");
        let sealed = seal.seal("row 1", &key("hush"));
        assert_eq!(seal.open("row 1", &sealed).unwrap().expose_secret(), "hush");
        assert_ne!(sealed, seal.seal("row 1", &key("hush")), "a nonce is used twice");
        assert!(seal.open("row 2", &sealed).is_none());
        assert!(Seal::new(&key("0123456789abcdef0123456789abcdeF"), "mail").open("row 1", &sealed).is_none());
        assert!(Seal::new(&key("0123456789abcdef0123456789abcdef"), "code").open("row 1", &sealed).is_none());
        let mut changed = sealed.clone().into_bytes();
        changed[20] ^= 1;
        assert!(seal.open("row 1", &String::from_utf8(changed).unwrap()).is_none());
        for junk in ["", "AAAA", "not base64!", &sealed[..20]] {
            assert!(seal.open("row 1", junk).is_none(), "{junk}");
        }
    }
}
