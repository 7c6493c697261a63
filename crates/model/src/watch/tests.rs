use super::*;

/// A fit of a watch-time loss, of pairs of duration and watch time.
fn fitted(loss: Loss, pairs: &[(f32, f32)]) -> Watch {
    let mut fit = empty(loss);
    for (key, &(duration, watched)) in (0..).zip(pairs) {
        fit.add(key, duration, watched);
    }
    fit.finish()
}

fn empty(loss: Loss) -> WatchFit {
    WatchFit {
        loss,
        sum: 0.0,
        count: 0,
        pairs: BinaryHeap::new(),
    }
}

fn groups_of(watch: &Watch) -> &[DurationGroup] {
    match watch {
        Watch::Quantile { groups, .. } => groups,
        _ => panic!("not a quantile"),
    }
}

#[test]
fn a_fraction_is_of_the_duration_and_at_most_all_of_it() {
    let watch = fitted(Loss::WatchFraction, &[(10.0, 1.0), (30.0, 2.0), (20.0, 50.0)]);
    assert_eq!(watch, Watch::Fraction { duration: 20.0 });
    assert_eq!(
        [(5.0, 10.0), (10.0, 10.0), (25.0, 10.0)].map(|(t, d)| watch.target(t, d)),
        [0.5, 1.0, 1.0]
    );
    assert_eq!(watch.prediction(0.0, 8.0), 4.0);
    assert_eq!(watch.prediction(0.0, f32::NAN), 10.0, "the median duration");
}

#[test]
fn odds_are_learned_as_multiples_of_the_mean_and_predicted_in_the_label_s_unit() {
    let watch = fitted(Loss::WeightedLogistic, &[(f32::NAN, 0.0), (f32::NAN, 6000.0)]);
    assert_eq!(watch, Watch::Logistic { mean: 3000.0 });
    assert_eq!(watch.target(1500.0, f32::NAN), 0.5);
    assert_eq!(watch.prediction(0.0, f32::NAN), 3000.0);
    assert!((watch.prediction(2f32.ln(), f32::NAN) - 6000.0).abs() < 0.01);
    for mean in [1e-30, 3000.0, 3e38] {
        let watch = Watch::Logistic { mean };
        for logit in [f32::MIN, -31.0, 31.0, f32::MAX] {
            assert!(watch.prediction(logit, f32::NAN).is_finite());
        }
        assert!(watch.target(f32::MAX, f32::NAN).is_finite());
    }
}

#[test]
fn without_any_watch_time_predictions_are_finite() {
    for loss in [Loss::WatchFraction, Loss::WeightedLogistic, Loss::WatchQuantile] {
        let watch = fitted(loss, &[]);
        assert!(watch.fits(loss), "{watch:?}");
        assert!(watch.target(3.0, 10.0).is_finite());
        assert!(watch.prediction(1.0, f32::NAN).is_finite());
    }
    let zeros = fitted(Loss::WeightedLogistic, &[(1.0, 0.0); 5]);
    assert_eq!(zeros, Watch::Logistic { mean: 1.0 });
}

#[test]
fn a_quantile_is_the_mid_rank_within_the_group_and_its_inverse_gives_the_watch_time_back() {
    let group = DurationGroup {
        from: 1.0,
        knots: vec![0.0, 0.0, 2.0, 4.0],
    };
    let ranks = [0.0, 1.0, 2.0, 3.0, 4.0, 9.0].map(|watched| group.quantile(watched));
    assert_eq!(ranks, [0.25, 0.5, 0.625, 0.75, 0.875, 1.0]);
    for watched in [0.0, 0.1, 1.0, 2.0, 3.9, 4.0] {
        let back = group.watch_time(group.quantile(watched));
        assert!((back - watched).abs() < 1e-5, "{back} of {watched}");
    }
    assert_eq!([0.0, 1.0].map(|quantile| group.watch_time(quantile)), [0.0, 4.0]);
    let one = DurationGroup {
        from: 1.0,
        knots: vec![7.0],
    };
    assert_eq!(
        [0.0, 7.0, 8.0].map(|watched| one.quantile(watched)),
        [0.0, 0.5, 1.0]
    );
    assert_eq!(one.watch_time(0.3), 7.0);
}

