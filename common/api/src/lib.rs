//! The programming interfaces of the court order registry: gRPC and REST on one TLS port, and the client; knows no storage.
//!
//! One set of messages (`proto/ccpor/v1/*.proto`), one set of operations ([`backend::Backend`]), one set of problems
//! ([`problem::Problem`]), carried by two faces. The order of the `mod` lines is the order of dependency.

pub mod backend;
pub mod problem;
pub mod message;

pub use backend::{Backend, Caller};
pub use problem::{Code, Problem};
