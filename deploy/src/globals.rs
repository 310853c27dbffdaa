//! The flags that every command takes, and what they and the contexts say together: whom to ask, and as whom.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::contexts::{self, Context, Contexts};
use crate::failure::Failure;
use crate::when;

/// Flags of every command.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Flags of every command")]
pub(crate) struct Globals {
    /// The named context to use instead of the one in use.
    #[arg(long, global = true, value_name = "NAME", env = "CCPOR_CONTEXT")]
    pub(crate) context: Option<String>,
    /// Ask this machine; stronger than the context.
    #[arg(long, global = true, value_name = "HOST:PORT", env = "CCPOR_ENDPOINT", value_parser = contexts::valid_endpoint)]
    pub(crate) endpoint: Option<String>,
    /// A further machine that may answer a lookup or show an order; may be repeated. The nearest answers, another takes over
    /// when it is slow or silent. Everything else goes to the one of --endpoint or the context.
    #[arg(long, global = true, value_name = "HOST:PORT", value_parser = contexts::valid_endpoint)]
    pub(crate) server: Vec<String>,
    /// A file of further machines as of --server, one HOST:PORT a line; # begins a remark.
    #[arg(long, global = true, value_name = "FILE", env = "CCPOR_SERVERS")]
    pub(crate) servers: Option<PathBuf>,
    /// Identity directory with certificate and key; stronger than the context.
    #[arg(long, global = true, value_name = "DIR", env = "CCPOR_IDENTITY")]
    pub(crate) identity: Option<PathBuf>,
    /// The agency (ORI) that the call is made for, where the certificate names several.
    #[arg(long, global = true, value_name = "ORI")]
    pub(crate) ori: Option<String>,
    /// Why is asked, in words. Orders of others that are over are shown for a stated purpose alone.
    #[arg(long, global = true, value_name = "WORDS")]
    pub(crate) purpose: Option<String>,
    /// The number of your case or incident.
    #[arg(long, global = true, value_name = "NUMBER")]
    pub(crate) incident: Option<String>,
    /// Longest time to wait for an answer: 10, 500ms, 2m.
    #[arg(long, global = true, value_name = "TIME", default_value = "10", value_parser = when::span)]
    pub(crate) timeout: Duration,
    /// JSON on stdout, problems as JSON on stderr.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// No colour; the environment variable NO_COLOR does the same.
    #[arg(long, global = true)]
    pub(crate) no_color: bool,
    /// No remarks and no progress on stderr, only failures.
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
}

impl Globals {
    /// Whom to ask and as whom: the flags, and the context for what they leave open.
    pub(crate) fn reach(&self) -> Result<Context, Failure> {
        let path = Contexts::usual_path();
        let all_given = self.endpoint.is_some() && self.identity.is_some() && self.context.is_none();
        let contexts = match &path {
            // With everything given by flags no file is needed, and a broken one does not matter.
            _ if all_given => Contexts::default(),
            Ok(path) => Contexts::load(path)?,
            Err(_) => Contexts::default(),
        };
        self.reach_among(&contexts)
    }

    fn reach_among(&self, contexts: &Contexts) -> Result<Context, Failure> {
        let context = contexts
            .get(self.context.as_deref())?
            .map(|(_, context)| context.clone())
            .unwrap_or_default();
        let endpoint = self.endpoint.clone().unwrap_or(context.endpoint);
        let identity = self.identity.clone().unwrap_or(context.identity);
        let ori = self.ori.clone().unwrap_or(context.ori);
        if endpoint.is_empty() || identity.as_os_str().is_empty() {
            return Err(Failure::usage(
                "it is not said which machine to ask, or with which certificate",
                "Add a context: `ccpor context add NAME --endpoint HOST:PORT --identity DIR`; \
                 or give --endpoint and --identity.",
            ));
        }
        Ok(Context {
            endpoint,
            identity,
            ori,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn globals(context: Option<&str>, endpoint: Option<&str>, ori: Option<&str>) -> Globals {
        Globals {
            context: context.map(Into::into),
            endpoint: endpoint.map(Into::into),
            server: Vec::new(),
            servers: None,
            identity: None,
            ori: ori.map(Into::into),
            purpose: None,
            incident: None,
            timeout: Duration::from_secs(1),
            json: false,
            no_color: false,
            quiet: false,
        }
    }

    #[test]
    fn flags_are_stronger_than_the_context_one_by_one() {
        let one = Context {
            endpoint: "a:1".into(),
            identity: "/one".into(),
            ori: "CA0010000".into(),
        };
        let contexts = Contexts {
            current: Some("one".into()),
            contexts: [("one".to_owned(), one.clone())].into(),
        };
        assert_eq!(globals(None, None, None).reach_among(&contexts).unwrap(), one);
        let other = globals(None, Some("b:2"), Some("CA0190000"))
            .reach_among(&contexts)
            .unwrap();
        assert_eq!(
            other,
            Context {
                endpoint: "b:2".into(),
                identity: "/one".into(),
                ori: "CA0190000".into()
            }
        );
        assert!(globals(Some("two"), None, None).reach_among(&contexts).is_err());
        let nothing = globals(None, None, None)
            .reach_among(&Contexts::default())
            .unwrap_err();
        assert!(nothing.in_words().contains("ccpor context add"));
    }
}
