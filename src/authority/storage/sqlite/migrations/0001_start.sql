-- Times are seconds since 1970, ids and digests are their bytes, a position is an epoch and a sequence.

CREATE TABLE setting (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
INSERT INTO setting (name, value) VALUES ('epoch', '0');

CREATE TABLE organization (
    id       INTEGER PRIMARY KEY,
    name     TEXT NOT NULL UNIQUE,
    added_at INTEGER NOT NULL
);

CREATE TABLE product (
    id       INTEGER PRIMARY KEY,
    name     TEXT NOT NULL UNIQUE,
    features TEXT NOT NULL, -- JSON: what one unit grants
    policy   TEXT NOT NULL, -- JSON
    added_at INTEGER NOT NULL
);

CREATE TABLE license (
    id            BLOB PRIMARY KEY NOT NULL,
    activation_id BLOB NOT NULL UNIQUE,
    organization  INTEGER NOT NULL REFERENCES organization (id),
    product       INTEGER NOT NULL REFERENCES product (id),
    model         TEXT NOT NULL,
    not_before    INTEGER NOT NULL,
    not_after     INTEGER,
    term          INTEGER, -- seconds, counted from the first activation
    started_at    INTEGER,
    support_until INTEGER,
    quantity      INTEGER NOT NULL CHECK (quantity > 0),
    devices       INTEGER NOT NULL CHECK (devices > 0),
    withdrawn_at  INTEGER,
    added_at      INTEGER NOT NULL,
    CHECK (not_after IS NULL OR term IS NULL)
);
CREATE INDEX license_of_organization ON license (organization);
CREATE INDEX license_of_product ON license (product);

CREATE TABLE device (
    id               BLOB PRIMARY KEY NOT NULL,
    public_key       BLOB NOT NULL UNIQUE,
    first_seen       INTEGER NOT NULL,
    last_seen        INTEGER NOT NULL,
    label            TEXT,
    system           TEXT NOT NULL, -- JSON, as its newest request says
    epoch            INTEGER NOT NULL,
    sequence         INTEGER NOT NULL,
    seen_counter     INTEGER, -- the newest executed request
    seen_digest      BLOB,
    highest_counter  INTEGER, -- the known request with the highest counter
    highest_digest   BLOB,
    cut_epoch        INTEGER NOT NULL,
    cut_sequence     INTEGER NOT NULL,
    retired          INTEGER NOT NULL,
    case_id          BLOB,
    case_until       INTEGER,
    binding          TEXT, -- JSON evidence
    verdict          TEXT,
    lease_until      INTEGER,
    granted_epoch    INTEGER, -- where the newest signed grant stands
    granted_sequence INTEGER
);

CREATE TABLE device_grant (
    device BLOB PRIMARY KEY NOT NULL REFERENCES device (id),
    frame  BLOB NOT NULL
);

CREATE TABLE holding (
    license        BLOB NOT NULL REFERENCES license (id),
    device         BLOB NOT NULL REFERENCES device (id),
    units          INTEGER NOT NULL CHECK (units >= 0),
    by_share       INTEGER NOT NULL, -- it follows the share when the license is expanded
    taken_epoch    INTEGER, -- the first grant without it, after it was taken without proof
    taken_sequence INTEGER,
    PRIMARY KEY (license, device)
);
CREATE INDEX holding_of_license ON holding (license, units);
CREATE INDEX holding_of_device ON holding (device, units, license);

-- Every request that was answered, with its answer, for ever.
CREATE TABLE request (
    digest            BLOB PRIMARY KEY NOT NULL,
    device            BLOB NOT NULL REFERENCES device (id),
    counter           INTEGER NOT NULL,
    previous_epoch    INTEGER NOT NULL,
    previous_sequence INTEGER NOT NULL,
    previous_executed INTEGER NOT NULL,
    speaks_from       INTEGER NOT NULL,
    listed            BLOB NOT NULL, -- 40 bytes each: counter big-endian, digest
    executed          INTEGER NOT NULL,
    lost              INTEGER NOT NULL,
    arrived_at        INTEGER NOT NULL,
    request           BLOB NOT NULL,
    response          BLOB NOT NULL
);
CREATE INDEX request_by_counter ON request (device, counter);
CREATE INDEX request_by_previous ON request (device, previous_epoch, previous_sequence, counter);

-- Final results, each for ever.
CREATE TABLE operation (
    device  BLOB NOT NULL REFERENCES device (id),
    id      BLOB NOT NULL,
    outcome TEXT NOT NULL, -- JSON
    PRIMARY KEY (device, id)
);

CREATE TABLE fork_case (
    id          BLOB PRIMARY KEY NOT NULL,
    device      BLOB NOT NULL REFERENCES device (id),
    fork        TEXT NOT NULL, -- JSON: how it showed
    counter     INTEGER NOT NULL,
    opened_at   INTEGER NOT NULL,
    until       INTEGER NOT NULL,
    resolved_at INTEGER
);

CREATE TABLE history (
    number INTEGER PRIMARY KEY,
    entry  TEXT NOT NULL, -- JSON
    hash   BLOB NOT NULL
);
-- The chain finds out who gets around these.
CREATE TRIGGER history_is_not_changed BEFORE UPDATE ON history
BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
CREATE TRIGGER history_is_not_deleted BEFORE DELETE ON history
BEGIN SELECT RAISE(ABORT, 'history is append-only'); END;
CREATE TRIGGER request_is_not_changed BEFORE UPDATE ON request
BEGIN SELECT RAISE(ABORT, 'the archive is append-only'); END;
CREATE TRIGGER request_is_not_deleted BEFORE DELETE ON request
BEGIN SELECT RAISE(ABORT, 'the archive is append-only'); END;
