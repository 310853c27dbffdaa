//! What a node tells on of a hub's answers: nothing of what it knows a court not to share, whatever the hub knew.

use std::sync::Arc;

use ccpor_access::Role;
use ccpor_api::Code;
use ccpor_api::message::{EnforceAnswer, Hit, LookupAnswer, OrderAnswer, OrderInBrief, Standing};
use ccpor_daemon::reading::Reader;
use ccpor_daemon::sharing::Shares;
use ccpor_domain::OrderId;

use crate::court::{OTHER, OWN, caller, open, sharing_told};

fn standing(status: &str) -> Option<Standing> {
    Some(Standing {
        status: status.into(),
        ..Standing::default()
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_court_is_known_here_not_to_share_is_not_told_on() {
    for (orders, history) in [(true, true), (true, false), (false, true)] {
        let directory = tempfile::tempdir().unwrap();
        let registry = open(directory.path());
        let kept = Shares {
            orders,
            history,
            images: true,
        };
        let sharing = sharing_told(directory.path(), OTHER, kept);
        let reader = Reader::new(Arc::clone(&registry), sharing);
        let by = caller(Role::Judge, OWN, true);
        for (status, expected) in [("active", orders), ("terminated", orders && history)] {
            let what = format!("orders {orders}, history {history}, {status}");
            let order_id = OrderId([9; 16]).to_string();
            let hit = Hit {
                order_id: order_id.clone(),
                court: OTHER.into(),
                standing: standing(status),
                ..Hit::default()
            };
            let lookup = LookupAnswer {
                hits: vec![hit],
                total: 1,
                ..LookupAnswer::default()
            };
            let lookup = reader.without_hidden(&by, lookup).await.unwrap();
            let count = usize::from(expected);
            assert_eq!(
                (lookup.hits.len(), lookup.total as usize),
                (count, count),
                "{what}"
            );
            let order = OrderAnswer {
                order_id: order_id.clone(),
                court: OTHER.into(),
                standing: standing(status),
                ..OrderAnswer::default()
            };
            let order = reader.unless_hidden(&by, order).await;
            let other = EnforceAnswer {
                order_id: OrderId([8; 16]).to_string(),
                ..EnforceAnswer::default()
            };
            let brief = OrderInBrief {
                order_id: order_id.clone(),
                court: OTHER.into(),
                standing: standing(status),
                ..OrderInBrief::default()
            };
            let other = EnforceAnswer {
                orders: vec![brief.clone()],
                ..other
            };
            let other = reader.unless_hidden(&by, other).await.err();
            let code = other.map(|problem| problem.code);
            assert_eq!(code, (!expected).then_some(Code::Unavailable), "{what}");
            let enforce = EnforceAnswer {
                order_id,
                orders: vec![brief],
                ..EnforceAnswer::default()
            };
            let enforce = reader.unless_hidden(&by, enforce).await;
            let told = [order.map(drop), enforce.map(drop)];
            for told in told {
                let code = told.err().map(|problem| problem.code);
                assert_eq!(code, (!expected).then_some(Code::OrderNotFound), "{what}");
            }
        }
        registry.close();
    }
}
