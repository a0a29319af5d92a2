//! Password hashes as Django stores them: reading, making and comparing one. `pool` calls this on its own threads.
//! The stored texts are not trusted: a database can be restored, shared or tampered with.

use std::num::NonZeroU32;

use argon2::{Algorithm, Version};
use base64::Engine;
use base64::alphabet::BCRYPT;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD, STANDARD, STANDARD_NO_PAD};

use super::scheme::Scheme;
use crate::crypto::{digest, random};

const BCRYPT_64: GeneralPurpose = GeneralPurpose::new(&BCRYPT, NO_PAD);

/// Maximum length of a stored text: no scheme comes near it, and Django's column has 128 characters.
const MAX_ENCODED_BYTES: usize = 512;

/// A stored password, parsed.
pub(super) struct Encoded {
    pub scheme: Scheme,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl Encoded {
    /// Hashes a new password with a new salt; `None` if memory runs out.
    pub fn make(scheme: Scheme, password: &str) -> Option<Self> {
        let salt = match scheme {
            Scheme::Bcrypt { .. } => random::bytes::<16>().to_vec(),
            _ => random::salt().into_bytes(),
        };
        let hash = scheme.derive(password, &salt, scheme.lengths().1)?;
        Some(Self { scheme, salt, hash })
    }

    /// Reads a stored text; `None` for an unusable (`!…`) or unreadable one.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, rest) = text.split_once('$').filter(|_| text.len() <= MAX_ENCODED_BYTES)?;
        match name {
            "bcrypt_sha256" => Self::parse_bcrypt(rest, true),
            "bcrypt" => Self::parse_bcrypt(rest, false),
            "argon2" => Self::parse_argon2(rest),
            "pbkdf2_sha256" => Self::parse_pbkdf2(rest, true),
            "pbkdf2_sha1" => Self::parse_pbkdf2(rest, false),
            "scrypt" => Self::parse_scrypt(rest),
            _ => None,
        }
    }

    /// `$2b$12$` with 22 characters of salt and 31 of hash. The versions differ only in long-fixed bugs.
    fn parse_bcrypt(text: &str, sha256: bool) -> Option<Self> {
        let [empty, version, rounds, data] = fields(text)?;
        if !empty.is_empty() || !["2a", "2b", "2x", "2y"].contains(&version) || rounds.len() != 2 || data.len() != 53 {
            return None;
        }
        let (salt, hash) = data.split_at_checked(22)?;
        let rounds = number(rounds.strip_prefix('0').unwrap_or(rounds))?;
        Some(Self {
            scheme: Scheme::Bcrypt { rounds, sha256 },
            salt: BCRYPT_64.decode(salt).ok()?,
            hash: BCRYPT_64.decode(hash).ok()?,
        })
    }

    /// `argon2id$v=19$m=102400,t=2,p=8$salt$hash`; version 16 if there is no `v=`.
    fn parse_argon2(text: &str) -> Option<Self> {
        let (variant, rest) = text.split_once('$')?;
        let algorithm = match variant {
            "argon2id" => Algorithm::Argon2id,
            "argon2i" => Algorithm::Argon2i,
            "argon2d" => Algorithm::Argon2d,
            _ => return None,
        };
        let (version, rest) = match rest.strip_prefix("v=19$") {
            Some(rest) => (Version::V0x13, rest),
            None => (Version::V0x10, rest.strip_prefix("v=16$").unwrap_or(rest)),
        };
        let [costs, salt, hash] = fields(rest)?;
        let mut costs = costs.split(',');
        let mut cost = |name| costs.next().and_then(|cost| cost.strip_prefix(name)).and_then(number);
        let (memory, passes, lanes) = (cost("m=")?, cost("t=")?, cost("p=")?);
        let encoded = Self {
            scheme: Scheme::Argon2 { algorithm, version, memory, passes, lanes },
            salt: STANDARD_NO_PAD.decode(salt).ok()?,
            hash: STANDARD_NO_PAD.decode(hash).ok()?,
        };
        // A short hash could match by chance: argon2 itself allows 4 bytes.
        (costs.next().is_none() && encoded.hash.len() >= 16).then_some(encoded)
    }

