//! A browser of one person, as far as HTTP knows one: it logs on, keeps its cookies and one connection, and sends forms with what their
//! pages hold. It runs no script and draws nothing.

use std::net::SocketAddr;

use bytes::Bytes;
use ccpor_api::{Hidden, LogOnRequest, SessionAnswer};
use ccpor_certs::IdentityDir;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;

use crate::rest::Rest;
use crate::world::Outcome;

/// See the module.
pub struct Visitor {
    rest: Rest,
    sender: SendRequest<Full<Bytes>>,
    cookies: String,
}

/// A page, or where to go on to.
#[derive(Debug)]
pub struct Page {
    /// The HTTP status.
    pub status: u16,
    /// Where to go on to; empty for a page.
    pub location: String,
    /// The page.
    pub text: String,
}

impl Visitor {
    /// Logs a person on at a machine.
    ///
    /// # Errors
    /// When the machine refuses.
    pub async fn log_on(
        trust: &IdentityDir,
        machine: SocketAddr,
        (name, password, code): (&str, &str, &str),
    ) -> Outcome<Self> {
        let rest = Rest::nobody(trust, machine)?;
        let request = LogOnRequest {
            name: name.to_owned(),
            password: Hidden::new(password.to_owned()),
            code: Hidden::new(code.to_owned()),
        };
        let session: SessionAnswer = rest.post("/v1/session", &request).await?.message()?;
        let token = session.token.ok_or("there is no token")?;
        Ok(Self {
            sender: connect(&rest).await?,
            rest,
            cookies: format!("__Host-ccpor-session={}; __Host-ccpor-visit=v", token.reveal()),
        })
    }

    async fn send(&mut self, request: http::request::Builder, body: String) -> Outcome<Page> {
        let request = request
            .header("host", "localhost")
            .header("cookie", &self.cookies)
            .header("sec-fetch-site", "same-origin")
            .body(Full::from(body))?;
        // A machine closes a connection on which nothing was asked for a while.
        if self.sender.ready().await.is_err() {
            self.sender = connect(&self.rest).await?;
        }
        let response = self.sender.send_request(request).await?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        let location = parts
            .headers
            .get("location")
            .and_then(|value| value.to_str().ok());
        Ok(Page {
            status: parts.status.as_u16(),
            location: location.unwrap_or_default().to_owned(),
            text: String::from_utf8_lossy(&body).into_owned(),
        })
    }

    /// Opens a page.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn open(&mut self, path: &str) -> Outcome<Page> {
        self.send(http::Request::get(path), String::new()).await
    }

    /// Sends a form to where it is sent, with the token that stands in `page`.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn submit(&mut self, path: &str, page: &Page, fields: &[(&str, &str)]) -> Outcome<Page> {
        let token = page
            .text
            .split_once("name=\"form_token\" value=\"")
            .and_then(|(_, rest)| rest.split_once('"'))
            .map(|(token, _)| token)
            .ok_or("the page has no form")?;
        let mut body = format!("form_token={token}");
        for (name, value) in fields {
            body.push_str(&format!("&{name}={}", encoded(value)));
        }
        let request = http::Request::post(path).header("content-type", "application/x-www-form-urlencoded");
        self.send(request, body).await
    }
}

async fn connect(rest: &Rest) -> Outcome<SendRequest<Full<Bytes>>> {
    let stream = TokioIo::new(rest.connect(b"http/1.1").await?);
    let (sender, connection) = hyper::client::conn::http1::handshake(stream).await?;
    tokio::spawn(connection);
    Ok(sender)
}

fn encoded(value: &str) -> String {
    let each = value.bytes().map(|byte| {
        if byte.is_ascii_alphanumeric() {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    });
    each.collect()
}
