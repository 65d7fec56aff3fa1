//! Programs of the user's that rival10 asks over stdin and stdout: models (`rival10-model-NAME`) and analyses
//! (`rival10-plugin-NAME`).
//!
//! - [`search`]: where such programs lie.
//! - [`message`]: one line of JSON, then the bytes that it announces; what is read is bounded by what was asked for.
//! - [`Worker`]: one running program, asked and waited for no longer than it may take.
//! - [`Copies`]: several of one program, lent to whoever asks.
//! - [`Fault`]: what a program did wrong, in words.
//!
//! A program is not trusted to be well: it may be late, die, or answer nonsense, and each of that is a fault with its last
//! words. It is trusted in what it says, and it runs with the user's rights. What is asked and answered is no business of
//! this crate: it knows neither models nor analyses.

mod copies;
mod fault;
pub mod message;
pub mod search;
mod worker;

pub use copies::Copies;
pub use fault::Fault;
pub use worker::Worker;
