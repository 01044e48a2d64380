//! The memory store and SQLite are the same store.

use crate::play::{OnDisk, Play, Step, sold};
use crate::support::*;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 25, max_shrink_iters: 200, ..ProptestConfig::default() })]
    #[test]
    fn both_stores_give_the_same_answers_and_keep_the_same_history(steps in proptest::collection::vec(any::<Step>(), 1..120)) {
        let memory = Vendor::new(&sold()).memory;
        let mut play = Play::new(vec![Box::new(memory), Box::new(OnDisk::new(&sold()))]);
        for step in steps {
            play.step(step);
        }
        let histories: Vec<_> = play.stores.iter_mut().map(|store| store.history()).collect();
        prop_assert_eq!(&histories[0], &histories[1]);
    }
}
