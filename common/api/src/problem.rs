//! Problems: one typed answer for every call that is not carried out, the same in REST and gRPC; holds no personal data.

use std::borrow::Cow;
use std::fmt;

use crate::message;
use crate::refusal::Refusal;

/// The trailer (and, for calls refused at once, header) of gRPC that carries the problem document as JSON.
pub const PROBLEM_TRAILER: &str = "ccpor-problem-bin";

/// The most refused fields that one problem tells: in gRPC it travels in a header, and the libraries take 16 KiB of those.
pub const MAX_FIELDS: usize = 16;

/// The media type of a problem document (RFC 9457).
pub const PROBLEM_MEDIA_TYPE: &str = "application/problem+json";

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:literal, $grpc:ident, $title:literal, $action:literal;)*) => {
        /// The kinds of problem. The words are stable: programs branch on them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable word, in kebab-case.
            #[must_use]
            pub const fn as_str(self) -> &'static str { match self { $(Self::$name => $code,)* } }

            /// The HTTP status.
            #[must_use]
            pub const fn status(self) -> u16 { match self { $(Self::$name => $status,)* } }

            /// The gRPC status code.
            #[must_use]
            pub const fn grpc(self) -> tonic::Code { match self { $(Self::$name => tonic::Code::$grpc,)* } }

            /// The kind in short words.
            #[must_use]
            pub const fn title(self) -> &'static str { match self { $(Self::$name => $title,)* } }

            /// What to do about it, unless the problem at hand says something better.
            #[must_use]
            pub const fn action(self) -> &'static str { match self { $(Self::$name => $action,)* } }
        }
    };
}

codes! {
    /// No client certificate came with the connection.
    NotAuthenticated = "not-authenticated", 401, Unauthenticated, "A client certificate is needed",
        "Connect with the client certificate that was issued to your agency; a person logs on first, at /v1/session.";
    /// A person could not log on; it is not told why.
    LogOnRefused = "log-on-refused", 401, Unauthenticated, "The log-on was refused",
        "Check name, password and code; after five failures the account stays locked until an administrator releases it. Ask yours.";
    /// The session is over, or there is none of this token.
    SessionEnded = "session-ended", 401, Unauthenticated, "The session is over",
        "Log on again, at /v1/session.";
    /// The certificate is of this registry but names nobody who may call.
    CertificateNotAccepted = "certificate-not-accepted", 403, PermissionDenied, "The certificate is not accepted here",
        "Ask the operator of the registry for a certificate that names your agency.";
    /// The header `ccpor-ori` names an agency outside the certificate's set, or none where one must be chosen.
    OriNotAccepted = "ori-not-accepted", 403, PermissionDenied, "The agency is not one of the certificate's",
        "Send in the header ccpor-ori one of the agencies (ORI) that your certificate names.";
    /// The caller may not do this.
    NotAllowed = "not-allowed", 403, PermissionDenied, "Not allowed",
        "Ask the operator of the registry whether your agency should be allowed to do this.";
    /// What is asked for is shown for a stated purpose only.
    PurposeNeeded = "purpose-needed", 403, PermissionDenied, "A purpose must be stated",
        "State it in the header ccpor-purpose, and the case or incident in ccpor-case (ccpor: --purpose and --incident).";
    /// The message could not be read at all.
    MalformedRequest = "malformed-request", 400, InvalidArgument, "The request could not be read",
        "Correct the message; /v1/openapi.json and the .proto file describe it.";
    /// The message was read, but fields of it were refused.
    InvalidFields = "invalid-fields", 422, InvalidArgument, "Fields were refused",
        "Correct the fields named and send the request again.";
    /// The type of the content is not one that is taken.
    UnsupportedMediaType = "unsupported-media-type", 415, InvalidArgument, "The type of the content is not taken here",
        "Send application/json; for a batch application/x-ndjson; for an image its bytes.";
    /// The image is not one that is taken: type, pages or content.
    ImageRefused = "image-refused", 422, InvalidArgument, "The image was refused",
        "Send a PDF, PNG, JPEG or TIFF within the limits.";
    /// The message or image is over its limit.
    TooLarge = "too-large", 413, ResourceExhausted, "Too large",
        "Send less: the detail names the limit.";
    /// There is no such operation.
    NoSuchOperation = "no-such-operation", 404, Unimplemented, "There is no such operation",
        "Look up the path and method in /v1/openapi.json, or the service by gRPC reflection.";
    /// The path is right, the method is not.
    MethodNotAllowed = "method-not-allowed", 405, Unimplemented, "The method is not taken on this path",
        "Look up the method in /v1/openapi.json.";
    /// This machine does not offer the operation (filing at a hub).
    NotOffered = "not-offered", 501, Unimplemented, "This machine does not do that",
        "Ask a machine that does: orders are written at the court's own node.";
    /// The order is not known here.
    OrderNotFound = "order-not-found", 404, NotFound, "The order is not known here",
        "Check the number; if the order is new, ask the court's own node or look at the freshness of that court.";
    /// The image is not known here.
    ImageNotFound = "image-not-found", 404, NotFound, "The image is not known here",
        "Check the hash against the order's list of images.";
    /// The image is known but its bytes are not here and could not be fetched.
    ImageUnavailable = "image-unavailable", 503, Unavailable, "The image cannot be had right now",
        "Try again when the hub or the issuing court can be reached, or call the court.";
    /// Bytes held here do not match their hash or signature; they are not served.
    IntegrityFailure = "integrity-failure", 500, DataLoss, "Stored data are damaged and are not served",
        "Tell the operator; the data are fetched anew from another machine.";
    /// The key was used for another request.
    IdempotencyKeyReused = "idempotency-key-reused", 409, AlreadyExists, "The idempotency key was used for another request",
        "Choose a new key for every new act; repeat a key only with the very same request.";
    /// The court's system filed this order already, with other content.
    AlreadyFiled = "already-filed", 409, AlreadyExists, "The order is filed already",
        "Amend the order that is filed, or file under another source_id.";
    /// The order was changed in between.
    VersionConflict = "version-conflict", 409, Aborted, "The order was changed in between",
        "Read the order again and repeat the change on its newest version.";
    /// Only the issuing court may write.
    NotTheIssuingCourt = "not-the-issuing-court", 409, FailedPrecondition, "Only the issuing court may change the order",
        "Send the request to the node of the court that issued the order.";
    /// The order is in a state that does not allow it.
    StateConflict = "state-conflict", 409, FailedPrecondition, "The order's state does not allow it",
        "Read the order and see what was done with it.";
    /// The caller sends more than its share.
    TooManyRequests = "too-many-requests", 429, ResourceExhausted, "Too many requests",
        "Wait a moment, then send fewer at once.";
    /// The disk is full: nothing was written.
    StorageFull = "storage-full", 507, ResourceExhausted, "There is no room to write",
        "Nothing was filed. Tell the operator of the node to make room, then send it again.";
    /// Who asks could not be recorded, so nothing was answered.
    NotRecorded = "not-recorded", 503, Unavailable, "The call cannot be recorded, so it is not answered",
        "Ask another node or the hub, or call the court. Tell the operator of this machine: it needs a person.";
    /// Not ready: starting, shutting down, overloaded, or a part is missing.
    Unavailable = "unavailable", 503, Unavailable, "Not available right now",
        "Try again in a moment, or ask another node.";
    /// It took too long. A write may still come to be: repeat it with the same key.
    Timeout = "timeout", 504, DeadlineExceeded, "It took too long",
        "Try again; repeat a write with the same idempotency key.";
    /// A fault of the program.
    Internal = "internal", 500, Internal, "The program failed",
        "Try again; if it happens again, tell the operator the time at which it happened.";
    /// A kind that this program does not know: the other side is newer.
    Unrecognised = "unrecognised", 500, Unknown, "A problem of a kind that this program does not know",
        "Read the detail; bring this program up to date.";
}

