//! Rust source as tokens: what is left without white space, comments, strings and unit tests. No parser: the rules that read it
//! look for `fn`, for `use` and for paths, and rustfmt keeps the rest regular.

/// A piece of source: a word, a number, `::`, `->`, `=>`, or one other character. A string is `""`.
pub type Token = String;

/// The tokens of a file without its unit tests, and the names of its modules that only tests have (`#[cfg(test)] mod x;`).
pub fn without_tests(text: &str) -> (Vec<Token>, Vec<String>) {
    let all = tokens(text);
    let (mut kept, mut test_modules, mut at) = (Vec::new(), Vec::new(), 0);
    while at < all.len() {
        let marker = ["#", "[", "cfg", "(", "test", ")", "]"];
        if !all[at..].iter().map(String::as_str).take(marker.len()).eq(marker) {
            kept.push(all[at].clone());
            at += 1;
            continue;
        }
        // The item behind the marker: to its semicolon, or to the end of its braces.
        let (mut depth, start) = (0, at + marker.len());
        at = start;
        while at < all.len() {
            match all[at].as_str() {
                "{" => depth += 1,
                "}" => depth -= 1,
                _ => {}
            }
            at += 1;
            if depth == 0 && matches!(all[at - 1].as_str(), ";" | "}") {
                break;
            }
        }
        let item = &all[start..at];
        if item.last().is_some_and(|last| last == ";")
            && let Some(module) = item.iter().position(|token| token == "mod")
        {
            test_modules.push(item[module + 1].clone());
        }
    }
    (kept, test_modules)
}

fn tokens(text: &str) -> Vec<Token> {
    let characters: Vec<char> = text.chars().collect();
    let (mut tokens, mut at) = (Vec::new(), 0);
    while let Some(&c) = characters.get(at) {
        let next = characters.get(at + 1).copied().unwrap_or(' ');
        let start = at;
        match c {
            _ if c.is_whitespace() => at += 1,
            '/' if next == '/' => at += characters[at..].iter().take_while(|c| **c != '\n').count(),
            '"' => at = end_of_string(&characters, at + 1),
            'r' | 'b' if raw_hashes(&characters, at).is_some() => at = end_of_raw_string(&characters, at),
            '\'' => at = end_of_quote(&characters, at),
            _ if is_word(c) => at += characters[at..].iter().take_while(|c| is_word(**c)).count(),
            _ if [(':', ':'), ('-', '>'), ('=', '>')].contains(&(c, next)) => at += 2,
            _ => at += 1,
        }
        match c {
            _ if c.is_whitespace() => {}
            '/' if next == '/' => {}
            '"' => tokens.push("\"\"".to_owned()),
            'r' | 'b' if characters[start..at].contains(&'"') => tokens.push("\"\"".to_owned()),
            _ => tokens.push(characters[start..at].iter().collect()),
        }
    }
    tokens
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn end_of_string(characters: &[char], mut at: usize) -> usize {
    while at < characters.len() && characters[at] != '"' {
        at += if characters[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

/// How many `#` a raw string that begins here has: `r"`, `r#"`, `br"`.
fn raw_hashes(characters: &[char], at: usize) -> Option<usize> {
    let before = at.checked_sub(1).map(|before| characters[before]);
    let after = if characters[at] == 'b' && characters.get(at + 1) == Some(&'r') { at + 2 } else { at + 1 };
    let hashes = characters[after..].iter().take_while(|c| **c == '#').count();
    let is_string = characters.get(after + hashes) == Some(&'"') && !before.is_some_and(is_word);
    // `b"…"` has escapes, and no hashes.
    (is_string && characters[after - 1] == 'r').then_some(hashes)
}

fn end_of_raw_string(characters: &[char], at: usize) -> usize {
    let hashes = raw_hashes(characters, at).unwrap();
    let end: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    let open = at + characters[at..].iter().position(|c| *c == '"').unwrap() + 1;
    let length = characters[open..].windows(end.len()).position(|part| part == end).unwrap();
    open + length + end.len()
}

/// A character (`'a'`, `'\n'`) or a lifetime (`'a`).
fn end_of_quote(characters: &[char], at: usize) -> usize {
    if characters.get(at + 1) == Some(&'\\') {
        return at + 3 + characters[at + 3..].iter().position(|c| *c == '\'').unwrap() + 1;
    }
    if characters.get(at + 2) == Some(&'\'') { at + 3 } else { at + 1 }
}

#[test]
fn tokens_leave_out_strings_comments_and_tests() {
    let text = r##"
        // let x = "no";
        const A: &str = "a \" // b";
        fn f<'a>(c: char) -> u8 { c == '"' || c == '\'' || c == '\u{1f}'; r#"raw " text"# }
        #[cfg(test)]
        mod samples;
        #[cfg(test)]
        pub(crate) mod tests { fn g() { let x = {}; } }
        use a::b;
    "##;
    let (tokens, test_modules) = without_tests(text);
    let code = tokens.join(" ");
    assert!(code.ends_with(r#"\u{1f}' ; "" } use a :: b ;"#), "{code}");
    assert!(code.starts_with(r#"const A : & str = "" ; fn f <"#), "{code}");
    assert_eq!(test_modules, ["samples"]);
}
