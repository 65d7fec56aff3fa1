-- 0002: people who work apart, and who does what.
--
-- Copies of one project are edited on several machines and merged again. Row numbers mean something in one file only, so
-- everything that can come into being apart gets a name that is the same in every copy: 16 random bytes. What is there
-- already gets its number as its name, which is the same in every copy that was made before the upgrade.
DROP TRIGGER journal_is_never_updated;
ALTER TABLE journal ADD COLUMN uid BLOB NOT NULL DEFAULT x'';
UPDATE journal SET uid = unhex(printf('%032x', id));
CREATE UNIQUE INDEX journal_by_uid ON journal (uid);
CREATE TRIGGER journal_is_never_updated BEFORE UPDATE ON journal
BEGIN SELECT RAISE (ABORT, 'the journal is append-only'); END;

ALTER TABLE images ADD COLUMN uid BLOB NOT NULL DEFAULT x'';
UPDATE images SET uid = unhex(printf('%032x', id));
CREATE UNIQUE INDEX images_by_uid ON images (uid);

ALTER TABLE instances ADD COLUMN uid BLOB NOT NULL DEFAULT x'';
UPDATE instances SET uid = unhex(printf('%032x', id));
CREATE UNIQUE INDEX instances_by_uid ON instances (uid);

ALTER TABLE annotations ADD COLUMN uid BLOB NOT NULL DEFAULT x'';
UPDATE annotations SET uid = unhex(printf('%032x', id));
CREATE UNIQUE INDEX annotations_by_uid ON annotations (uid);

-- What a pack was not given: journal entries about images of others. To be merged, a copy must be able to tell what it never
-- had from what came later.
CREATE TABLE withheld (
    uid BLOB PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- Whose turn it is: an image is assigned to as many annotators as shall label it, blind to each other.
CREATE TABLE assignments (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    image     INTEGER NOT NULL REFERENCES images (id),
    annotator INTEGER NOT NULL REFERENCES annotators (id),
    added     INTEGER NOT NULL REFERENCES journal (id) DEFERRABLE INITIALLY DEFERRED,
    removed   INTEGER REFERENCES journal (id) DEFERRABLE INITIALLY DEFERRED
) STRICT;
CREATE UNIQUE INDEX assignments_by_image ON assignments (image, annotator) WHERE removed IS NULL;
CREATE INDEX assignments_by_annotator ON assignments (annotator);

-- Images whose chosen annotation is known to be right: annotators are checked against them, blind.
CREATE TABLE gold (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    image   INTEGER NOT NULL REFERENCES images (id),
    added   INTEGER NOT NULL REFERENCES journal (id) DEFERRABLE INITIALLY DEFERRED,
    removed INTEGER REFERENCES journal (id) DEFERRABLE INITIALLY DEFERRED
) STRICT;
CREATE UNIQUE INDEX gold_by_image ON gold (image) WHERE removed IS NULL;

-- What was given to others under a name: the manifest holds a digest of everything in it, and the entry that added the
-- row is the moment at which that was so.
CREATE TABLE releases (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    name     TEXT NOT NULL,
    manifest TEXT NOT NULL,
    added    INTEGER NOT NULL REFERENCES journal (id) DEFERRABLE INITIALLY DEFERRED,
    removed  INTEGER REFERENCES journal (id) DEFERRABLE INITIALLY DEFERRED
) STRICT;
CREATE UNIQUE INDEX releases_by_name ON releases (name) WHERE removed IS NULL;
