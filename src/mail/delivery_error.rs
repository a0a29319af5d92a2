//! Why a mail could not be sent, in one short sentence without secrets. `queue` decides by it whether to try again.

/// Maximum length of the text that the queue keeps, in characters.
const MAX_TEXT: usize = 500;

/// Why a mail could not be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryError {
    /// Another attempt would fail too.
    pub is_permanent: bool,
    /// One short sentence.
    pub text: String,
}

impl DeliveryError {
    /// This mail cannot be sent.
    pub fn permanent(text: String) -> Self {
        Self { is_permanent: true, text }
    }

    /// It cannot be sent at the moment.
    pub fn temporary(text: String) -> Self {
        Self { is_permanent: false, text }
    }

    /// The same on one short line and without these secrets: servers like to repeat what they were sent.
    #[must_use]
    pub fn without<'a>(self, secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let words = self.text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
        let line = words.collect::<Vec<_>>().join(" ");
        let text = secrets
            .into_iter()
            .filter(|secret| !secret.is_empty())
            .fold(line, |text, secret| text.replace(secret, "***"));
        Self { text: text.chars().take(MAX_TEXT).collect(), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_one_short_line_without_secrets() {
        let fault = DeliveryError::permanent(format!(
            "It said:\r\n 554\u{1b}[2J no\u{0} https://a.b/?token=hush{}",
            "x".repeat(600)
        ));
        let told = fault.without(["hush", ""]);
        assert!(told.is_permanent);
        assert!(told.text.starts_with("It said: 554 [2J no https://a.b/?token=***xxx"), "{}", told.text);
        assert_eq!(told.text.chars().count(), MAX_TEXT);
    }
}
