//! Planted faults: proof that the gradient tests bite.
//!
//! A backward writes `planted!(right, "layer: what is wrong" => wrong)`. Outside this crate's tests that is `right` and
//! nothing else; in them a test can plant one fault by name, and demands that the layer's gradient check then fails.

/// `right`, unless a test of this crate has planted one of the named faults.
#[cfg(not(test))]
macro_rules! planted {
    ($right:expr, $($name:literal => $wrong:expr),+ $(,)?) => {
        $right
    };
}

/// `right`, unless a test of this crate has planted one of the named faults.
#[cfg(test)]
macro_rules! planted {
    ($right:expr, $($name:literal => $wrong:expr),+ $(,)?) => {
        $(if $crate::faults::is_planted($name) { $wrong } else)+ { $right }
    };
}

#[cfg(test)]
pub(crate) use planting::{assert_check_bites, is_planted};

#[cfg(test)]
mod planting {
    use std::cell::{Cell, RefCell};
    use std::collections::BTreeSet;

    thread_local! {
        static PLANTED: Cell<Option<&'static str>> = const { Cell::new(None) };
        static CONSULTED: RefCell<BTreeSet<&'static str>> = const { RefCell::new(BTreeSet::new()) };
    }

    /// Whether the fault `name` is planted on this thread; remembers that somebody asked.
    pub(crate) fn is_planted(name: &'static str) -> bool {
        CONSULTED.with_borrow_mut(|consulted| consulted.insert(name));
        PLANTED.get() == Some(name)
    }

    /// Asserts that `check` passes as the code stands and fails under each of the `faults` of `layer`, and that these are
    /// exactly the faults `layer: ...` that the code consults: at least three, none forgotten here, none gone from the code.
    pub(crate) fn assert_check_bites<E: std::fmt::Debug>(
        layer: &str,
        faults: &[&'static str],
        check: impl Fn() -> Result<(), E>,
    ) {
        CONSULTED.with_borrow_mut(BTreeSet::clear);
        if let Err(error) = check() {
            panic!("`{layer}` fails its check with no fault planted: {error:?}");
        }
        let prefix = format!("{layer}: ");
        let consulted: BTreeSet<_> = CONSULTED.with_borrow(|consulted| {
            let of_layer = consulted.iter().filter(|name| name.starts_with(&prefix));
            of_layer.copied().collect()
        });
        let listed: BTreeSet<_> = faults.iter().copied().collect();
        assert_eq!(listed, consulted, "faults listed, faults in the code");
        assert!(listed.len() >= 3, "`{layer}` has fewer than three faults");
        for fault in faults {
            PLANTED.set(Some(fault));
            let outcome = check();
            PLANTED.set(None);
            assert!(outcome.is_err(), "the check does not notice `{fault}`");
        }
    }

    #[test]
    #[should_panic(expected = "faults listed, faults in the code")]
    fn a_listed_fault_that_no_code_consults_is_noticed() {
        assert_check_bites("nothing", &["nothing: sign"], || Ok::<(), ()>(()));
    }

    #[test]
    #[should_panic(expected = "does not notice `deaf: b`")]
    fn a_check_that_misses_a_fault_is_noticed() {
        assert_check_bites("deaf", &["deaf: a", "deaf: b", "deaf: c"], || {
            let sum = planted!(3, "deaf: a" => 4, "deaf: b" => 3, "deaf: c" => 5);
            if sum == 3 { Ok(()) } else { Err(sum) }
        });
    }
}
