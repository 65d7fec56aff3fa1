//! Saliency maps and how well they fall on a mask.
