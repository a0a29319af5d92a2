//! Codes of authenticator apps (TOTP, RFC 6238): six digits with SHA-1, a new one every 30 seconds, which all apps support.
//! `accounts::second_factor` remembers which code was used before.

use qrcode::render::svg::Color;
use qrcode::{EcLevel, QrCode};
use secrecy::{ExposeSecret, SecretString};
use totp_rs::{Builder, Secret, Totp};

use super::random;

/// How many steps early or late a code is accepted, for clocks that differ (RFC 6238, section 5.2).
const SKEW_STEPS: u16 = 1;

/// A new secret of 160 bits (RFC 4226, section 4), in base32.
pub fn new_secret() -> SecretString {
    Secret::from(random::bytes::<20>()).to_base32().into()
}

/// The time step of the code, if it is this secret's code at that time (seconds since 1970).
pub fn check(secret: &SecretString, code: &str, at: i64) -> Option<i64> {
    let at = u64::try_from(at).ok()?;
    let step = totp(secret, "", "")?.check(&code.replace(' ', ""), at)?;
    i64::try_from(step).ok()
}

/// What an app reads from the QR code: `otpauth://totp/…`.
pub fn uri(secret: &SecretString, issuer: &str, account: &str) -> Option<SecretString> {
    totp(secret, issuer, account)?.to_url().ok().map(SecretString::from)
}

/// The QR code of an address, black on white with the margin that scanners need. `None` if it is too long.
pub fn qr_svg(uri: &SecretString) -> Option<SecretString> {
    let code = QrCode::with_error_correction_level(uri.expose_secret(), EcLevel::M).ok()?;
    let svg = code.render::<Color<'_>>().min_dimensions(240, 240).build();
    // An XML declaration is not allowed inside a page.
    let svg = svg.split_once("?>").map_or(svg.as_str(), |(_, svg)| svg).to_owned();
    Some(svg.into())
}

/// Colons are replaced: one would separate the issuer from the account.
fn totp(secret: &SecretString, issuer: &str, account: &str) -> Option<Totp> {
    let secret = Secret::try_from_base32(secret.expose_secret()).ok()?;
    let builder = Builder::new().with_secret(secret).with_skew(SKEW_STEPS);
    let issuer = Some(issuer.replace(':', " ")).filter(|issuer| !issuer.trim().is_empty());
    builder.with_issuer(issuer).with_account_name(account.replace(':', " ")).build().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `12345678901234567890`, the secret of RFC 6238, appendix B.
    fn secret() -> SecretString {
        "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ".to_owned().into()
    }

    #[test]
    fn codes_are_those_of_rfc_6238() {
        for (at, code) in [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924")] {
            assert_eq!(check(&secret(), code, at), Some(at / 30), "{at}");
        }
        assert_eq!(check(&secret(), "287 082", 59), Some(1), "apps show it in two halves");
    }

    #[test]
    fn a_code_is_good_one_step_early_and_late() {
        let good = |at| check(&secret(), "081804", at).is_some();
        let start = 1_111_111_109 / 30 * 30;
        assert!(good(start - 30) && good(start) && good(start + 59));
        assert!(!good(start - 31) && !good(start + 60));
    }

    #[test]
    fn what_is_no_code_is_none() {
        for junk in ["", "1", "28708", "2870822", "abcdef", "２８７０８２", "-87082", "\u{0}"] {
            assert_eq!(check(&secret(), junk, 59), None, "{junk:?}");
        }
        assert_eq!(check(&"not base32!".to_owned().into(), "287082", 59), None);
        assert_eq!(check(&secret(), "287082", -1), None);
    }

    #[test]
    fn the_address_names_site_and_account_whatever_they_are() {
        let uri = |issuer: &str, account: &str| uri(&secret(), issuer, account).unwrap().expose_secret().to_owned();
        let plain = uri("Example", "alice");
        assert!(plain.starts_with("otpauth://totp/Example:alice?"), "{plain}");
        assert!(plain.contains("secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ") && plain.contains("issuer=Example"));
        for odd in ["a:b", "a&secret=x", "\u{fc}", "<b>", " "] {
            assert_eq!(uri(odd, odd).matches("secret=").count(), 1, "{odd}");
        }
        assert_ne!(new_secret().expose_secret(), new_secret().expose_secret());
        assert_eq!(new_secret().expose_secret().len(), 32);
    }

    #[test]
    fn the_qr_code_is_svg_that_runs_nothing() {
        let svg = qr_svg(&uri(&secret(), "Example", "alice").unwrap()).unwrap();
        let svg = svg.expose_secret();
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>"), "{svg}");
        assert!(!svg.contains("style") && !svg.contains("script"));
        assert!(qr_svg(&"x".repeat(5000).into()).is_none());
    }
}
