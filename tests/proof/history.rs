//! Were calls that ran at the same time answered as if they had run one after the other? The question is answered by
//! trying every order; and three invariants are looked at without the model, in case that it is wrong itself.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{Call, Model, Reply, Token};

/// A call that was made among others.
#[derive(Debug, Clone)]
pub struct Made {
    pub call: Call,
    pub reply: Reply,
    /// The step at which it ran its first statement.
    pub began: usize,
    /// The step after which it had answered.
    pub ended: usize,
}

/// All that happened in one schedule.
pub struct History {
    /// The user before it.
    pub before: Model,
    /// What ran at the same time.
    pub at_once: Vec<Made>,
    /// What was asked afterwards, one after the other.
    pub after: Vec<(Call, Reply)>,
}

impl History {
    /// Answers what is wrong with it.
    pub fn fault(&self) -> Option<String> {
        if let Some(fault) = self.two_successors().or_else(|| self.two_logins()) {
            return Some(fault);
        }
        let orders = permutations(self.at_once.len());
        if orders.iter().any(|order| self.is_in_time(order) && self.is_explained_by(order)) {
            return None;
        }
        Some("no order of the calls explains the answers".to_owned())
    }

    /// A call that had answered before another one began comes before it.
    fn is_in_time(&self, order: &[usize]) -> bool {
        let calls: Vec<&Made> = order.iter().map(|at| &self.at_once[*at]).collect();
        (0..calls.len()).all(|at| calls[at + 1..].iter().all(|later| later.ended > calls[at].began))
    }

    fn is_explained_by(&self, order: &[usize]) -> bool {
        let mut model = self.before.clone();
        let at_once = order.iter().map(|at| (self.at_once[*at].call, self.at_once[*at].reply));
        at_once.chain(self.after.iter().copied()).all(|(call, reply)| {
            // A token that the model has not met may be the one that it issues now.
            let new = match reply {
                Reply::Token(token) if !model.knows(token) => token,
                _ => Token::MAX,
            };
            model.call(call, new) == reply
        })
    }

    /// Of one token there is at most one successor, whoever asked and however often.
    fn two_successors(&self) -> Option<String> {
        let mut successors: BTreeMap<Token, BTreeSet<Token>> = BTreeMap::new();
        let at_once = self.at_once.iter().map(|made| (made.call, made.reply));
        for (call, reply) in at_once.chain(self.after.iter().copied()) {
            if let (Call::Refresh(token, _), Reply::Token(next)) = (call, reply) {
                successors.entry(token).or_default().insert(next);
            }
        }
        let several = self.before.blacklists().then(|| successors.into_iter().find(|(_, next)| next.len() > 1));
        several.flatten().map(|(token, next)| format!("token {token} has several successors: {next:?}"))
    }

    /// Of the calls that ran at the same time one login at most was opened by one challenge, and one by one code.
    fn two_logins(&self) -> Option<String> {
        let opened = self.at_once.iter().filter(|made| matches!(made.reply, Reply::Token(_)));
        let answers = opened.filter_map(|made| match made.call {
            Call::Answer(challenge, proof) => Some((challenge, proof)),
            _ => None,
        });
        let answers: Vec<_> = answers.collect();
        let is_used_twice = |at: usize| {
            let (challenge, proof) = answers[at];
            answers[..at].iter().any(|(other, same)| *other == challenge || *same == proof)
        };
        (0..answers.len()).any(is_used_twice).then(|| format!("a challenge or a code opened two logins: {answers:?}"))
    }

    /// Whether anything answered with tokens after the calls had ended.
    pub fn is_all_over(&self) -> bool {
        self.after.iter().all(|(call, reply)| matches!(call, Call::Wait(_)) || *reply == Reply::Refused)
    }
}

fn permutations(of: usize) -> Vec<Vec<usize>> {
    if of == 0 {
        return vec![Vec::new()];
    }
    let shorter = permutations(of - 1);
    let longer =
        |order: &Vec<usize>| (0..of).map(|at| [&order[..at], &[of - 1], &order[at..]].concat()).collect::<Vec<_>>();
    shorter.iter().flat_map(longer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::model::Rules;

    const RULES: Rules = Rules { rotate: true, blacklist: true, check_session: true, must_enrol: false };

    fn logged_in() -> Model {
        let mut model = Model::new(RULES);
        model.call(Call::LogIn, 0);
        model
    }

    fn made(call: Call, reply: Reply, began: usize, ended: usize) -> Made {
        Made { call, reply, began, ended }
    }

    #[test]
    fn two_winners_are_a_fault() {
        let refresh = Call::Refresh(0, None);
        let at_once = vec![made(refresh, Reply::Token(1), 0, 5), made(refresh, Reply::Token(2), 1, 6)];
        assert!(History { before: logged_in(), at_once, after: vec![] }.fault().is_some());
    }

    #[test]
    fn two_logins_by_one_code_are_a_fault() {
        use crate::proof::model::Proof;
        let opens = |challenge, proof, token| made(Call::Answer(challenge, proof), Reply::Token(token), 0, 5);
        let by_one_code = vec![opens(0, Proof::App, 1), opens(1, Proof::App, 2)];
        let of_one_challenge = vec![opens(0, Proof::App, 1), opens(0, Proof::Paper, 2)];
        for at_once in [by_one_code, of_one_challenge] {
            let fault = History { before: logged_in(), at_once, after: vec![] }.fault();
            assert!(fault.is_some_and(|fault| fault.contains("opened two logins")));
        }
        let apart = vec![opens(0, Proof::App, 1), opens(1, Proof::Paper, 2)];
        assert_eq!(History { before: logged_in(), at_once: apart, after: vec![] }.two_logins(), None);
    }

    #[test]
    fn a_refresh_that_overtakes_a_revoke_is_a_fault() {
        let at_once =
            vec![made(Call::LogOutAll(0), Reply::Done, 0, 5), made(Call::Refresh(0, None), Reply::Token(1), 1, 6)];
        let history = |reply| History {
            before: logged_in(),
            at_once: at_once.clone(),
            after: vec![(Call::Refresh(1, None), reply)],
        };
        assert_eq!(history(Reply::Refused).fault(), None);
        assert!(history(Reply::Token(2)).fault().is_some());
    }

    #[test]
    fn a_call_that_began_after_another_had_answered_cannot_come_before_it() {
        let history = |began| History {
            before: logged_in(),
            at_once: vec![
                made(Call::LogOutAll(0), Reply::Done, 0, 5),
                made(Call::Refresh(0, None), Reply::Token(1), began, 9),
            ],
            after: vec![],
        };
        assert_eq!(history(4).fault(), None);
        assert!(history(5).fault().is_some());
    }
}
