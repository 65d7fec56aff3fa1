//! How a classifier's accuracy falls when foreground or background is noised.
