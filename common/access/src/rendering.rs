//! The table of rights as a page that a lawyer reads: made from the same constants by which is decided.

use std::fmt::Write;

use crate::role::Role;
use crate::table::{Minors, Over, Reach, Row, Sealed, TABLE, View};
use crate::verb::Verb;

/// What stands before the tables.
const BEFORE: &str = "\
# Who may do what

An empty field means no. *own*: orders of the own court; *all*: orders of every court. Tribal courts and superior courts have the
same rights, each in what is its own.

";

/// What stands between them.
const BETWEEN: &str = "
# Who sees what

*no*: the order does not exist for this role, and no answer tells it from one that was never filed. *to enforce*: while it is in
force, what an officer needs to enforce it; nothing once it is over. *whole*: everything that is not masked for another reason.
*with purpose*: when the call states its purpose; otherwise it is said that something was left out for want of one. Where two
columns apply to an order, the lesser right counts.

";

/// What stands behind them: where each column comes from, and what nobody has confirmed.
const BEHIND: &str = "
# Where it comes from

* The roles *Query only*, *Court*, *Supervisor* and *Administrator* with their verbs, and that *Court* does not see what *Supervisor*
  sees of sealed orders: the training papers of the present registry. That these rights in sealed orders end at the own court is the
  narrower reading; the papers do not say. **To be confirmed by the Judicial Council.**
* *Judge*: a court searches for earlier orders before a hearing (Fam. Code 6306), in whatever court they were made.
* *Registered elsewhere*: a registered order of another jurisdiction is sealed; law enforcement sees it (Fam. Code 6404(a)(2)). That
  the court where it is registered keeps it is taken from the duty to register it.
* *Sealed by its court*, for law enforcement: an officer is told of every order in force, served or not (Fam. Code 6380(e)), gives
  notice of it and enforces it (6383(e), (h)). No statute was found that lets a court's seal keep an order in force from the officer
  who must enforce it, and none that says what of it the officer sees. So the officer sees whom it restrains, the names of whom it
  protects, its terms, its service, its end and the court's telephone, marked as sealed: and neither its papers nor its history.
  **To be confirmed by counsel.**
* *Over*: an order that has ended is in the historical protection order file, which is restricted as criminal history is (CJIS
  Security Policy 5.9.5, 4.2.2 item 5): another court or an agency states a purpose. The own court's closed orders are its own records.
* *Confidential minors*: a minor's information that a court made confidential goes to law enforcement to the extent necessary, and
  for enforcing alone (Fam. Code 6301.5; Code Civ. Proc. 527.6(v)). *unnamed*: the order is found by the minor's name, and does not
  name the minor. *hidden*: it is not found by that name either.
* *Auditor*, *Administrator* and *Operator* read no order: duties are kept apart (CJIS Security Policy, AC-5). What came late names no
  person, and is public without the protected person's data (Fam. Code 6380.5(c)).
* *Statistics* are numbers of orders by court, form, state and month. An order under a seal is counted for whoever sees it, within the
  sums, and for nobody else. *Faults of data* name orders by number and say which fields are meant, never what stands in them; an order
  under a seal is named in the same way.
* Proceedings of the juvenile court (Welf. & Inst. Code 827) are treated as other orders unless their court seals them. **To be
  confirmed by counsel.**
* What a court keeps to itself (`[sharing]` in its node's settings) is hidden on other machines from everybody else, whatever the
  role, and every answer there names the court as not covered. At its own node the court answers as this table says.

# What certificates give

| certificate | role | whose |
|---|---|---|
| a court's node, `court/…/node/…` or `tribal/…/node/…` | Supervisor, and the care of a machine | that court |
| a court's system, `system/…` | Supervisor | the court whose name it begins with |
| an agency's program, `lea/…` | LEA service | that agency |
| an operator's, `operator/…`, and a hub's, `hub/…` | Operator | the registry |
";

/// The page, in Markdown.
#[must_use]
pub fn rights() -> String {
    let mut page = BEFORE.to_owned();
    let titles = Verb::ALL.map(Verb::title);
    line(&mut page, "role", &titles);
    rule(&mut page, titles.len());
    for row in TABLE {
        line(
            &mut page,
            row.role.title(),
            &Verb::ALL.map(|verb| reach(row, verb)),
        );
    }
    page.push_str(BETWEEN);
    let titles = [
        "open",
        "sealed by own court",
        "sealed by another",
        "registered here",
        "registered elsewhere",
        "over, own",
        "over, another's",
        "confidential minors, own",
        "confidential minors, another's",
    ];
    line(&mut page, "role", &titles);
    rule(&mut page, titles.len());
    for row in TABLE {
        let Sealed { own, other } = row.sealed;
        let cells = [
            view(row.open),
            view(own),
            view(other),
            view(row.registered.own),
            view(row.registered.other),
            over(row.over_own),
            over(row.over_other),
            minors(row.minors_own),
            minors(row.minors_other),
        ];
        line(&mut page, row.role.title(), &own_cells(row.role, cells));
    }
    page.push_str(BEHIND);
    page
}

/// An agency has no orders of its own.
fn own_cells(role: Role, mut cells: [&'static str; 9]) -> [&'static str; 9] {
    if !role.is_of_a_court() {
        for own in [1, 3, 5, 7] {
            if let Some(cell) = cells.get_mut(own) {
                *cell = "";
            }
        }
    }
    cells
}

fn line(page: &mut String, first: &str, cells: &[&str]) {
    // Writing into a String cannot fail.
    let _ = writeln!(page, "| {first} | {} |", cells.join(" | "));
}

fn rule(page: &mut String, columns: usize) {
    page.push_str(&"|---".repeat(columns + 1));
    page.push_str("|\n");
}

fn reach(row: &Row, verb: Verb) -> &'static str {
    match row.verbs.iter().find(|(listed, _)| *listed == verb) {
        Some((_, Reach::Any)) => "all",
        Some((_, Reach::Own)) => "own",
        None => "",
    }
}

fn view(view: View) -> &'static str {
    match view {
        View::Nothing => "no",
        View::ToEnforce => "to enforce",
        View::Whole => "whole",
    }
}

fn over(over: Over) -> &'static str {
    match over {
        Over::No => "no",
        Over::WithPurpose => "with purpose",
        Over::Yes => "yes",
    }
}

fn minors(minors: Minors) -> &'static str {
    match minors {
        Minors::Hidden => "hidden",
        Minors::Unnamed => "unnamed",
        Minors::Named => "named",
    }
}
