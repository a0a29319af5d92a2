//! Who may know whom: which room may import which, and which room owns which library.

use super::{nothing_in, sources};

#[test]
fn rooms_know_only_the_rooms_below_them() {
    // From the entry points down to the leaves: each room may know those below it, but for the few that say otherwise.
    let rooms = [
        "main",
        "cli",
        "web",
        "tokens",
        "factors",
        "accounts",
        "sessions",
        "guard",
        "journal",
        "app",
        "key_set",
        "mail",
        "crypto",
        "db",
        "telemetry",
        "config",
        "clock",
        "lib",
    ];
    let only: [(&str, &[&str]); 7] = [
        ("main", &["cli", "latchkey"]),
        ("key_set", &["crypto", "config", "clock"]),
        ("mail", &["crypto", "db", "config", "clock"]),
        ("crypto", &["config", "clock"]),
        ("db", &["config", "clock"]),
        ("telemetry", &["config"]),
        ("config", &[]),
    ];
    let never: [(&str, &[&str]); 2] = [("web", &["mail", "key_set"]), ("app", &["telemetry"])];
    let find = |list: &[(&str, &'static [&'static str])], room: &str| {
        list.iter().find(|(name, _)| *name == room).map(|(_, rooms)| *rooms)
    };
    let may_know = |room: &str, at: usize, known: &str| match find(&only, room) {
        Some(below) => below.contains(&known),
        None => rooms[at + 1..].contains(&known) && !find(&never, room).unwrap_or_default().contains(&known),
    };
    let mut findings = Vec::new();
    for source in sources("src") {
        let Some(at) = rooms.iter().position(|room| *room == source.room()) else {
            findings.push(format!("{}: a new room; say here and in ARCHITECTURE.md what it may know", source.path));
            continue;
        };
        for known in source.knows() {
            if known != source.room() && !may_know(source.room(), at, known) {
                findings.push(format!("{}: {} must not know {known}", source.path, source.room()));
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