impl Code {
    /// The kind of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == word)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, form: &mut fmt::Formatter<'_>) -> fmt::Result {
        form.write_str(self.as_str())
    }
}

/// Why one field was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Where: `order.restrained.dob`.
    pub path: String,
    /// Why, in words; never the value of a field that could hold personal data.
    pub reason: String,
}

/// Why a call was not carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The kind.
    pub code: Code,
    /// What happened, in words. Ids only: no names, dates of birth, addresses or case numbers.
    pub detail: Cow<'static, str>,
    /// What to do, where something better than the kind's own advice is known.
    pub action: Option<Cow<'static, str>>,
    /// The fields that were refused.
    pub fields: Vec<Field>,
    /// Why, for the pages, which say it in the language of their reader; it does not travel.
    pub refusal: Option<Refusal>,
}

impl Problem {
    /// A problem of a kind. `detail` holds ids only.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            detail: detail.into(),
            action: None,
            fields: Vec::new(),
            refusal: None,
        }
    }

    /// With better advice than the kind's own.
    #[must_use]
    pub fn action(mut self, action: impl Into<Cow<'static, str>>) -> Self {
        self.action = Some(action.into());
        self
    }

    /// Fields were refused; the first [`MAX_FIELDS`] are told. With none given this is still a refusal.
    #[must_use]
    pub fn invalid(mut fields: Vec<Field>) -> Self {
        let detail: Cow<'static, str> = match fields.as_slice() {
            [] => "the request was refused".into(),
            [one] => format!("{}: {}", one.path, one.reason).into(),
            [one, rest @ ..] => format!("{}: {} (and {} more)", one.path, one.reason, rest.len()).into(),
        };
        fields.truncate(MAX_FIELDS);
        Self {
            code: Code::InvalidFields,
            detail,
            action: None,
            fields,
            refusal: None,
        }
    }

    /// One field was refused.
    #[must_use]
    pub fn field(path: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::invalid(vec![Field {
            path: path.into(),
            reason: reason.into(),
        }])
    }

    /// Nothing was done at an account; `reason` are the words for programs.
    #[must_use]
    pub fn refused(refusal: Refusal, reason: impl Into<String>) -> Self {
        Self {
            refusal: Some(refusal),
            ..Self::field(refusal.field(), reason)
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn advice(&self) -> &str {
        self.action.as_deref().unwrap_or(self.code.action())
    }

    /// The problem document (RFC 9457) as JSON.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        // A struct of strings and numbers always serialises; were it not so, the caller still gets a document.
        serde_json::to_vec(&self.to_message()).unwrap_or_else(|_| b"{}".to_vec())
    }

    /// Reads a problem document.
    ///
    /// # Errors
    /// When the bytes are no such document.
    pub fn from_json(json: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice::<message::Problem>(json).map(|document| Self::from_message(&document))
    }

    /// The problem document as a message.
    #[must_use]
    pub fn to_message(&self) -> message::Problem {
        message::Problem {
            r#type: format!("urn:ccpor:problem:{}", self.code),
            title: self.code.title().to_owned(),
            status: u32::from(self.code.status()),
            detail: self.detail.to_string(),
            code: self.code.as_str().to_owned(),
            action: self.advice().to_owned(),
            grpc: self.code.grpc() as u32,
            fields: self
                .fields
                .iter()
                .map(|field| message::FieldProblem {
                    path: field.path.clone(),
                    reason: field.reason.clone(),
                })
                .collect(),
        }
    }

    /// The problem of a document.
    #[must_use]
    pub fn from_message(document: &message::Problem) -> Self {
        let code = Code::parse(&document.code).unwrap_or(Code::Unrecognised);
        let own_action = !document.action.is_empty() && document.action != code.action();
        Self {
            code,
            detail: document.detail.clone().into(),
            action: own_action.then(|| document.action.clone().into()),
            fields: document
                .fields
                .iter()
                .map(|field| Field {
                    path: field.path.clone(),
                    reason: field.reason.clone(),
                })
                .collect(),
            refusal: None,
        }
    }

    /// The problem as a gRPC status: its code, its detail, and the whole document in [`PROBLEM_TRAILER`].
    #[must_use]
    pub fn to_status(&self) -> tonic::Status {
        let mut metadata = tonic::metadata::MetadataMap::new();
        metadata.insert_bin(
            PROBLEM_TRAILER,
            tonic::metadata::MetadataValue::from_bytes(&self.to_json()),
        );
        tonic::Status::with_metadata(self.code.grpc(), self.detail.as_ref(), metadata)
    }

    /// The problem of a gRPC status that carries a document; none when it carries none.
    #[must_use]
    pub fn from_status(status: &tonic::Status) -> Option<Self> {
        let document = status.metadata().get_bin(PROBLEM_TRAILER)?.to_bytes().ok()?;
        Self::from_json(&document).ok()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, form: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(form, "{} ({}): {}", self.code.title(), self.code, self.detail)
    }
}

