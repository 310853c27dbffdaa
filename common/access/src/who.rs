//! Who asks: a role and where it belongs. A program's certificate gives both; a person's account does. It checks no
//! certificate and no password.

use crate::role::Role;

/// Where somebody belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A court, superior or tribal: `court/alameda`, `tribal/yurok`. Both have the same rights in what is theirs.
    Court(String),
    /// A court's system, by its short name: the court's own, or one that begins with it and a hyphen.
    System(String),
    /// A law enforcement agency: `alameda-so`, or its ORI.
    Agency(String),
    /// The State's registry as a whole.
    Registry,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// What role.
    pub role: Role,
    /// Where it belongs.
    pub place: Place,
}

/// The identity names nobody who may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the identity is none of a node, hub, agency, system or operator")]
pub struct NotACaller;

impl Who {
    /// Who comes with a certificate of this identity: `court/alameda/node/1`, `tribal/yurok/node/1`, `hub/1`,
    /// `lea/alameda-so`, `system/alameda-cms`, `operator/jlee`.
    ///
    /// # Errors
    /// [`NotACaller`].
    pub fn of_machine(identity: &str) -> Result<Self, NotACaller> {
        let (kind, rest) = identity.split_once('/').ok_or(NotACaller)?;
        let name = rest
            .split('/')
            .next()
            .filter(|name| !name.is_empty())
            .ok_or(NotACaller)?;
        let (role, place) = match kind {
            "court" | "tribal" => (Role::Supervisor, Place::Court(format!("{kind}/{name}"))),
            "system" => (Role::Supervisor, Place::System(name.to_owned())),
            "lea" => (Role::LeaService, Place::Agency(name.to_owned())),
            "hub" | "operator" => (Role::Operator, Place::Registry),
            _ => return Err(NotACaller),
        };
        Ok(Self { role, place })
    }

    /// Whether an order of `court` (`court/alameda`) is of this one's own court.
    #[must_use]
    pub fn owns(&self, court: &str) -> bool {
        match &self.place {
            Place::Court(own) => own == court,
            Place::System(name) => {
                let slug = court.split_once('/').map_or(court, |(_, slug)| slug);
                name.strip_prefix(slug)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
            }
            Place::Agency(_) | Place::Registry => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_gives_a_role_and_a_place() {
        for (identity, role) in [
            ("court/alameda/node/1", Role::Supervisor),
            ("tribal/yurok/node/1", Role::Supervisor),
            ("system/alameda-cms", Role::Supervisor),
            ("lea/alameda-so", Role::LeaService),
            ("operator/jlee", Role::Operator),
            ("hub/1", Role::Operator),
        ] {
            assert_eq!(Who::of_machine(identity).unwrap().role, role, "{identity}");
        }
        for nobody in ["", "court", "court/", "judge/x", "/x"] {
            assert_eq!(Who::of_machine(nobody), Err(NotACaller), "{nobody}");
        }
    }

    #[test]
    fn a_system_is_of_the_court_whose_name_it_begins_with() {
        let who = |identity| Who::of_machine(identity).unwrap();
        assert!(who("system/alameda").owns("court/alameda"));
        assert!(who("system/alameda-cms").owns("court/alameda"));
        assert!(!who("system/alamedax").owns("court/alameda"));
        assert!(!who("system/san-diego-cms").owns("court/san-benito"));
        assert!(who("tribal/yurok/node/2").owns("tribal/yurok"));
        assert!(!who("tribal/yurok/node/2").owns("court/yurok"));
        assert!(!who("lea/alameda").owns("court/alameda") && !who("operator/alameda").owns("court/alameda"));
    }
}
