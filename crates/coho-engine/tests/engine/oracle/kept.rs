//! Histories that a search found once, in their shortest form.

use std::collections::BTreeMap;

use super::sheet::Group;
use super::{Step, play, stage};

fn groups(plan: Option<u8>, rekeyed: bool) -> Step {
    Step {
        groups: BTreeMap::from([(0, Group { name: 0, plan })]),
        rekeyed,
        removed: "keep",
        ..Step::default()
    }
}

/// Two keys were one record, the second of them cleared a trait, and comes back after a while: whether the first one set the trait
/// again meanwhile is not known, so it is cleared once more.
#[tokio::test]
async fn a_key_that_comes_back_to_a_record_that_was_another_keys_too() {
    let nobody = Step { removed: "keep", ..Step::default() };
    let steps = vec![groups(Some(0), true), groups(None, false), nobody, groups(None, false)];
    let mut stage = stage().await.unwrap();
    play(&mut stage, &("strict", None, steps)).await.unwrap();
}
