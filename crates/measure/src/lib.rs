//! Metrics of predictions, and the intervals around them: how well a model orders, how close its numbers are, and how sure
//! that is.
//!
//! In: slices of predictions, labels, groups. Out: numbers in double precision. Nothing here knows where they come from; rows
//! whose label is not observed are left out by the caller. Sums run in an order that only the input decides, so equal inputs give
//! equal bits. Where a metric is not defined it is `None`; [`log_loss`], [`squared_error`] and the intervals are NaN there.
//!
//! - How a model orders: [`auc`] over all pairs; inside groups [`gauc`], [`pooled_auc`], [`mean_auc`], [`list_auc`] and [`ndcg`]; among rows
//!   shown at one position [`equal_position_auc`]; by amounts [`xauc`].
//! - How close its numbers are: [`log_loss`], [`normalized_entropy`], [`squared_error`], [`mean_absolute_error`];
//!   [`calibration`], [`calibration_bins`], [`expected_calibration_error`]; beside them the [`ConstantPredictor`] to beat.
//! - What another policy would have earned: [`ips`], [`snips`], [`doubly_robust`].
//! - How much one column tells by itself: [`Single`].
//! - How sure that is: [`mean_interval`], [`paired_difference`], [`clustered_mean_interval`].
//!
//! ```
//! let (predictions, labels) = ([0.9, 0.2, 0.4, 0.4], [1.0, 0.0, 0.0, 1.0]);
//! assert_eq!(measure::auc(&predictions, &labels), Some(0.875));
//!
//! let interval = measure::mean_interval(&[0.71, 0.74, 0.72], 0.95);
//! assert!(interval.low < interval.mean && interval.mean < interval.high);
//! ```

mod auc;
mod calibration;
mod constant;
mod equal_position;
mod gauc;
mod interval;
mod loss;
mod ndcg;
mod policy;
mod single;
mod xauc;

pub use auc::auc;
pub use calibration::{CalibrationBin, calibration, calibration_bins, expected_calibration_error};
pub use constant::ConstantPredictor;
pub use equal_position::equal_position_auc;
pub use gauc::{ListAuc, gauc, list_auc, mean_auc, pooled_auc};
pub use interval::{Interval, clustered_mean_interval, mean_interval, paired_difference};
pub use loss::{log_loss, mean_absolute_error, normalized_entropy, squared_error};
pub use ndcg::ndcg;
pub use policy::{EstimatedRow, LoggedRow, PolicyValue, TooFew, doubly_robust, ips, snips};
pub use single::Single;
pub use xauc::xauc;
