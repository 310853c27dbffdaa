//! A court's machine with people, and persons who log on there with an authenticator.

#![allow(dead_code, reason = "each test that is built with this uses a part of it")]

use std::net::SocketAddr;

use bytes::Bytes;
use ccpor_api::message::{LookupAnswer, LookupRequest};
use ccpor_api::{Code, LogOnRequest, SessionAnswer, SetUpAnswer, SetUpRequest};
use ccpor_certs::{Clock, IdentityDir};
use ccpor_tests::lone::{Lone, Realm};
use ccpor_tests::rest::{Answer, Rest};
use ccpor_tests::world::Outcome;
use http_body_util::Full;
use serde::Serialize;

pub(crate) const PASSWORD: &str = "four quiet yellow boats";

/// A machine with people, and its court's own system.
pub(crate) struct House {
    pub(crate) realm: Realm,
    pub(crate) node: Lone,
    pub(crate) address: SocketAddr,
    pub(crate) court: IdentityDir,
}

/// A person with an authenticator, at a browser without a certificate or at a terminal with one.
pub(crate) struct Person {
    pub(crate) rest: Rest,
    pub(crate) name: String,
    pub(crate) set_up_code: String,
    pub(crate) authenticator: String,
    pub(crate) recovery: Vec<String>,
    pub(crate) token: String,
}

impl House {
    pub(crate) async fn open(settings: &str) -> Outcome<Self> {
        let realm = Realm::new(Clock::machine())?;
        let court = realm.issue("system/alameda-cms", &[])?;
        let mut node = realm.node("alameda", &format!("[hub]\nconnect = false\n{settings}"))?;
        let address = node.start().await?;
        Ok(Self {
            realm,
            node,
            address,
            court,
        })
    }

    /// Makes an account and sets it up; the person is not logged on yet.
    pub(crate) async fn person(&self, name: &str, role: &str, of: Option<&str>) -> Outcome<Person> {
        let mut words = vec!["users", "add", name, "--role", role];
        words.extend(of.iter().flat_map(|of| ["--of", of]));
        let added = self.node.run(&words).await?;
        self.set_up(name, &set_up_code(&added.said(0, &["has an account"]).text()))
            .await
    }

    pub(crate) async fn set_up(&self, name: &str, set_up_code: &str) -> Outcome<Person> {
        let rest = Rest::nobody(&self.court, self.address)?;
        let request = SetUpRequest {
            name: name.into(),
            set_up_code: ccpor_api::Hidden::new(set_up_code.into()),
            password: ccpor_api::Hidden::new(PASSWORD.into()),
        };
        let answer: SetUpAnswer = rest.post("/v1/account", &request).await?.message()?;
        let codes = answer.recovery_codes.iter().map(|code| code.reveal().to_owned());
        Ok(Person {
            rest,
            name: name.into(),
            set_up_code: set_up_code.into(),
            authenticator: answer.authenticator.reveal().to_owned(),
            recovery: codes.collect(),
            token: String::new(),
        })
    }

    /// A person of this role, logged on.
    pub(crate) async fn staff(&self, name: &str, role: &str, of: Option<&str>) -> Outcome<Person> {
        let mut person = self.person(name, role, of).await?;
        person.log_on().await?;
        Ok(person)
    }
}

impl Person {
    pub(crate) fn code(&self) -> String {
        totp_rs::Totp::from_url(&self.authenticator)
            .unwrap()
            .generate_current()
            .to_string()
    }

    pub(crate) async fn tries(&self, password: &str, code: &str) -> Outcome<Answer> {
        log_on(&self.rest, &self.name, password, code).await
    }

    pub(crate) async fn log_on(&mut self) -> Outcome<SessionAnswer> {
        let opened: SessionAnswer = self.tries(PASSWORD, &self.code()).await?.message()?;
        self.token = opened.token.as_ref().unwrap().reveal().to_owned();
        Ok(opened)
    }

    pub(crate) async fn get(&self, path: &str) -> Outcome<Answer> {
        self.send(http::Request::get(path), Vec::new()).await
    }

    pub(crate) async fn post(&self, path: &str, message: &impl Serialize) -> Outcome<Answer> {
        let request = http::Request::post(path).header("content-type", "application/json");
        self.send(request, serde_json::to_vec(message)?).await
    }

    pub(crate) async fn send(&self, request: http::request::Builder, body: Vec<u8>) -> Outcome<Answer> {
        let request = request.header("authorization", format!("Bearer {}", self.token));
        self.rest.send(request, Full::new(Bytes::from(body))).await
    }

    pub(crate) async fn session(&self) -> Outcome<Answer> {
        self.get("/v1/session").await
    }

    pub(crate) async fn looks_up(
        &self,
        last: &str,
        limit: u32,
        purpose: Option<&str>,
    ) -> Outcome<LookupAnswer> {
        let question = LookupRequest {
            last: last.into(),
            first: "JANE".into(),
            limit,
            ..LookupRequest::default()
        };
        let mut request = http::Request::post("/v1/lookup").header("content-type", "application/json");
        if let Some(purpose) = purpose {
            request = request.header("ccpor-purpose", purpose);
        }
        self.send(request, serde_json::to_vec(&question)?)
            .await?
            .message()
    }
}

pub(crate) async fn log_on(rest: &Rest, name: &str, password: &str, code: &str) -> Outcome<Answer> {
    let request = LogOnRequest {
        name: name.into(),
        password: ccpor_api::Hidden::new(password.into()),
        code: ccpor_api::Hidden::new(code.into()),
    };
    rest.post("/v1/session", &request).await
}

pub(crate) fn set_up_code(printed: &str) -> String {
    let line = printed.lines().find(|line| line.contains("Set-up code")).unwrap();
    line.rsplit(' ').next().unwrap().to_owned()
}

pub(crate) fn code(answer: &Answer) -> Option<Code> {
    answer.problem().ok().map(|problem| problem.code)
}