#[test]
fn many_watch_times_keep_bounded_knots_that_follow_their_quantiles() {
    let pairs: Vec<_> = (0..50_000).map(|at| (10.0, at as f32)).collect();
    let watch = fitted(Loss::WatchQuantile, &pairs);
    let [group] = groups_of(&watch) else {
        panic!("durations that are equal are one group")
    };
    assert_eq!(group.knots.len(), MAX_KNOTS);
    for quantile in [0.1f32, 0.25, 0.5, 0.9] {
        assert!((group.watch_time(quantile) / 5e4 - quantile).abs() < 0.002);
        assert!((group.quantile(quantile * 5e4) - quantile).abs() < 0.002);
    }
    assert!((0..500).all(|at| group.quantile(at as f32 * 99.0) <= group.quantile(at as f32 * 99.0 + 50.0)));
}

#[test]
fn groups_have_about_as_many_examples_each_and_equal_durations_stay_together() {
    let count_of = |pairs: &[(f32, f32)]| {
        let watch = fitted(Loss::WatchQuantile, pairs);
        let groups = groups_of(&watch);
        assert!(watch.fits(Loss::WatchQuantile));
        groups
            .iter()
            .enumerate()
            .map(|(at, group)| {
                let end = groups.get(at + 1).map_or(f32::INFINITY, |next| next.from);
                pairs
                    .iter()
                    .filter(|(d, _)| (group.from..end).contains(d))
                    .count()
            })
            .collect::<Vec<_>>()
    };
    let even: Vec<_> = (0..6000).map(|at| (1.0 + at as f32, 1.0)).collect();
    assert_eq!(count_of(&even), [200; 30]);
    let few: Vec<_> = even[..250].to_vec();
    assert_eq!(count_of(&few), [125; 2]);
    assert_eq!(count_of(&even[..99]), [99]);
    // Half of all have one duration, which is in the middle.
    let tied: Vec<_> = (0..6000)
        .map(|at| (if at % 2 == 0 { 3000.0 } else { 1.0 + at as f32 }, 1.0))
        .collect();
    let counts = count_of(&tied);
    assert!(counts.iter().sum::<usize>() == 6000 && counts.len() <= 30);
    assert!(counts.iter().all(|&count| count >= 100), "{counts:?}");
    assert!(counts.iter().any(|&count| count >= 3000), "{counts:?}");
}

#[test]
fn a_duration_out_of_the_fitted_ones_reads_the_nearest_group_and_a_missing_one_that_of_the_median() {
    let pairs: Vec<_> = (0..600)
        .map(|at| if at < 350 { (10.0, 1.0) } else { (20.0, 5.0) })
        .collect();
    let watch = fitted(Loss::WatchQuantile, &pairs);
    let predicted = [1.0, 10.0, 19.9, 20.0, 1e9, f32::NAN].map(|d| watch.prediction(0.3, d));
    assert_eq!(predicted, [1.0, 1.0, 1.0, 5.0, 5.0, 1.0]);
}

#[test]
fn a_sample_of_pairs_is_the_same_whatever_the_order_of_the_stream() {
    let pairs: Vec<(u64, f32, f32)> = (0..5000).map(|key| (key, 1.0 + key as f32, key as f32)).collect();
    let sampled = |order: &[(u64, f32, f32)]| {
        let mut fit = empty(Loss::WatchQuantile);
        for (key, duration, watched) in order {
            fit.add_within(500, *key, *duration, *watched);
        }
        assert_eq!(fit.pairs.len(), 500);
        fit.finish()
    };
    let mut reversed = pairs.clone();
    reversed.reverse();
    let watch = sampled(&pairs);
    assert_eq!(watch, sampled(&reversed));
    // A sample of the whole stream, not of its start.
    let Watch::Quantile { duration, .. } = watch else {
        panic!("a quantile")
    };
    assert!((duration - 2500.0).abs() < 400.0, "median {duration}");
}
