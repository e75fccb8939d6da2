-- What is remembered of a lock's health (include/core/history.h): samples, counts per day, what was
-- tried against which fault, and notes.
--
-- As before: numbers with a meaning are those of include/core/history.h, faults and what is counted
-- are kept by name, times are UTC seconds, 0 = not known. All of it goes with the lock.

CREATE TABLE sample (
	number INTEGER PRIMARY KEY, -- order of writing
	lock_id TEXT NOT NULL REFERENCES lock (id) ON DELETE CASCADE,
	kind INTEGER NOT NULL,
	at INTEGER NOT NULL,
	is_time_trusted INTEGER NOT NULL CHECK (is_time_trusted IN (0, 1)),
	value INTEGER NOT NULL
) STRICT;
CREATE INDEX sample_lock ON sample (lock_id, at);
CREATE INDEX sample_newest ON sample (lock_id, kind, number);

-- One row for each number that is not 0. Days since 1970-01-01, UTC.
CREATE TABLE day_count (
	lock_id TEXT NOT NULL REFERENCES lock (id) ON DELETE CASCADE,
	day INTEGER NOT NULL,
	key TEXT NOT NULL,
	value INTEGER NOT NULL CHECK (value > 0),
	PRIMARY KEY (lock_id, day, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE attempt (
	number INTEGER PRIMARY KEY, -- order of beginning
	id TEXT NOT NULL UNIQUE,
	lock_id TEXT REFERENCES lock (id) ON DELETE CASCADE, -- NULL: the hub itself
	fault TEXT NOT NULL, -- '': routine care
	remedy TEXT NOT NULL,
	by TEXT NOT NULL,
	begun_at INTEGER NOT NULL,
	ended_at INTEGER NOT NULL, -- 0: runs
	outcome INTEGER NOT NULL CHECK (outcome BETWEEN 0 AND 5),
	before TEXT NOT NULL,
	after TEXT NOT NULL
) STRICT;
CREATE INDEX attempt_lock ON attempt (lock_id, number);

CREATE TABLE note (
	number INTEGER PRIMARY KEY,
	lock_id TEXT REFERENCES lock (id) ON DELETE CASCADE, -- NULL: the hub itself
	key TEXT NOT NULL,
	text TEXT NOT NULL,
	at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX note_key ON note (ifnull(lock_id, ''), key);
CREATE INDEX note_lock ON note (lock_id);
