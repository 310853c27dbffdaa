//! Every operation of the interface, for every role of the own court and of another: let through exactly as the table says.

use std::sync::Arc;

use ccpor_access::{Role, Verb, may};
use ccpor_api::message::*;
use ccpor_api::{Backend, Caller, Code, ImageBytes, ImageOffer, ImageOut, Problem};
use ccpor_daemon::guard::Guarded;
use ccpor_daemon::sight::who;

use crate::court::{OTHER, OWN, caller, open, sharing};

/// Does everything that it is asked to.
struct Willing;

macro_rules! willing {
    ($($name:ident($($request:ty),*) -> $answer:ty;)*) => {
        #[tonic::async_trait]
        impl Backend for Willing {
            $(async fn $name(&self, _: &Caller $(, _: $request)*) -> Result<$answer, Problem> {
                Ok(<$answer>::default())
            })*

            async fn attach_image(&self, _: &Caller, _: ImageOffer, _: ImageBytes) -> Result<AttachImageAnswer, Problem> {
                Ok(AttachImageAnswer::default())
            }

            async fn get_image(&self, _: &Caller, _: &str) -> Result<ImageOut, Problem> {
                let data = Box::pin(tokio_stream::iter(Vec::new()));
                Ok(ImageOut { image: ImageRef::default(), data, also_asked: String::new() })
            }

            async fn add_scan(&self, _: &Caller, _: String, _: ImageBytes) -> Result<ScanAnswer, Problem> {
                Ok(ScanAnswer::default())
            }

            async fn get_scan(&self, _: &Caller, _: &str) -> Result<ImageOut, Problem> {
                let data = Box::pin(tokio_stream::iter(Vec::new()));
                Ok(ImageOut { image: ImageRef::default(), data, also_asked: String::new() })
            }

            async fn readiness(&self) -> Vec<Check> {
                Vec::new()
            }
        }
    };
}

willing! {
    file_order(FileOrderRequest) -> WriteAnswer;
    amend_order(AmendOrderRequest) -> WriteAnswer;
    record_service(RecordServiceRequest) -> WriteAnswer;
    end_order(EndOrderRequest) -> WriteAnswer;
    record_violation(RecordViolationRequest) -> WriteAnswer;
    seal_order(SealOrderRequest) -> WriteAnswer;
    get_order(GetOrderRequest) -> OrderAnswer;
    lookup(LookupRequest) -> LookupAnswer;
    enforce(EnforceRequest) -> EnforceAnswer;
    check_order(CheckOrderRequest) -> CheckOrderAnswer;
    person_history(PersonHistoryRequest) -> PersonHistoryAnswer;
    list_overdue(ListOverdueRequest) -> OverdueAnswer;
    list_work(ListWorkRequest) -> WorkAnswer;
    list_scans(ListScansRequest) -> ScansAnswer;
    handle_scan(HandleScanRequest) -> ScanAnswer;
    list_courts() -> CourtsAnswer;
    status() -> StatusAnswer;
    scrub(ScrubRequest) -> ScrubAnswer;
    list_quarantine() -> QuarantineAnswer;
    get_topology() -> TopologyAnswer;
    confide(ConfideRequest) -> WriteAnswer;
    read_confidential(ReadConfidentialRequest) -> ConfidentialAnswer;
    destroy_confidential(DestroyConfidentialRequest) -> WriteAnswer;
}

/// An order that nobody has filed: whoever may act is then told so by the backend, which is willing here.
fn nowhere() -> String {
    "0".repeat(32)
}

