//! Counter-based noise, fills and the perturbed images made of them.
