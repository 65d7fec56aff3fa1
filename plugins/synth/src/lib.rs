//! Procedural scenes with known masks, attributes and planted shortcuts.
