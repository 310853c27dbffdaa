//! One request and who makes it: read once at the fence, used by every page.

use ccpor_api::{Caller, Code, Hidden, MAX_CASE_NUMBER, MAX_PURPOSE, Problem};

use crate::fields::Fields;
use crate::session::Session;
use crate::site::{Inner, Question};
use crate::words::{Language, Words};

/// One request of somebody's browser.
#[derive(Clone)]
pub(crate) struct Visit {
    pub(crate) language: Language,
    pub(crate) session: Option<Session>,
    pub(crate) token: Option<Hidden>,
    /// The certificate of the connection, as a dispatch terminal has one.
    pub(crate) certificate: Option<Caller>,
    pub(crate) form_token: String,
    /// The random number of this browser.
    pub(crate) browser: String,
    /// The path that was asked for; it holds no personal data.
    pub(crate) path: String,
    /// What a form sent.
    pub(crate) fields: Fields,
}

impl Visit {
    pub(crate) fn words(&self) -> &'static Words {
        self.language.words()
    }

    /// Whether a form carries the token of this browser and session.
    pub(crate) fn carries(&self, form_token: &str) -> bool {
        // Hashes are compared in constant time.
        let expected = blake3::Hash::from_hex(&self.form_token);
        blake3::Hash::from_hex(form_token).is_ok_and(|sent| expected.is_ok_and(|expected| sent == expected))
    }

    /// The account, on pages behind the fence.
    pub(crate) fn account(&self) -> &str {
        self.session
            .as_ref()
            .map_or("", |session| session.account.as_str())
    }

    /// As whom the registry is asked.
    pub(crate) fn caller(&self) -> Result<Caller, Problem> {
        let nobody = || Problem::new(Code::NotAuthenticated, "nobody is logged on");
        self.session
            .as_ref()
            .map(|session| session.caller.clone())
            .ok_or_else(nobody)
    }

    /// As whom the registry is asked, with the reason that the person stated with a question.
    pub(crate) fn caller_for(&self, question: Option<&Question>) -> Result<Caller, Problem> {
        let caller = self.caller()?;
        let cut = |text: &str, most: usize| text.chars().filter(|c| !c.is_control()).take(most).collect();
        Ok(match question {
            Some(question) => Caller {
                purpose: cut(&question.purpose, MAX_PURPOSE),
                case_number: cut(&question.incident, MAX_CASE_NUMBER),
                ..caller
            },
            None => caller,
        })
    }

    /// The question of this person that `id` names.
    pub(crate) fn question(&self, site: &Inner, id: Option<&str>) -> Option<Question> {
        site.questions
            .get(id?)
            .filter(|question| question.account == self.account())
    }

    /// What this person typed and could not send, when `id` names it.
    pub(crate) fn draft(&self, site: &Inner, id: Option<&str>) -> Option<Fields> {
        let draft = site.drafts.get(id?, self.account(), &self.browser)?;
        Some(draft.fields)
    }
}

/// A path of this host to go on to: never another host, never anything but a path.
pub(crate) fn safe_path(path: &str) -> &str {
    let local = path.starts_with('/') && !path.starts_with("//") && path.len() < 300;
    let plain = path
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"/-_.?=&".contains(&byte));
    if local && plain { path } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::safe_path;

    #[test]
    fn only_a_path_of_this_host_is_gone_on_to() {
        for path in ["/orders/7K3M-99QD/service?draft=0a", "/search"] {
            assert_eq!(safe_path(path), path);
        }
        for path in [
            "//evil.example",
            "https://evil.example",
            "/\\evil",
            "",
            "search",
            "/a\r\nb",
            "/%2f/evil",
        ] {
            assert_eq!(safe_path(path), "/", "{path:?}");
        }
    }
}
