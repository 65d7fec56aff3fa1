//! Which instructions the engine computes with.
//!
//! The engine picks its kernels when it first looks at the processor, and kernels differ in their last bits. Rows are
//! promised to be identical only on one instruction set, so a run records [`isa`] and can be held to a smaller one by
//! [`pin`].

use tract_onnx::tract_core::tract_linalg::{
    isa::{Isa, IsaSet, native},
    knobs::TRACT_CPU_ISA,
};

/// The instruction set in use: the architecture, then every extension that a kernel was chosen by, such as
/// `x86_64,avx,avx2,fma,f16c`. Fixed from the first call on.
#[must_use]
pub fn isa() -> String {
    format!("{:?}", native())
}

/// Why an instruction set was not pinned.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum IsaError {
    /// The text names no instruction set.
    #[error("instruction set {text:?}: {reason}")]
    Unknown {
        /// What was given.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The processor lacks some of it.
    #[error("this processor lacks {missing}; it has {found}")]
    Missing {
        /// The extensions that it lacks.
        missing: String,
        /// The instruction set that it has.
        found: String,
    },
    /// The engine has chosen its kernels already.
    #[error("the engine already runs on {found}: the instruction set is pinned before the first model is opened")]
    TooLate {
        /// The instruction set in use.
        found: String,
    },
}

/// Holds the engine to the instruction set that [`isa`] named on some machine. To be called before anything is opened,
/// once a process.
///
/// # Errors
/// [`IsaError`] if `text` names no instruction set, one that this processor lacks, or if it comes too late.
pub fn pin(text: &str) -> Result<(), IsaError> {
    let wanted: IsaSet =
        text.parse().map_err(|e| IsaError::Unknown { text: text.to_owned(), reason: format!("{e}") })?;
    // Removing every extension and adding the wanted ones gives the wanted set, whatever the processor has.
    let edits: Vec<String> = Isa::ALL
        .into_iter()
        .filter(|isa| Some(isa.arch()) == wanted.arch() && !isa.is_arch())
        .map(|isa| format!("{}{isa}", if wanted.has(isa) { '+' } else { '-' }))
        .collect();
    let available = probed();
    let missing: Vec<&str> =
        Isa::ALL.into_iter().filter(|&isa| wanted.has(isa) && !available.has(isa)).map(|isa| isa.name()).collect();
    if !missing.is_empty() {
        return Err(IsaError::Missing { missing: missing.join(", "), found: format!("{available:?}") });
    }
    TRACT_CPU_ISA.set(Some(edits.join(",")));
    if native() == wanted { Ok(()) } else { Err(IsaError::TooLate { found: isa() }) }
}

/// What the processor has, without fixing what the engine uses.
fn probed() -> IsaSet {
    #[cfg(target_arch = "x86_64")]
    return tract_onnx::tract_core::tract_linalg::x86_64::isa_set();
    #[cfg(target_arch = "aarch64")]
    return tract_onnx::tract_core::tract_linalg::arm64::isa_set();
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    return native();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_isa_names_can_be_pinned_and_nothing_else() {
        assert!(matches!(pin("mmx"), Err(IsaError::Unknown { .. })));
        let here = isa();
        assert_eq!(pin(&here), Ok(()));
        let Some((smaller, _)) = here.rsplit_once(',') else { return };
        assert_eq!(pin(smaller), Err(IsaError::TooLate { found: here }));
    }
}
