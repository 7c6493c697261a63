//! What is printed when a command fails, and its exit code: 2 for usage and bad input, 3 for a result with an alarm, 130 when
//! the user stopped it, 1 for everything else.

use std::process::ExitCode;

use events::EventsError;
use model::ModelError;
use serve::ServeError;
use spec::Mistakes;
use train::TrainError;

/// A mistake in how a command was called.
#[derive(Debug)]
pub(crate) struct Usage(pub String);

impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// A result that was written and should not be served.
#[derive(Debug)]
pub(crate) struct Alarm(pub String);

impl std::fmt::Display for Alarm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Alarm {}

/// A claim that was measured, and did not hold.
#[derive(Debug)]
pub(crate) struct Missed(pub String);

impl std::fmt::Display for Missed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Missed {}

/// What the message begins with.
pub(crate) fn word(error: &anyhow::Error) -> &'static str {
    match error {
        alarm if alarm.is::<Alarm>() => "alarm",
        missed if missed.is::<Missed>() => "missed",
        _ => "error",
    }
}

/// An error and its causes in one text; a cause that is quoted already is not said again.
pub(crate) fn message(error: &anyhow::Error) -> String {
    let mut message = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !message.contains(&cause) {
            message = format!("{message}: {cause}");
        }
    }
    message
}

/// The exit code of an error.
pub(crate) fn exit_code(error: &anyhow::Error) -> ExitCode {
    let stopped = error
        .downcast_ref::<TrainError>()
        .is_some_and(|error| matches!(error, TrainError::Stopped | TrainError::Interrupted(_)));
    if stopped {
        return ExitCode::from(130);
    }
    if error.is::<Alarm>() {
        return ExitCode::from(3);
    }
    ExitCode::from(if error.chain().any(is_bad_input) { 2 } else { 1 })
}

fn is_bad_input(cause: &(dyn std::error::Error + 'static)) -> bool {
    cause.is::<Usage>()
        || cause.is::<propose::ProposeError>()
        || cause.is::<Mistakes>()
        || cause
            .downcast_ref::<EventsError>()
            .is_some_and(EventsError::is_bad_input)
        || cause
            .downcast_ref::<TrainError>()
            .is_some_and(TrainError::is_bad_input)
        || cause.downcast_ref::<ModelError>().is_some_and(model_is_bad)
        || cause
            .downcast_ref::<ServeError>()
            .is_some_and(|error| match error {
                ServeError::NotLoopback(_) => true,
                ServeError::Events(error) => error.is_bad_input(),
                ServeError::Model(error) => model_is_bad(error),
                ServeError::Listen { .. } | ServeError::Io(_) => false,
            })
}

fn model_is_bad(error: &ModelError) -> bool {
    matches!(
        error,
        ModelError::Damaged { .. } | ModelError::Mismatch(_) | ModelError::Spec(_)
    )
}
