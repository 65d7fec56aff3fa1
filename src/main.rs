//! The `rival10` binary: it hands its arguments over and turns the outcome into an exit code. Only this file exits.

use std::process::ExitCode;

fn main() -> ExitCode {
    rival10::cli::main()
}