impl std::error::Error for Problem {}

impl From<Problem> for tonic::Status {
    fn from(problem: Problem) -> Self {
        problem.to_status()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_survives_both_wires_and_a_newer_one_is_still_read() {
        for code in Code::ALL {
            let plain = Problem::new(*code, "what happened, in words: ñ");
            let advised = plain.clone().action("do this instead");
            for problem in [plain, advised, Problem::field("order.issued", "is missing")] {
                assert_eq!(Problem::from_json(&problem.to_json()).unwrap(), problem);
                let status = problem.to_status();
                assert_eq!(Problem::from_status(&status).unwrap(), problem);
                assert_eq!(status.code(), problem.code.grpc());
            }
        }
        let newer = br#"{"code": "moon-in-the-way", "detail": "d", "action": "wait", "phase": "full"}"#;
        let read = Problem::from_json(newer).unwrap();
        assert_eq!((read.code, read.advice()), (Code::Unrecognised, "wait"));
    }

    #[test]
    fn the_words_of_the_kinds_are_stable_in_shape_and_unlike_each_other() {
        let words: std::collections::BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(words.len(), Code::ALL.len());
        assert!(
            words
                .iter()
                .all(|word| word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'))
        );
        assert!(Code::ALL.iter().all(|code| (400..600).contains(&code.status())));
        assert!(
            Code::ALL
                .iter()
                .all(|code| code.grpc() != tonic::Code::Ok && code.action().ends_with('.'))
        );
    }
}
