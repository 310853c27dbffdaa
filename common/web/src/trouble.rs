//! What went wrong, in the words of the pages: the kinds of the programming interface are named and advised for programs.

use ccpor_api::Code;

use crate::words::Words;

/// What happened and what to do, in the language of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) title: &'static str,
    pub(crate) action: &'static str,
}

/// The words for a kind of problem.
pub(crate) fn told(code: Code, w: &Words) -> Told {
    let (title, action) = match code {
        Code::OrderNotFound => (w.trouble_unknown_order, w.trouble_unknown_order_do),
        Code::PurposeNeeded => (w.trouble_purpose, w.trouble_purpose_do),
        Code::NotAllowed | Code::CertificateNotAccepted | Code::OriNotAccepted => {
            (w.trouble_not_allowed, w.trouble_not_allowed_do)
        }
        Code::NoSuchOperation | Code::MethodNotAllowed => (w.trouble_no_page, w.trouble_no_page_do),
        Code::ImageNotFound | Code::ImageUnavailable => (w.trouble_no_image, w.trouble_no_image_do),
        Code::IntegrityFailure => (w.trouble_damaged, w.trouble_damaged_do),
        Code::ImageRefused | Code::TooLarge | Code::UnsupportedMediaType => {
            (w.trouble_file, w.trouble_file_do)
        }
        Code::InvalidFields | Code::MalformedRequest => (w.trouble_fields, w.trouble_fields_do),
        Code::NotOffered | Code::NotTheIssuingCourt => (w.trouble_issuing_court, w.trouble_issuing_court_do),
        Code::AlreadyFiled | Code::IdempotencyKeyReused => (w.trouble_done_before, w.trouble_done_before_do),
        Code::VersionConflict => (w.trouble_changed, w.trouble_changed_do),
        Code::StateConflict => (w.trouble_state, w.trouble_state_do),
        Code::TooManyRequests => (w.trouble_many, w.trouble_many_do),
        Code::StorageFull => (w.trouble_full, w.trouble_full_do),
        Code::NotRecorded => (w.trouble_not_recorded, w.trouble_not_recorded_do),
        Code::Timeout => (w.trouble_slow, w.trouble_slow_do),
        Code::NotAuthenticated | Code::LogOnRefused | Code::SessionEnded => {
            (w.trouble_session, w.trouble_session_do)
        }
        Code::Unavailable | Code::Internal | Code::Unrecognised => (w.trouble_not_now, w.trouble_not_now_do),
    };
    Told { title, action }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::Language;

    #[test]
    fn every_kind_is_told_in_the_language_of_the_page_and_without_words_for_programs() {
        for code in Code::ALL {
            let one = told(*code, Language::English.words());
            let other = told(*code, Language::Spanish.words());
            assert!(one.title != other.title && one.action != other.action, "{code}");
            for programs in ["/v1/", "ccpor-", "idempotency", ".proto"] {
                assert!(!one.action.contains(programs), "{code}: {}", one.action);
            }
        }
    }
}
