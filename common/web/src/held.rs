//! The order that a form of entry begins with: as it was when the form was opened, and as it stands now.

use ccpor_api::Problem;
use ccpor_api::message::{GetOrderRequest, Order, OrderAnswer};

use crate::ask;
use crate::fields::Fields;
use crate::site::Inner;
use crate::task::{Kind, Task};
use crate::visit::Visit;

/// See the module.
pub(crate) struct Held {
    /// With what the form was opened.
    pub(crate) opened: Order,
    /// Its version; 0 for a new order.
    pub(crate) opened_version: u32,
    /// As it stands now.
    pub(crate) newest: Order,
    /// Its version.
    pub(crate) newest_version: u32,
    /// The order of the registry whose place the form's one takes; empty for none.
    pub(crate) replaced: String,
}

impl Held {
    fn nothing() -> Self {
        Self {
            opened: Order::default(),
            opened_version: 0,
            newest: Order::default(),
            newest_version: 0,
            replaced: String::new(),
        }
    }

    /// The version that the form carries along; none for a new order.
    pub(crate) fn version(&self) -> Option<u32> {
        (self.opened_version > 0).then_some(self.opened_version)
    }

    /// Whether somebody else changed the order since.
    pub(crate) fn moved(&self) -> bool {
        self.opened_version != self.newest_version
    }

    /// The same with the newest version as it is now.
    pub(crate) async fn renewed(self, site: &Inner, visit: &Visit, task: &Task) -> Result<Self, Problem> {
        let answer = get(site, visit, &task.number).await?;
        Ok(Self {
            newest_version: answer.version,
            newest: answer.order.unwrap_or_default(),
            ..self
        })
    }
}

async fn get(site: &Inner, visit: &Visit, number: &str) -> Result<OrderAnswer, Problem> {
    let caller = visit.caller()?;
    let wanted = GetOrderRequest {
        order_id: number.to_owned(),
        versions: true,
        ..GetOrderRequest::default()
    };
    ask::read(site, site.pages.backend.get_order(&caller, wanted)).await
}

/// What a form begins with; `sent` is the form as it came back, with the version that it was opened with.
pub(crate) async fn held(
    site: &Inner,
    visit: &Visit,
    task: &Task,
    sent: Option<&Fields>,
) -> Result<Held, Problem> {
    if task.kind == Kind::New {
        return Ok(Held::nothing());
    }
    let answer = get(site, visit, &task.number).await?;
    if task.kind != Kind::Amend {
        let replaced = if task.kind == Kind::Copy {
            String::new()
        } else {
            answer.order_id.clone()
        };
        let opened = fresh(answer.order.unwrap_or_default(), &replaced);
        return Ok(Held {
            opened,
            replaced,
            ..Held::nothing()
        });
    }
    let newest = answer.order.unwrap_or_default();
    let version = sent.and_then(|fields| fields.get("version").parse::<u32>().ok());
    let version = version.unwrap_or(answer.version);
    let before = answer
        .history
        .iter()
        .rev()
        .filter(|step| step.version == version)
        .find_map(|step| step.order.clone());
    Ok(Held {
        opened: before.unwrap_or_else(|| newest.clone()),
        opened_version: version,
        newest,
        newest_version: answer.version,
        replaced: answer.order_id,
    })
}

/// An order as the beginning of another one: the same people and terms, without what is only the first one's.
fn fresh(order: Order, previous: &str) -> Order {
    Order {
        stage: String::new(),
        fcn: String::new(),
        issued: String::new(),
        issued_time: String::new(),
        effective: String::new(),
        effective_time: String::new(),
        expires: None,
        hearing: None,
        present_at_hearing: None,
        brady: None,
        previous: previous.to_owned(),
        lineage: String::new(),
        ..order
    }
}
