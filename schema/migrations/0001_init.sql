-- 0001: the first schema of a project file (rival10.db).
--
-- Migrations are append-only: once released, this file never changes; what must change comes as the next number, which
-- opens with its reason. The number of migrations applied is PRAGMA user_version.
--
-- Two habits run through all tables:
-- - Nothing that was annotated is deleted. A row names the journal entry that added it and, once gone, the entry that
--   removed it, so that undo finds it again under its old number. A live row's parents are live.
-- - References to the journal are checked at commit: an import writes its entry last, when it knows what it did.

-- Facts about the whole project. Key and value, so that a binary of any age can read who wrote a newer file:
-- project (a random id), name, created (Unix milliseconds), taxonomy (TOML), written_by (the rival10 that brought the file
-- to its present schema).
CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Where files lie. The empty name is the project folder, wherever that is now; the others are absolute.
CREATE TABLE roots (
    name TEXT PRIMARY KEY,
    path TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO roots (name, path) VALUES ('', '');

-- Whoever says something of an image: people, imported data sets, consensus, networks.
CREATE TABLE annotators (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL
) STRICT;

-- Every change, in the order of its making: written in one transaction with the state that it changes.
CREATE TABLE journal (
    id         INTEGER PRIMARY KEY,
    at         INTEGER NOT NULL,                      -- Unix milliseconds
    actor      INTEGER REFERENCES annotators (id),    -- NULL: the command line, nobody in particular
    kind       TEXT NOT NULL,
    image      INTEGER REFERENCES images (id) DEFERRABLE INITIALLY DEFERRED,
    instance   INTEGER REFERENCES instances (id) DEFERRABLE INITIALLY DEFERRED,
    annotation INTEGER REFERENCES annotations (id) DEFERRABLE INITIALLY DEFERRED,
    layer      TEXT,
    undoes     INTEGER UNIQUE REFERENCES journal (id), -- UNIQUE: what is undone can't be undone again
    payload    TEXT NOT NULL,                         -- JSON: what the kind needs to go back and forth
    delta      BLOB                                   -- set-mask: the pixels that changed, as a mask
) STRICT;
CREATE INDEX journal_by_image ON journal (image);

CREATE TRIGGER journal_is_never_updated BEFORE UPDATE ON journal
BEGIN SELECT RAISE (ABORT, 'the journal is append-only'); END;
CREATE TRIGGER journal_is_never_deleted_from BEFORE DELETE ON journal
BEGIN SELECT RAISE (ABORT, 'the journal is append-only'); END;
-- INSERT OR REPLACE deletes without telling the trigger above.
CREATE TRIGGER journal_is_never_replaced BEFORE INSERT ON journal
WHEN EXISTS (SELECT 1 FROM journal WHERE id = NEW.id OR undoes = NEW.undoes)
BEGIN SELECT RAISE (ABORT, 'the journal is append-only'); END;

-- AUTOINCREMENT here and below: a number that the journal has spoken of never means something else later.
CREATE TABLE images (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    root        TEXT NOT NULL REFERENCES roots (name),
    path        TEXT NOT NULL,                        -- relative to the root, `/` between the parts
    name        TEXT NOT NULL,                        -- what the data set calls it
    content     BLOB NOT NULL,                        -- blake3 of the file; not unique
    width       INTEGER NOT NULL,                     -- upright
    height      INTEGER NOT NULL,
    orientation INTEGER NOT NULL,                     -- EXIF, as found in the file; already applied to the size
    class       INTEGER,                              -- index into the taxonomy
    split       TEXT NOT NULL,
    variant     TEXT NOT NULL,
    source_id   INTEGER,
    added       INTEGER NOT NULL REFERENCES journal (id) DEFERRABLE INITIALLY DEFERRED,
    removed     INTEGER REFERENCES journal (id) DEFERRABLE INITIALLY DEFERRED
) STRICT;
-- The identity of an image: where it lies.
CREATE UNIQUE INDEX images_by_path ON images (root, path) WHERE removed IS NULL;
CREATE INDEX images_by_content ON images (content);

CREATE TABLE instances (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    image     INTEGER NOT NULL REFERENCES images (id),
    ordinal   INTEGER NOT NULL,                       -- never given twice in an image
    class     INTEGER NOT NULL,
    source_id INTEGER,
    crowd     INTEGER NOT NULL,
    added     INTEGER NOT NULL REFERENCES journal (id) DEFERRABLE INITIALLY DEFERRED,
    removed   INTEGER REFERENCES journal (id) DEFERRABLE INITIALLY DEFERRED
) STRICT;
CREATE UNIQUE INDEX instances_by_image ON instances (image, ordinal);

CREATE TABLE annotations (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    image      INTEGER NOT NULL REFERENCES images (id),
    instance   INTEGER NOT NULL REFERENCES instances (id),
    annotator  INTEGER NOT NULL REFERENCES annotators (id),
    status     TEXT NOT NULL,
    attributes TEXT NOT NULL,                         -- a letter an attribute: y(es), n(o), - (not judged)
    altered    TEXT NOT NULL,                         -- a digit an attribute: 1 if an augmentation changed it
    added      INTEGER NOT NULL REFERENCES journal (id) DEFERRABLE INITIALLY DEFERRED,
    removed    INTEGER REFERENCES journal (id) DEFERRABLE INITIALLY DEFERRED
) STRICT;
CREATE UNIQUE INDEX annotations_by_instance ON annotations (instance, annotator) WHERE removed IS NULL;
CREATE INDEX annotations_by_image ON annotations (image);

CREATE TABLE masks (
    id         INTEGER PRIMARY KEY,
    annotation INTEGER NOT NULL REFERENCES annotations (id),
    layer      TEXT NOT NULL,                         -- object, attribute:N or ignore
    area       INTEGER NOT NULL,
    x          INTEGER,                               -- the box; NULL for a mask without pixels
    y          INTEGER,
    width      INTEGER,
    height     INTEGER,
    runs       BLOB NOT NULL                          -- last, so that a scan need not read the pages it spills to
) STRICT;
CREATE UNIQUE INDEX masks_by_layer ON masks (annotation, layer);
-- Statistics over every mask read this index and no runs.
CREATE INDEX masks_in_brief ON masks (annotation, layer, area, x, y, width, height);

-- The mask files of the data set: whoever needs their grey levels reads them there.
CREATE TABLE source_masks (
    id      INTEGER PRIMARY KEY,
    image   INTEGER NOT NULL REFERENCES images (id),
    layer   TEXT,                                     -- NULL: the file shows several
    root    TEXT NOT NULL REFERENCES roots (name),
    path    TEXT NOT NULL,
    content BLOB NOT NULL,
    added   INTEGER NOT NULL REFERENCES journal (id) DEFERRABLE INITIALLY DEFERRED,
    removed INTEGER REFERENCES journal (id) DEFERRABLE INITIALLY DEFERRED
) STRICT;
CREATE INDEX source_masks_by_image ON source_masks (image);

CREATE TABLE models (
    name          TEXT PRIMARY KEY,
    file          TEXT NOT NULL,                      -- relative to the project folder, or absolute
    digest        TEXT NOT NULL,
    preprocessing TEXT NOT NULL,                      -- the engine's JSON
    groups        TEXT NOT NULL                       -- JSON: the outputs of each class
) STRICT, WITHOUT ROWID;

-- Recorded analyses: derived from the rest, so they are no part of the journal.
CREATE TABLE runs (
    id       TEXT PRIMARY KEY,                        -- the digest of the manifest
    plugin   TEXT NOT NULL,
    manifest TEXT NOT NULL,
    finished INTEGER NOT NULL,
    begun    INTEGER NOT NULL                         -- Unix seconds
) STRICT, WITHOUT ROWID;