/// What became of each operation, with its verb and whether it writes.
async fn tried(guarded: &Guarded<Willing>, by: &Caller) -> Vec<(&'static str, Verb, bool, Result<(), Code>)> {
    let mut all = Vec::new();
    macro_rules! try_all {
        ($($name:ident $verb:ident $writes:literal ($($request:expr),*);)*) => {
            $(
                let done = guarded.$name(by $(, $request)*).await.map(|_| ()).map_err(|problem| problem.code);
                all.push((stringify!($name), Verb::$verb, $writes, done));
            )*
        };
    }
    let order_id = nowhere;
    let image = || ImageOffer {
        order_id: nowhere(),
        ..ImageOffer::default()
    };
    let nothing = || -> ImageBytes { Box::pin(tokio_stream::iter(Vec::new())) };
    try_all! {
        file_order Create true (FileOrderRequest::default());
        amend_order Modify true (AmendOrderRequest { order_id: order_id(), ..Default::default() });
        record_service Service true (RecordServiceRequest { order_id: order_id(), ..Default::default() });
        end_order Cancel true (EndOrderRequest { order_id: order_id(), ..Default::default() });
        record_violation Violation true (RecordViolationRequest { order_id: order_id(), ..Default::default() });
        seal_order Seal true (SealOrderRequest { order_id: order_id(), ..Default::default() });
        attach_image Modify true (image(), nothing());
        confide Confide true (ConfideRequest { order_id: order_id(), ..Default::default() });
        destroy_confidential Confide true (DestroyConfidentialRequest { order_id: order_id(), ..Default::default() });
        // Like a write it is this court's own, or an agency's.
        read_confidential Confidence true (ReadConfidentialRequest { order_id: order_id() });
        get_order View false (GetOrderRequest::default());
        get_image Image false ("");
        lookup Search false (LookupRequest::default());
        enforce Enforce false (EnforceRequest::default());
        check_order Check false (CheckOrderRequest::default());
        person_history History false (PersonHistoryRequest::default());
        list_overdue Overdue false (ListOverdueRequest::default());
        // Of the own court alone, as a write is.
        list_work Modify true (ListWorkRequest::default());
        list_scans Create true (ListScansRequest::default());
        add_scan Create true (String::new(), nothing());
        get_scan Create true ("");
        handle_scan Create true (HandleScanRequest::default());
        list_courts Status false ();
        status Status false ();
        get_topology Status false ();
        scrub Care false (ScrubRequest { begin: true });
        list_quarantine Care false ();
    }
    all
}

#[tokio::test]
async fn matrix_of_operations_is_let_through_as_the_table_says() {
    let directory = tempfile::tempdir().unwrap();
    let registry = open(directory.path());
    let guarded = Guarded::new(Willing, Arc::clone(&registry), sharing(directory.path()));
    for role in Role::ALL {
        for court in [OWN, OTHER] {
            let by = caller(role, court, true);
            let asker = who(&by).unwrap();
            let own = asker.owns(OWN);
            for (name, verb, writes, done) in tried(&guarded, &by).await {
                // What is recorded here is this court's own, or an agency's that reports to it.
                let allowed = may(&asker, verb, own || !writes) && (!writes || own || role.is_of_an_agency());
                let expected = if allowed { Ok(()) } else { Err(Code::NotAllowed) };
                assert_eq!(done, expected, "{role} of {court}: {name}");
            }
        }
    }
    // Certificates, beside people: a program has the rights that its kind is given, and a nobody none.
    for (identity, files, finds, cares) in [
        ("court/alameda/node/1", true, true, true),
        ("court/kern/node/1", false, true, true),
        ("system/alameda-cms", true, true, false),
        ("system/kern-cms", false, true, false),
        ("lea/alameda-so", false, true, false),
        ("operator/jlee", false, false, true),
        ("hub/1", false, false, true),
        ("somebody", false, false, false),
    ] {
        let by = Caller {
            identity: identity.into(),
            ..Caller::default()
        };
        let all = tried(&guarded, &by).await;
        let done = |wanted: &str| all.iter().find(|(name, ..)| *name == wanted).unwrap().3.is_ok();
        assert_eq!(
            (done("file_order"), done("lookup"), done("scrub")),
            (files, finds, cares),
            "{identity}"
        );
    }
    registry.close();
}
