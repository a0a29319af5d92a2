//! A user of the panel without scripts: keeps cookies, fills in the forms on a page, follows redirects.

use std::collections::BTreeMap;

use super::http::{Answer, Client, form};

/// A simple browser. Forms are posted with the hidden fields of the page that showed them.
pub struct Panel {
    client: Client,
    cookies: BTreeMap<String, String>,
}

impl Panel {
    pub fn new(client: Client) -> Self {
        Self { client, cookies: BTreeMap::new() }
    }

    pub fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, "")
    }

    /// Posts fields as they are, without hidden fields.
    pub fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.send("POST", path, &form(fields))
    }

    /// Fills in the form of `page` whose action contains `action`, and submits it.
    #[track_caller]
    pub fn submit(&mut self, page: &Answer, action: &str, fields: &[(&str, &str)]) -> Answer {
        let form = Form::find(&page.text(), action);
        let mut all: Vec<(&str, &str)> = form.hidden.iter().map(|(name, value)| (&**name, &**value)).collect();
        all.retain(|(name, _)| !fields.iter().any(|(given, _)| given == name));
        all.extend(fields);
        self.post(&form.action, &all)
    }

    /// Logs in through the form; returns the redirect, or the form again.
    pub fn log_in(&mut self, username: &str, password: &str) -> Answer {
        let page = self.get("/admin/login/");
        self.submit(&page, "/admin/login/", &[("username", username), ("password", password)])
    }

    /// Follows a redirect.
    #[track_caller]
    pub fn follow(&mut self, answer: &Answer) -> Answer {
        let location =
            answer.header("location").unwrap_or_else(|| panic!("{} is no redirect", answer.status)).to_owned();
        assert!(location.starts_with('/'), "{location} leads away");
        self.get(&location)
    }

    /// The cookies as the next request sends them.
    pub fn cookies(&self) -> String {
        self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    /// Takes over the cookies of another browser.
    pub fn take_cookies(&mut self, of: &Self) {
        self.cookies.clone_from(&of.cookies);
    }

    /// Adds a cookie that no answer has set.
    pub fn set_cookie(&mut self, name: &str, value: &str) {
        self.cookies.insert(name.to_owned(), value.to_owned());
    }

    fn send(&mut self, method: &str, path: &str, body: &str) -> Answer {
        let cookies = self.cookies();
        let mut headers = vec![("accept", "text/html")];
        if !cookies.is_empty() {
            headers.push(("cookie", &cookies));
        }
        if method == "POST" {
            headers.push(("content-type", "application/x-www-form-urlencoded"));
        }
        let answer = self.client.send(method, path, &headers, body);
        for cookie in answer.headers.get_all("set-cookie") {
            self.keep(cookie.to_str().unwrap());
        }
        answer
    }

    fn keep(&mut self, cookie: &str) {
        let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
        if value.is_empty() || cookie.to_ascii_lowercase().contains("max-age=0") {
            self.cookies.remove(name);
        } else {
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }
}

struct Form {
    action: String,
    hidden: Vec<(String, String)>,
}

impl Form {
    /// The first POST form on a page whose action contains `wanted`.
    #[track_caller]
    fn find(page: &str, wanted: &str) -> Self {
        let mut actions = Vec::new();
        for part in page.split("<form").skip(1) {
            let part = part.split("</form>").next().unwrap();
            let (tag, inside) = part.split_once('>').unwrap();
            let action = attribute(tag, "action").unwrap_or_default();
            if attribute(tag, "method").is_some_and(|method| method.eq_ignore_ascii_case("post"))
                && action.contains(wanted)
            {
                let inputs = inside.split("<input").skip(1).map(|input| input.split('>').next().unwrap());
                let hidden = inputs
                    .filter(|input| attribute(input, "type").as_deref() == Some("hidden"))
                    .filter_map(|input| {
                        Some((attribute(input, "name")?, attribute(input, "value").unwrap_or_default()))
                    })
                    .collect();
                return Self { action, hidden };
            }
            actions.push(action);
        }
        panic!("no form that posts to {wanted}; there are {actions:?} in {page}");
    }
}

/// The value of an attribute inside a tag.
pub fn attribute(tag: &str, name: &str) -> Option<String> {
    let start = tag.find(&format!(" {name}=\""))? + name.len() + 3;
    let value = tag[start..].split('"').next()?;
    Some(unescape(value))
}

/// The text of HTML, with its character references resolved.
pub fn unescape(text: &str) -> String {
    [("&lt;", "<"), ("&#60;", "<"), ("&gt;", ">"), ("&#62;", ">"), ("&quot;", "\""), ("&#34;", "\""), ("&#39;", "'")]
        .iter()
        .fold(text.to_owned(), |text, (reference, character)| text.replace(reference, character))
        .replace("&#38;", "&")
        .replace("&amp;", "&")
}
