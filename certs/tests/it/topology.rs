//! A topology is believed when a hub of this registry signed it, and no byte of it was changed.

use ccpor_certs::topology::{NotSigned, TopologyRefused};
use ccpor_certs::{IdentityDir, Machine, SignedTopology, Topology};
use proptest::prelude::*;

use crate::forge::{DAY, Registry, START, identity};

fn topology(hub: &str) -> Topology {
    let machine = |identity_path: &str, address: &str| Machine {
        identity: identity(identity_path),
        address: address.to_owned(),
    };
    Topology {
        hub: identity(hub),
        serial: 7,
        made: START,
        machines: vec![
            machine("court/alameda/node/1", "node.alameda.example:8443"),
            machine("hub/1", "[::1]:8444"),
        ],
    }
}

fn signed(registry: &Registry) -> SignedTopology {
    topology("hub/1").sign(&registry.issue("hub/1")).unwrap()
}

#[test]
fn it_is_believed_wherever_it_was_kept_and_after_the_certificates_have_ended() {
    let registry = Registry::new();
    let (file, signed) = (registry.path("topology.json"), signed(&registry));
    signed.save(&file).unwrap();
    let kept = SignedTopology::load(&file).unwrap();
    registry.clock.set(START.plus(3000 * DAY));
    assert_eq!(
        kept.verify(registry.authority.roots()).unwrap(),
        topology("hub/1")
    );
    std::fs::write(&file, "{").unwrap();
    assert_eq!(SignedTopology::load(&file), None);
    assert_eq!(SignedTopology::load(&registry.path("nothing")), None);
}

#[test]
fn only_the_hub_that_it_names_signs_it_and_another_registry_does_not_believe_it() {
    let registry = Registry::new();
    let node: IdentityDir = registry.issue("court/alameda/node/1");
    for (named, signer) in [("hub/1", &node), ("hub/2", &registry.issue("hub/1"))] {
        assert!(matches!(topology(named).sign(signer), Err(NotSigned::NotAHub(_))));
    }
    let second = topology("hub/2").sign(&registry.issue("hub/2")).unwrap();
    let borrowed = SignedTopology {
        document: signed(&Registry::new()).document,
        ..second.clone()
    };
    assert!(matches!(
        borrowed.verify(registry.authority.roots()),
        Err(TopologyRefused::Key(_))
    ));
    let other = Registry::new();
    assert!(matches!(
        second.verify(other.authority.roots()),
        Err(TopologyRefused::Key(_))
    ));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_changed_byte_is_found(place in any::<prop::sample::Index>(), flip in 1_u8..=0x7f, part in 0..3_usize) {
        let registry = Registry::new();
        let mut changed = signed(&registry);
        let text = match part {
            0 => &mut changed.document,
            1 => &mut changed.signature,
            _ => &mut changed.key,
        };
        let mut bytes = text.clone().into_bytes();
        let place = place.index(bytes.len());
        bytes[place] = (bytes[place] ^ flip) & 0x7f;
        *text = String::from_utf8(bytes).unwrap();
        prop_assert!(changed.verify(registry.authority.roots()).is_err());
    }
}
