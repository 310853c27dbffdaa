//! The programming interfaces of the court order registry: gRPC and REST on one TLS port, and the client; knows no storage.
//!
//! One set of messages (`proto/ccpor/v1`), one set of operations ([`Backend`]) and one set of problems ([`Problem`]) are
//! carried by two faces. A call's road: [`serve`] accepts and shakes hands; the face lets in who has a certificate; gRPC or
//! REST reads the message; the operations check and bound it; the backend does it.

// A module uses only modules declared below it.
pub mod nearest;
mod client;
mod target;
mod line;
mod server;
mod face;
mod grpc;
mod rest;
pub mod openapi;
mod batch;
mod figures;
mod json;
mod visit;
mod examples;
mod routes;
mod operations;
mod upload;
mod freshness;
pub mod question;
pub mod convert;
pub mod render;
mod reports;
mod trails;
mod accounts;
mod people;
mod reached;
mod backend;
mod problem;
mod refusal;
pub mod message;
mod limits;

pub use accounts::{
    AccountAct, AccountChange, AccountFacts, AccountLine, AccountStanding, Accounts, LARGEST_ACCOUNTS_FILE,
    PasswordChange, SessionFacts,
};
pub use backend::{
    Arrival, Backend, CASE_HEADER, Caller, ImageBytes, ImageOffer, ImageOut, Knock, MAX_CASE_NUMBER,
    MAX_PURPOSE, ORI_HEADER, PURPOSE_HEADER, Person,
};
pub use client::{Answers, CallFailed, Client, ImageIn};
pub use limits::Limits;
pub use people::{Hidden, LogOnRequest, People, SessionAnswer, SetUpAnswer, SetUpRequest};
pub use problem::{Code, Field, MAX_FIELDS, PROBLEM_MEDIA_TYPE, PROBLEM_TRAILER, Problem};
pub use refusal::Refusal;
pub use reports::{
    CourtStatistics, Fault, FaultKind, Faults, FaultsQuestion, Report, Reports, Standings, Statistics,
};
pub use server::{ALPN, CallerOf, ServeFailed, Serving, TlsNow, TurnedAway, nobody_is_turned_away, serve};
pub use target::Target;
pub use trails::{TrailPage, TrailPlace, TrailQuestion, TrailRow, TrailState, Trails};
pub use visit::Shown;
