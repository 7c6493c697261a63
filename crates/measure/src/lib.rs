//! Metrics of predictions, and the intervals around them: how well a model orders, how close its numbers are, and how sure
//! that is.
//!
//! In: slices of predictions, labels, groups. Out: numbers in double precision. Nothing here knows where they come from; rows
//! whose label is not observed are left out by the caller. Sums run in the order given, so equal inputs give equal bits.
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
mod gauc;
mod interval;
mod loss;

pub use auc::auc;
pub use calibration::calibration;
pub use constant::ConstantPredictor;
pub use gauc::gauc;
pub use interval::{Interval, clustered_mean_interval, mean_interval, paired_difference};
pub use loss::{log_loss, squared_error};
