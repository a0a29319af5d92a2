//! No function has more than four parameters (`self` not counted): what belongs together is a struct. Those that had more when the
//! rule was made stand in `more_than_four.txt`, which may only shrink.

use std::collections::BTreeSet;

use super::tokens::{Token, without_tests};
use super::{nothing_in, sources};

const MAX_PARAMETERS: usize = 4;

#[test]
fn no_function_has_more_than_four_parameters() {
    let mut offenders = BTreeSet::new();
    for source in sources("src") {
        let functions = functions(&without_tests(&source.text).0);
        let long = functions.into_iter().filter(|(_, parameters)| *parameters > MAX_PARAMETERS);
        offenders.extend(long.map(|(name, _)| format!("{} {name}", source.path)));
    }
    let allowed: BTreeSet<_> = include_str!("more_than_four.txt").lines().map(str::to_owned).collect();
    let new = offenders.difference(&allowed).map(|line| format!("{line}: more than {MAX_PARAMETERS} parameters"));
    let mended =
        allowed.difference(&offenders).map(|line| format!("{line}: mended; take it out of more_than_four.txt"));
    nothing_in(new.chain(mended).collect());
}

/// The functions of a file, and how many parameters each has.
fn functions(tokens: &[Token]) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        let Some(name) = tokens.get(at + 1).filter(|_| tokens[at] == "fn") else { continue };
        let open = match tokens.get(at + 2).map(String::as_str) {
            Some("(") => at + 2,
            Some("<") => end(tokens, at + 2),
            // `fn(&str) -> …` is a type.
            _ => continue,
        };
        found.push((name.clone(), count(&tokens[open + 1..end(tokens, open) - 1])));
    }
    found
}

/// Behind the bracket that closes the one at `open`.
fn end(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        depth += step(token);
        if depth == 0 {
            return at + 1;
        }
    }
    tokens.len()
}

fn step(token: &str) -> i32 {
    match token {
        "(" | "[" | "{" | "<" => 1,
        ")" | "]" | "}" | ">" => -1,
        _ => 0,
    }
}

fn count(parameters: &[Token]) -> usize {
    let (mut depth, mut all) = (0, vec![Vec::new()]);
    for token in parameters {
        depth += step(token);
        if depth == 0 && token == "," {
            all.push(Vec::new());
        } else {
            all.last_mut().unwrap().push(token.as_str());
        }
    }
    let is_self = |parameter: &Vec<&str>| parameter.iter().take(5).any(|token| *token == "self");
    all.iter().filter(|parameter| !parameter.is_empty() && !is_self(parameter)).count()
}

#[test]
fn parameters_are_counted() {
    let text = "
        fn none() {}
        pub(super) fn two<'a, T: Fn(u8, u8) -> u8>(&'a mut self, a: (u8, u8), b: impl Fn(T, T) -> T,) -> fn(u8, u8, u8, u8, u8) {}
        async fn four(
            a: Result<HashMap<u8, u8>, u8>,
            [b, c]: [u8; 2],
            Row { d, e }: Row,
            f: &dyn Fn(&str, u8),
        ) {}
    ";
    let found = functions(&without_tests(text).0);
    let found: Vec<_> = found.iter().map(|(name, parameters)| (name.as_str(), *parameters)).collect();
    assert_eq!(found, [("none", 0), ("two", 2), ("four", 4)]);
}
