//! Who may know whom: which room may import which, and which room owns which library.

use super::{nothing_in, sources};

#[test]
fn rooms_know_only_the_rooms_below_them() {
    // Left: a room. Right: what it may know. Nothing is below `config` and `clock`.
    let allowed: [(&str, &[&str]); 14] = [
        ("main", &["cli", "latchkey"]),
        (
            "cli",
            &["web", "accounts", "tokens", "app", "key_set", "mail", "crypto", "db", "telemetry", "config", "clock"],
        ),
        ("web", &["accounts", "tokens", "app", "crypto", "db", "telemetry", "config", "clock"]),
        ("accounts", &["tokens", "app", "mail", "crypto", "db", "config", "clock"]),
        ("tokens", &["accounts", "app", "mail", "crypto", "db", "config", "clock"]),
        ("app", &["key_set", "mail", "crypto", "db", "config", "clock"]),
        ("key_set", &["crypto", "config", "clock"]),
        ("mail", &["crypto", "db", "config", "clock"]),
        ("crypto", &["config", "clock"]),
        ("db", &["config", "clock"]),
        ("telemetry", &["config"]),
        ("config", &[]),
        ("clock", &[]),
        ("lib", &[]),
    ];
    let mut findings = Vec::new();
    for source in sources("src") {
        let Some((room, below)) = allowed.iter().find(|(room, _)| *room == source.room()) else {
            findings.push(format!("{}: a new room; say here and in ARCHITECTURE.md what it may know", source.path));
            continue;
        };
        for known in source.knows() {
            if known != *room && !below.contains(&known) {
                findings.push(format!("{}: {room} must not know {known}", source.path));
            }
        }
    }
    nothing_in(findings);
}

#[test]
fn outside_libraries_and_the_outside_world_each_have_one_room() {
    let owners: [(&str, &[&str]); 17] = [
        ("diesel", &["src/db/"]),
        ("actix", &["src/web/"]),
        ("askama", &["src/web/", "src/mail/"]),
        ("clap", &["src/cli/", "src/main.rs"]),
        ("lettre", &["src/mail/", "src/config/mail.rs"]),
        ("ureq", &["src/key_set/"]),
        ("rustls", &["src/key_set/"]),
        ("jsonwebtoken", &["src/crypto/"]),
        ("aws_lc_rs", &["src/crypto/"]),
        ("webauthn_rs", &["src/crypto/"]),
        ("totp_rs", &["src/crypto/"]),
        ("qrcode", &["src/crypto/"]),
        ("env::var", &["src/config/"]),
        ("dotenvy", &["src/config/"]),
        ("Utc::now", &["src/clock.rs"]),
        ("Local::now", &["src/clock.rs"]),
        ("SystemTime::now", &["src/clock.rs"]),
    ];
    let mut findings = Vec::new();
    for source in sources("src") {
        for (name, homes) in owners {
            let used = source.code.match_indices(name).any(|(at, _)| {
                let before = source.code[..at].chars().next_back();
                let path = source.code[at + name.len()..].trim_start_matches(|c: char| c.is_alphanumeric() || c == '_');
                !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '"')
                    && (name.contains("::") || path.starts_with("::"))
            });
            if used && !homes.iter().any(|home| source.path.starts_with(home)) {
                findings.push(format!("{}: {name} belongs to {}", source.path, homes.join(" and ")));
            }
        }
    }
    nothing_in(findings);
}

#[test]
fn nobody_but_a_test_observes_statements() {
    let sources = sources("src");
    let observers =
        sources.iter().filter(|source| source.code.contains(".observe(") && !source.path.starts_with("src/db/"));
    nothing_in(observers.map(|source| source.path.clone()).collect());
}
