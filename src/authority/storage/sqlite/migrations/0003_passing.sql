-- Answers to devices that are not known, the newest ones only.
CREATE TABLE passing (
    number   INTEGER PRIMARY KEY,
    digest   BLOB NOT NULL UNIQUE,
    response BLOB NOT NULL
);
