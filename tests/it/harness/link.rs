//! Links as they are mailed, but without the mail: rows as `accounts::link` creates them.

use latchkey::crypto::digest::{hmac_sha256, sha256_hex};
use latchkey::crypto::random;

use super::Server;
use super::server::SECRET;

impl Server {
    /// The token of a new link to this address; `purpose` is `password_reset` or `email_change`.
    pub fn link(&self, user: &str, purpose: &str, email: &str) -> String {
        let of_user = |column: &str| self.db.text(&format!("SELECT {column} AS t FROM auth_user WHERE id = {user}"));
        let (password, address) = (of_user("password").unwrap(), of_user("email").unwrap());
        let state = format!("latchkey link\0{purpose}\0{password}\0{address}");
        let (token, state) = (random::token(), random::hex(&hmac_sha256(SECRET.as_bytes(), state.as_bytes())));
        let (hash, email) = (sha256_hex(token.as_bytes()), email.replace('\'', "''"));
        let now = self.app.now().datetime();
        let at = |moment: chrono::DateTime<chrono::Utc>| moment.format("%Y-%m-%d %H:%M:%S%.6f").to_string();
        let (created, expires) = (at(now), at(now + chrono::TimeDelta::minutes(30)));
        self.db.execute(&format!(
            "INSERT INTO latchkey_link (token_hash, purpose, user_id, email, state, network, created_at, expires_at) \
             VALUES ('{hash}', '{purpose}', {user}, '{email}', '{state}', '', '{created}', '{expires}')"
        ));
        token
    }
}