    /// `1000000$salt$hash`
    fn parse_pbkdf2(text: &str, sha256: bool) -> Option<Self> {
        let [iterations, salt, hash] = fields(text)?;
        let iterations = NonZeroU32::new(number(iterations)?)?;
        Self::salted(Scheme::Pbkdf2 { iterations, sha256 }, salt, hash)
    }

    /// `16384$salt$8$5$hash`
    fn parse_scrypt(text: &str) -> Option<Self> {
        let [n, salt, block, lanes, hash] = fields(text)?;
        let n = number(n).filter(|n| n.is_power_of_two() && *n > 1)?;
        let log_n = u8::try_from(n.trailing_zeros()).ok()?;
        Self::salted(Scheme::Scrypt { log_n, block: number(block)?, lanes: number(lanes)? }, salt, hash)
    }

    /// The salt as it is, the hash in base64 and with the scheme's length.
    fn salted(scheme: Scheme, salt: &str, hash: &str) -> Option<Self> {
        let hash = STANDARD.decode(hash).ok()?;
        let whole = !salt.is_empty() && hash.len() == scheme.lengths().1;
        whole.then(|| Self { scheme, salt: salt.as_bytes().to_vec(), hash })
    }

    /// Whether this is the password, in a time that does not depend on where the hashes differ.
    pub fn matches(&self, password: &str) -> bool {
        let hash = self.scheme.derive(password, &self.salt, self.hash.len());
        hash.is_some_and(|hash| digest::equal(&hash, &self.hash))
    }

    /// Whether a new hash would have another scheme or cost, or a longer salt (Django's `must_update`).
    pub fn is_outdated(&self, scheme: Scheme) -> bool {
        self.scheme != scheme || self.salt.len() < scheme.lengths().0
    }

    /// The text to store.
    pub fn text(&self) -> String {
        let salt = String::from_utf8_lossy(&self.salt);
        let hash = STANDARD.encode(&self.hash);
        match self.scheme {
            Scheme::Bcrypt { rounds, sha256 } => {
                let name = if sha256 { "bcrypt_sha256" } else { "bcrypt" };
                format!("{name}$$2b${rounds:02}${}{}", BCRYPT_64.encode(&self.salt), BCRYPT_64.encode(&self.hash))
            }
            Scheme::Argon2 { algorithm, version, memory, passes, lanes } => format!(
                "argon2${algorithm}$v={}$m={memory},t={passes},p={lanes}${}${}",
                u32::from(version),
                STANDARD_NO_PAD.encode(&self.salt),
                STANDARD_NO_PAD.encode(&self.hash)
            ),
            Scheme::Pbkdf2 { iterations, sha256: true } => format!("pbkdf2_sha256${iterations}${salt}${hash}"),
            Scheme::Pbkdf2 { iterations, sha256: false } => format!("pbkdf2_sha1${iterations}${salt}${hash}"),
            Scheme::Scrypt { log_n, block, lanes } => {
                format!("scrypt${}${salt}${block}${lanes}${hash}", 1_u64 << log_n)
            }
        }
    }
}

/// Exactly `N` fields between dollar signs.
fn fields<const N: usize>(text: &str) -> Option<[&str; N]> {
    text.split('$').collect::<Vec<_>>().try_into().ok()
}

