//! One SQLite file a project: state, journal and codecs.
