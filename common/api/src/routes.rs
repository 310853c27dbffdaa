//! The table of REST paths: the router and the OpenAPI document are both made from it, so neither can miss one.

use axum::http::Method;

macro_rules! routes {
    ($($name:ident = $method:ident $path:literal $summary:literal;)*) => {
        /// One path and method.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Route { $($name,)* }

        impl Route {
            pub(crate) const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The name of the operation, the same as in gRPC where there is one.
            pub(crate) const fn name(self) -> &'static str { match self { $(Self::$name => stringify!($name),)* } }

            pub(crate) const fn method(self) -> Method { match self { $(Self::$name => Method::$method,)* } }

            pub(crate) const fn path(self) -> &'static str { match self { $(Self::$name => $path,)* } }

            pub(crate) const fn summary(self) -> &'static str { match self { $(Self::$name => $summary,)* } }
        }
    };
}

// A lookup is a POST, so that no name or number of a person stands in a URL, where logs would keep it.
routes! {
    FileOrder = POST "/v1/orders" "Files a new order; answered only when it is durable";
    AmendOrder = POST "/v1/orders/{order_id}/amendments" "Files a new version of an order: the whole order as it stands from now on";
    RecordService = POST "/v1/orders/{order_id}/service" "Records that the restrained person was served, or that service was tried";
    EndOrder = POST "/v1/orders/{order_id}/ending" "Ends an order before its time, or cancels an entry made in error";
    RecordViolation = POST "/v1/orders/{order_id}/violations" "Records that a violation of an order was reported, at any court";
    SealOrder = POST "/v1/orders/{order_id}/sealing" "Seals an order of the court, or unseals it";
    Confide = POST "/v1/orders/{order_id}/confidential" "Adds confidential information to an order of the court, at its own node alone";
    ReadConfidential = GET "/v1/orders/{order_id}/confidential" "Reads the confidential information of an order, at the issuing court's own node alone";
    DestroyConfidential = POST "/v1/orders/{order_id}/confidential/destruction" "Puts confidential information beyond reach for ever, by destroying its key";
    AttachImage = PUT "/v1/orders/{order_id}/images" "Attaches the image of a signed paper: the body is its bytes";
    GetOrder = GET "/v1/orders/{order_id}" "Shows an order with its status and whole history, now or as known at a past moment";
    GetImage = GET "/v1/images/{blake3}" "Reads an image";
    Lookup = POST "/v1/lookup" "Finds orders by person, date of birth, number or a dispatcher's free line";
    LookupBatch = POST "/v1/lookup/batch" "Many lookups: one JSON question a line in, one JSON answer a line out, in the same order";
    Enforce = GET "/v1/orders/{order_id}/enforcement" "What is to be enforced against the person whom an order restrains, term by term";
    CheckOrder = POST "/v1/orders/check" "What a draft clashes with, in any court, before it is signed";
    PersonHistory = POST "/v1/persons/history" "Every order of any court that names a person";
    ListOverdue = GET "/v1/overdue" "What was recorded later than the law allows";
    ListWork = GET "/v1/work" "What is left to do with the own court's orders in force";
    ListScans = GET "/v1/scans" "The scans that wait at the court's node for their order";
    AddScan = POST "/v1/scans" "Takes in a scan that waits for its order: the body is its bytes";
    GetScan = GET "/v1/scans/{blake3}" "Reads a scan that waits";
    HandleScan = POST "/v1/scans/{blake3}" "Takes a scan into one's hands or out of them, attaches it to an order, sets it aside or puts it back";
    ListCourts = GET "/v1/courts" "The state of every court's ledger as this machine knows it";
    Status = GET "/v1/status" "The state of the machine that answers";
    Scrub = POST "/v1/scrub" "Where the scrub of stored data stands; begins a pass when asked to";
    ListQuarantine = GET "/v1/quarantine" "What was taken out of use because it failed a check, and is kept";
    GetTopology = GET "/v1/topology" "Which machines of the registry can be asked, and where, signed by a hub";
    LogOn = POST "/v1/session" "Logs a person on: the answer holds the token of the session";
    ShowSession = GET "/v1/session" "The session of the token; without one, the notice that is shown before logging on";
    LogOff = DELETE "/v1/session" "Closes the session";
    SetUpAccount = POST "/v1/account" "Sets password and second factor with the code that an administrator gave out";
    OpenApi = GET "/v1/openapi.json" "This document";
    Metrics = GET "/metrics" "Figures for monitoring, in the OpenMetrics text format";
    Livez = GET "/livez" "Whether the program runs; needs no certificate and no session";
    Readyz = GET "/readyz" "Whether the machine takes orders and questions, with every check by name";
}

impl Route {
    /// Whether a path is of the interfaces for programs, so that no page is there.
    pub(crate) fn is_of_the_interfaces(path: &str) -> bool {
        path.starts_with("/v1/") || Self::ALL.iter().any(|route| route.path() == path)
    }

    /// Whether people come here before they are anybody.
    pub(crate) fn is_of_people(path: &str) -> bool {
        path == Self::LogOn.path() || path == Self::SetUpAccount.path()
    }
}
