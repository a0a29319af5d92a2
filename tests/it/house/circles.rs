//! No two files take from each other, not even by way of others: what both need stands in a third. A `mod.rs` and the files
//! beside it are files like all others.

use super::imports::{Graph, graph};
use super::nothing_in;
use std::collections::BTreeSet;

/// The rooms without circles (`web` is parents and children). Rooms in one list are looked at together.
const ROOMS: &[&[&str]] = &[
    &["journal"],
    &["guard"],
    &["sessions"],
    &["accounts"],
    &["factors"],
    &["tokens"],
    &["cli"],
    &["crypto"],
    &["config"],
    &["db"],
    &["mail"],
    &["key_set"],
];

#[test]
fn no_files_of_a_room_take_from_each_other_in_a_circle() {
    let graph = graph();
    nothing_in(ROOMS.iter().flat_map(|rooms| circles(&within(&graph, rooms))).collect());
}

/// The part of the graph that lies in these rooms.
fn within(graph: &Graph, rooms: &[&str]) -> Graph {
    let is_inside = |file: &String| {
        let path = file.trim_start_matches("src/").trim_end_matches(".rs");
        rooms.contains(&path.split('/').next().unwrap_or_default())
    };
    let inside = graph.iter().filter(|(file, _)| is_inside(file));
    inside.map(|(file, taken)| (file.clone(), taken.iter().filter(|file| is_inside(file)).cloned().collect())).collect()
}

/// Each circle once, as the arrows that it consists of.
fn circles(graph: &Graph) -> Vec<String> {
    let (mut findings, mut known) = (Vec::new(), BTreeSet::new());
    for file in graph.keys() {
        let reached = reachable(graph, file);
        if !reached.contains(file) || known.contains(file) {
            continue;
        }
        let members: BTreeSet<_> = reached.into_iter().filter(|other| reachable(graph, other).contains(file)).collect();
        let arrows = members.iter().map(|from| {
            let to = graph[from].iter().filter(|to| members.contains(*to)).map(String::as_str);
            format!("    {from} takes from {}", to.collect::<Vec<_>>().join(", "))
        });
        findings.push(format!("A circle of {} files:\n{}", members.len(), arrows.collect::<Vec<_>>().join("\n")));
        known.extend(members);
    }
    findings
}

/// All files that a file takes from, by way of others too.
fn reachable(graph: &Graph, start: &str) -> BTreeSet<String> {
    let (mut reached, mut waiting) = (BTreeSet::new(), vec![start.to_owned()]);
    while let Some(file) = waiting.pop() {
        for next in graph.get(&file).into_iter().flatten() {
            if reached.insert(next.clone()) {
                waiting.push(next.clone());
            }
        }
    }
    reached
}

#[test]
fn circles_are_found() {
    let arrows = |pairs: &[(&str, &str)]| {
        let mut graph = Graph::new();
        for (from, to) in pairs {
            graph.entry((*from).to_owned()).or_default().insert((*to).to_owned());
            graph.entry((*to).to_owned()).or_default();
        }
        graph
    };
    assert!(circles(&arrows(&[("a", "b"), ("b", "c"), ("a", "c")])).is_empty());
    let found = circles(&arrows(&[("a", "b"), ("b", "c"), ("c", "a"), ("c", "d"), ("e", "f"), ("f", "e")]));
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("A circle of 3 files:\n    a takes from b\n"), "{found:?}");
}
