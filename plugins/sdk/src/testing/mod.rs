//! Toy models and the conformance suite that every analysis must pass.
