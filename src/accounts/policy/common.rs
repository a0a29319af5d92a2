//! The most common passwords: Django's list of 19,640 (BSD, see `common-passwords.LICENSE`; made by Royce Williams), in
//! lower case, sorted by bytes, compiled into the binary.

use std::cmp::Ordering;

/// One per line, in lower case.
const LIST: &str = include_str!("common-passwords.txt");

/// Whether a password, in lower case, is in the list.
pub fn contains(password: &str) -> bool {
    // A binary search in the text itself, so no list of lines is built or kept.
    let mut rest = LIST;
    while !rest.is_empty() {
        let middle = rest.as_bytes()[..rest.len() / 2].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let (line, after) = rest[middle..].split_once('\n').unwrap_or((&rest[middle..], ""));
        match password.cmp(line) {
            Ordering::Equal => return true,
            Ordering::Less => rest = &rest[..middle],
            Ordering::Greater => rest = after,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_found_and_nothing_between_them() {
        let lines: Vec<_> = LIST.lines().collect();
        assert_eq!(lines.len(), 19_640);
        assert!(lines.is_sorted());
        for line in lines {
            assert!(contains(line), "{line}");
            assert!(!contains(&format!("{line}\u{1}")), "{line}");
        }
        assert!(!contains("") && !contains("\n") && !contains("violet-harbour-17"));
    }
}
