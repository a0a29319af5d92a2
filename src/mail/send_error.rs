//! Why a mail could not be sent.

/// Longest text that is kept, in characters.
const MAX_TEXT: usize = 500;

/// Why a mail did not leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendError {
    /// Another attempt would end the same.
    pub is_permanent: bool,
    /// One short sentence.
    pub text: String,
}

impl SendError {
    /// That this mail cannot be sent.
    pub fn permanent(text: String) -> Self {
        Self { is_permanent: true, text }
    }

    /// That it could not be sent at the moment.
    pub fn temporary(text: String) -> Self {
        Self { is_permanent: false, text }
    }

    /// The same on one line, short, and without these secrets: servers like to repeat what they were sent.
    pub(super) fn without<'a>(self, secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let words = self.text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
        let line = words.collect::<Vec<_>>().join(" ");
        let text = secrets
            .into_iter()
            .filter(|secret| !secret.is_empty())
            .fold(line, |text, secret| text.replace(secret, "***"));
        Self { text: text.chars().take(MAX_TEXT).collect(), ..self }
    }
}
