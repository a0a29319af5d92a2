//! A passkey in software: ES256, with the answers of a browser and its authenticator. Its fields can be set to wrong
//! values.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// Flags of the authenticator's data (WebAuthn, 6.1).
const PRESENT: u8 = 1;
const VERIFIED: u8 = 1 << 2;
const HAS_CREDENTIAL: u8 = 1 << 6;

/// An authenticator with one key.
pub struct Authenticator {
    key: EcdsaKeyPair,
    id: Vec<u8>,
    /// The origin of its browser.
    pub origin: String,
    /// The site that the key is for.
    pub rp_id: String,
    /// How often it has been used.
    pub counter: u32,
    /// Whether it verifies its user.
    pub verifies: bool,
}

impl Authenticator {
    /// An authenticator in a browser on localhost.
    pub fn new(name: &str, origin: String) -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let id = name.as_bytes().to_vec();
        Self { key, id, origin, rp_id: "localhost".to_owned(), counter: 0, verifies: true }
    }

    /// The response to `navigator.credentials.create`.
    pub fn create(&mut self, options: &Value) -> Value {
        let client_data = self.client_data("webauthn.create", options);
        let data = self.data(HAS_CREDENTIAL);
        let length = u16::try_from(self.id.len()).unwrap().to_be_bytes();
        let data = [&data, &[0; 16][..], &length, &self.id, &self.cose_key()].concat();
        // {"fmt": "none", "attStmt": {}, "authData": …}
        let head = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x59";
        let attestation = [head, &u16::try_from(data.len()).unwrap().to_be_bytes()[..], &data].concat();
        self.credential(json!({
            "clientDataJSON": encoded(client_data.as_bytes()),
            "attestationObject": encoded(&attestation),
        }))
    }

    /// The response to `navigator.credentials.get`.
    pub fn get(&mut self, options: &Value) -> Value {
        let client_data = self.client_data("webauthn.get", options);
        self.counter += 1;
        let data = self.data(0);
        let signed = [&data, digest(&SHA256, client_data.as_bytes()).as_ref()].concat();
        let signature = self.key.sign(&SystemRandom::new(), &signed).unwrap();
        self.credential(json!({
            "clientDataJSON": encoded(client_data.as_bytes()),
            "authenticatorData": encoded(&data),
            "signature": encoded(signature.as_ref()),
            "userHandle": null,
        }))
    }

    fn credential(&self, response: Value) -> Value {
        let id = encoded(&self.id);
        json!({"id": id, "rawId": id, "type": "public-key", "response": response, "clientExtensionResults": {}})
    }

    fn client_data(&self, kind: &str, options: &Value) -> String {
        let challenge = &options["publicKey"]["challenge"];
        json!({"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": false}).to_string()
    }

    fn data(&self, flags: u8) -> Vec<u8> {
        let verified = if self.verifies { VERIFIED } else { 0 };
        let site = digest(&SHA256, self.rp_id.as_bytes());
        [site.as_ref(), &[PRESENT | verified | flags], &self.counter.to_be_bytes()].concat()
    }

    /// {1: 2, 3: -7, -1: 1, -2: x, -3: y}
    fn cose_key(&self) -> Vec<u8> {
        let point = &self.key.public_key().as_ref()[1..];
        [b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20", &point[..32], b"\x22\x58\x20", &point[32..]].concat()
    }
}

fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