/// A number as Python prints it.
fn number(text: &str) -> Option<u32> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::super::Recipe;
    use super::*;
    use crate::config::Hasher;

    /// Made by Django 5.2.19, argon2-cffi and bcrypt 5 at the lowest costs.
    const DJANGO: [&str; 9] = [
        "pbkdf2_sha256$3$abcdefghijklmnopqrstuv$kB5zNrQa1nDMXMQlMO2KUrnxVUilEGVEungXaPeylVg=",
        "pbkdf2_sha1$3$abcdefghijklmnopqrstuv$3nhJaxD99QmqczEoCPbh7E0uRZg=",
        "scrypt$2$abcdefghijklmnopqrstuv$1$1$\
         55rjAkxA+kDsEslO1HUswwdjYEVBFbB3atyvCNsEM5Mya7sDxYncP0bfKjvL/BKCl78N2a4NxG5pp9QP6XdzpQ==",
        "argon2$argon2id$v=19$m=16,t=1,p=2$YWJjZGVmZ2hpamtsbW5vcHFyc3R1dg$a10r5ID3+4ANuMccn7nhcy6AIHDkNnVbLuYAFGEOlOU",
        "argon2$argon2i$v=19$m=8,t=1,p=1$YWJjZGVmZ2hpamtsbW5vcHFyc3R1dg$wcnyONOfjLPs+GJbB/Saf2eO+SA2op4GjFQ24vAVBfM",
        "argon2$argon2d$v=19$m=8,t=1,p=1$YWJjZGVmZ2hpamtsbW5vcHFyc3R1dg$MWW1GeG7aPQ0WyNgi+7GigdephExApfLWhPB8Z7Ulbc",
        "argon2$argon2i$m=8,t=1,p=1$YWJjZGVmZ2hpamtsbW5vcHFyc3R1dg$mW71QQ/hhbrXzbUtoAUPGQ",
        "bcrypt_sha256$$2b$04$71NUZne/BzFtkMQRERqAoe/t2sUrz5MKo1fzlFBYADiGRaev2zaRi",
        "bcrypt$$2b$04$vRlO2gilJuv/ndaTz9drvOKAzQYuaaRDJKBeWk2r31uZXowlxVuOS",
    ];
    const PASSWORD: &str = "pässwörd 1";

    #[test]
    fn what_django_stored_is_verified() {
        for text in DJANGO {
            let stored = Encoded::parse(text).unwrap();
            assert!(stored.scheme.is_bearable(), "{text}");
            assert!(stored.matches(PASSWORD), "{text}");
            assert!(!stored.matches("pässwörd 2") && !stored.matches(""), "{text}");
        }
    }

    #[test]
    fn what_was_read_is_written_as_it_was() {
        for text in DJANGO.into_iter().filter(|text| !text.contains("$argon2i$m=")) {
            assert_eq!(Encoded::parse(text).unwrap().text(), text);
        }
    }

    #[test]
    fn a_new_hash_has_a_new_salt_and_fits_its_column() {
        for text in DJANGO {
            let scheme = Encoded::parse(text).unwrap().scheme;
            let made = Encoded::make(scheme, PASSWORD).unwrap();
            assert_ne!(made.text(), Encoded::make(scheme, PASSWORD).unwrap().text());
            let read = Encoded::parse(&made.text()).unwrap();
            assert!(read.matches(PASSWORD) && !read.is_outdated(scheme) && made.text().len() < 140, "{}", made.text());
        }
    }

    #[test]
    fn recipes_are_those_of_django() {
        for (hasher, start) in [
            (Hasher::BcryptSha256, "bcrypt_sha256$$2b$04$"),
            (Hasher::Bcrypt, "bcrypt$$2b$04$"),
            (Hasher::Argon2, "argon2$argon2id$v=19$m=102400,t=2,p=8$"),
            (Hasher::Pbkdf2Sha256, "pbkdf2_sha256$5$"),
        ] {
            let scheme = Scheme::of(&Recipe { hasher, bcrypt_rounds: 4, pbkdf2_iterations: 5 });
            let (salt, hash) = scheme.lengths();
            let text = Encoded { scheme, salt: vec![b's'; salt], hash: vec![0; hash] }.text();
            assert!(text.starts_with(start) && text.len() <= 128, "{text}");
            assert!(scheme.is_bearable());
        }
    }

    #[test]
    fn bcrypt_alone_reads_72_bytes_and_bcrypt_sha256_all() {
        let cut = Encoded::parse("bcrypt$$2b$04$abcdefghijklmnopqrstuuKiIlCeXB6chNXkLyAo8C7XcLPzh6zUe").unwrap();
        assert!(cut.matches(&"é".repeat(36)) && cut.matches(&"é".repeat(40)) && !cut.matches(&"é".repeat(35)));
        let whole = Encoded::make(Scheme::Bcrypt { rounds: 4, sha256: true }, &"x".repeat(80)).unwrap();
        assert!(whole.matches(&"x".repeat(80)) && !whole.matches(&"x".repeat(81)));
    }

    #[test]
    fn another_cost_or_a_short_salt_is_outdated() {
        let iterations = NonZeroU32::new(3).unwrap();
        let scheme = Scheme::Pbkdf2 { iterations, sha256: true };
        assert!(!Encoded::parse(DJANGO[0]).unwrap().is_outdated(scheme));
        assert!(Encoded::parse(&DJANGO[0].replace("$3$", "$4$")).unwrap().is_outdated(scheme));
        assert!(Encoded::parse(&DJANGO[0].replace("uv$", "u$")).unwrap().is_outdated(scheme));
        assert!(Encoded::parse(DJANGO[1]).unwrap().is_outdated(scheme));
    }

    #[test]
    fn unusable_and_unreadable_texts_are_none() {
        let long = format!("pbkdf2_sha256$3${}$kB5zNrQa1nDMXMQlMO2KUrnxVUilEGVEungXaPeylVg=", "s".repeat(500));
        for text in [
            "",
            "!",
            "!8aUn3kq0000000000000000000000000000000000",
            "$",
            "plain",
            "md5$salt$0123456789abcdef0123456789abcdef",
            "bcrypt$",
            "bcrypt$$2b$04$",
            "bcrypt$$2c$04$vRlO2gilJuv/ndaTz9drvOKAzQYuaaRDJKBeWk2r31uZXowlxVuOS",
            "bcrypt$$2b$+4$vRlO2gilJuv/ndaTz9drvOKAzQYuaaRDJKBeWk2r31uZXowlxVuOS",
            "bcrypt$$2b$04$vRlO2gilJuv/ndaTz9drv\u{e9}KAzQYuaaRDJKBeWk2r31uZXowlxVuO",
            "pbkdf2_sha256$0$salt$kB5zNrQa1nDMXMQlMO2KUrnxVUilEGVEungXaPeylVg=",
            "pbkdf2_sha256$03$salt$kB5zNrQa1nDMXMQlMO2KUrnxVUilEGVEungXaPeylVg=",
            "pbkdf2_sha256$99999999999$salt$kB5zNrQa1nDMXMQlMO2KUrnxVUilEGVEungXaPeylVg=",
            "pbkdf2_sha256$3$$kB5zNrQa1nDMXMQlMO2KUrnxVUilEGVEungXaPeylVg=",
            "pbkdf2_sha256$3$salt$",
            "pbkdf2_sha256$3$salt$kB5z",
            "pbkdf2_sha256$3$salt$kB5zNrQa1nDMXMQlMO2KUrnxVUilEGVEungXaPeylVg=$",
            "scrypt$3$salt$1$1$55rjAkxA",
            "scrypt$0$salt$1$1$55rjAkxA",
            "argon2$argon2id$v=20$m=16,t=1,p=2$YWJjZGVm$a10r5ID3+4ANuMccn7nhcw",
            "argon2$argon2id$v=19$m=16,t=1$YWJjZGVm$a10r5ID3+4ANuMccn7nhcw",
            "argon2$argon2id$v=19$m=16,t=1,p=2,x=1$YWJjZGVm$a10r5ID3+4ANuMccn7nhcw",
            "argon2$argon2id$v=19$m=16,t=1,p=2$YWJjZGVm$a10r5A",
            &long,
        ] {
            assert!(Encoded::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn impossible_parameters_match_nothing() {
        for text in [
            "argon2$argon2id$v=19$m=16,t=1,p=2$YWJj$a10r5ID3+4ANuMccn7nhcw",
            "argon2$argon2id$v=19$m=8,t=1,p=2$YWJjZGVmZ2hpamtsbW5vcHFyc3R1dg$a10r5ID3+4ANuMccn7nhcw",
            "argon2$argon2id$v=19$m=16,t=0,p=2$YWJjZGVmZ2hpamtsbW5vcHFyc3R1dg$a10r5ID3+4ANuMccn7nhcw",
            "argon2$argon2id$v=19$m=16,t=1,p=0$YWJjZGVmZ2hpamtsbW5vcHFyc3R1dg$a10r5ID3+4ANuMccn7nhcw",
            "scrypt$2$salt$0$1$\
             55rjAkxA+kDsEslO1HUswwdjYEVBFbB3atyvCNsEM5Mya7sDxYncP0bfKjvL/BKCl78N2a4NxG5pp9QP6XdzpQ==",
        ] {
            assert!(!Encoded::parse(text).unwrap().matches(PASSWORD), "{text}");
        }
    }
}
