//! Which problems each path can answer with, for the document.

use crate::problem::Code;
use crate::routes::Route;

const DOOR: &[Code] = &[
    Code::NotAuthenticated,
    Code::SessionEnded,
    Code::CertificateNotAccepted,
    Code::OriNotAccepted,
    Code::NotAllowed,
];
const PERSON: &[Code] = &[
    Code::LogOnRefused,
    Code::SessionEnded,
    Code::CertificateNotAccepted,
    Code::NotOffered,
];
const FAULT: &[Code] = &[Code::Internal];
const BODY: &[Code] = &[
    Code::MalformedRequest,
    Code::InvalidFields,
    Code::UnsupportedMediaType,
    Code::TooLarge,
];
const VIEW: &[Code] = &[Code::OrderNotFound, Code::MalformedRequest, Code::InvalidFields];
const WORK: &[Code] = &[
    Code::TooManyRequests,
    Code::NotRecorded,
    Code::Unavailable,
    Code::Timeout,
    Code::IntegrityFailure,
];
const WRITE: &[Code] = &[
    Code::IdempotencyKeyReused,
    Code::NotTheIssuingCourt,
    Code::StorageFull,
    Code::NotOffered,
];
const KNOWN: &[Code] = &[Code::OrderNotFound, Code::StateConflict];
const UPLOAD: &[Code] = &[
    Code::TooLarge,
    Code::ImageRefused,
    Code::MalformedRequest,
    Code::InvalidFields,
];
const IMAGE: &[Code] = &[Code::ImageNotFound, Code::ImageUnavailable, Code::InvalidFields];

/// The problems of an operation by their HTTP status.
pub(super) fn problems(route: Route) -> std::collections::BTreeMap<u16, Vec<Code>> {
    let parts: &[&[Code]] = match route {
        Route::FileOrder => &[
            DOOR,
            FAULT,
            BODY,
            WORK,
            WRITE,
            &[Code::AlreadyFiled, Code::ImageNotFound, Code::StateConflict],
        ],
        Route::AmendOrder => &[DOOR, FAULT, BODY, WORK, WRITE, KNOWN, &[Code::VersionConflict]],
        Route::RecordService
        | Route::EndOrder
        | Route::RecordViolation
        | Route::SealOrder
        | Route::Confide
        | Route::DestroyConfidential => &[DOOR, FAULT, BODY, WORK, WRITE, KNOWN],
        Route::AttachImage => &[DOOR, FAULT, UPLOAD, WORK, WRITE, KNOWN],
        Route::GetOrder => &[DOOR, FAULT, WORK, VIEW, &[Code::PurposeNeeded]],
        Route::GetImage => &[DOOR, FAULT, WORK, IMAGE, &[Code::PurposeNeeded]],
        Route::Lookup | Route::LookupBatch => &[DOOR, FAULT, BODY, WORK],
        Route::Scrub | Route::CheckOrder | Route::PersonHistory => &[DOOR, FAULT, BODY, WORK],
        Route::Enforce => &[DOOR, FAULT, WORK, VIEW, &[Code::PurposeNeeded]],
        Route::ReadConfidential => &[
            DOOR,
            FAULT,
            WORK,
            VIEW,
            &[Code::NotTheIssuingCourt, Code::NotOffered],
        ],
        Route::ListOverdue => &[DOOR, FAULT, WORK, &[Code::MalformedRequest, Code::InvalidFields]],
        Route::ListWork => &[DOOR, FAULT, WORK, &[Code::NotOffered]],
        Route::ListScans => &[
            DOOR,
            FAULT,
            WORK,
            &[
                Code::NotOffered,
                Code::MalformedRequest,
                Code::InvalidFields,
                Code::ImageNotFound,
            ],
        ],
        Route::AddScan => &[DOOR, FAULT, UPLOAD, WORK, &[Code::StorageFull, Code::NotOffered]],
        Route::GetScan => &[DOOR, FAULT, WORK, IMAGE, &[Code::NotOffered]],
        Route::HandleScan => &[DOOR, FAULT, BODY, WORK, WRITE, KNOWN, &[Code::ImageNotFound]],
        Route::ListCourts | Route::Status | Route::ListQuarantine | Route::GetTopology => {
            &[DOOR, FAULT, WORK]
        }
        Route::LogOn | Route::SetUpAccount => &[PERSON, FAULT, BODY, WORK],
        Route::ShowSession | Route::LogOff => &[PERSON, FAULT, WORK],
        Route::OpenApi => &[DOOR, FAULT],
        // Says not ready in words of its own.
        Route::Readyz => &[DOOR],
        Route::Metrics => &[DOOR, FAULT, WORK],
        Route::Livez => &[],
    };
    let mut by_status = std::collections::BTreeMap::<u16, Vec<Code>>::new();
    for code in parts.concat() {
        by_status.entry(code.status()).or_default().push(code);
    }
    by_status
}
