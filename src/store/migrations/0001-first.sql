-- Locks, operations, events, settings.
--
-- Numbers with a meaning are those of include/core/terms.h and event.h; acts and faults, whose
-- numbers are not fixed, are kept by name. Times are UTC seconds, 0 = not known.

PRAGMA application_id = 1281911618; -- "LhkB"

-- Opens only with the key that the database was made with.
CREATE TABLE canary (
	id INTEGER PRIMARY KEY CHECK (id = 1),
	sealed BLOB NOT NULL
) STRICT;

-- One row per life of the daemon; mono times of events hold within one boot_id.
CREATE TABLE life (
	number INTEGER PRIMARY KEY,
	boot_id TEXT NOT NULL,
	version TEXT NOT NULL,
	is_clean INTEGER NOT NULL CHECK (is_clean IN (0, 1))
) STRICT;

CREATE TABLE setting (
	key TEXT PRIMARY KEY,
	value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE lock (
	number INTEGER PRIMARY KEY, -- order of pairing
	id TEXT NOT NULL UNIQUE,
	name TEXT NOT NULL,
	slug TEXT NOT NULL UNIQUE,
	driver TEXT NOT NULL,
	address TEXT NOT NULL,
	is_random INTEGER NOT NULL,
	client_id INTEGER NOT NULL,
	keys BLOB NOT NULL, -- sealed, bound to id and column
	paired_at INTEGER NOT NULL,
	log_cursor INTEGER NOT NULL,
	state INTEGER NOT NULL,
	state_at INTEGER NOT NULL,
	battery_level INTEGER NOT NULL,
	battery_percent INTEGER NOT NULL,
	battery_is_charging INTEGER NOT NULL,
	battery_at INTEGER NOT NULL,
	firmware TEXT NOT NULL,
	hardware TEXT NOT NULL,
	serial TEXT NOT NULL,
	model TEXT NOT NULL,
	config_version INTEGER NOT NULL,
	config_has_keypad INTEGER NOT NULL,
	config_has_door_sensor INTEGER NOT NULL,
	config_is_pairing_enabled INTEGER NOT NULL,
	config_is_log_enabled INTEGER NOT NULL,
	config_auto_lock_s INTEGER NOT NULL,
	config_lock_name TEXT NOT NULL,
	config_at INTEGER NOT NULL
) STRICT;

CREATE TABLE op (
	number INTEGER PRIMARY KEY,
	id TEXT NOT NULL UNIQUE,
	lock_id TEXT NOT NULL, -- outlives the lock
	act TEXT NOT NULL,
	actor TEXT NOT NULL,
	requested_at INTEGER NOT NULL,
	is_finished INTEGER NOT NULL CHECK (is_finished IN (0, 1)),
	is_unknown INTEGER NOT NULL CHECK (is_unknown IN (0, 1)),
	fault TEXT NOT NULL,
	finished_at INTEGER NOT NULL
) STRICT;
CREATE INDEX op_unfinished ON op (number) WHERE is_finished = 0;

-- The ends of the event chain. anchor: the last row that retention took away (seq 0, zero hash:
-- none yet); head: the newest row. seal: HMAC under a key that is not in here.
CREATE TABLE chain (
	name TEXT PRIMARY KEY CHECK (name IN ('anchor', 'head')),
	seq INTEGER NOT NULL,
	hash BLOB NOT NULL CHECK (length(hash) = 32),
	seal BLOB NOT NULL CHECK (length(seal) = 32)
) STRICT, WITHOUT ROWID;

-- The columns' order is what the hash is made over (src/store/event-row.c): append only.
CREATE TABLE event (
	seq INTEGER PRIMARY KEY,
	kind INTEGER NOT NULL,
	word TEXT NOT NULL,
	lock_id TEXT NOT NULL, -- '': the hub itself
	time INTEGER NOT NULL,
	is_time_trusted INTEGER NOT NULL,
	life INTEGER NOT NULL REFERENCES life (number),
	mono INTEGER NOT NULL,
	lock_time INTEGER NOT NULL,
	lock_seq INTEGER NOT NULL, -- 0: not from the lock's log
	operation INTEGER NOT NULL,
	source INTEGER NOT NULL,
	error INTEGER NOT NULL,
	alarm INTEGER NOT NULL,
	door INTEGER NOT NULL,
	state INTEGER NOT NULL,
	user TEXT NOT NULL,
	user_ref INTEGER NOT NULL,
	op_id TEXT NOT NULL,
	act TEXT NOT NULL,
	fault TEXT NOT NULL,
	number INTEGER NOT NULL,
	text TEXT NOT NULL,
	hash BLOB NOT NULL
) STRICT;
-- Each ends in seq, the rowid: newest first needs no sorting.
CREATE INDEX event_lock ON event (lock_id);
CREATE INDEX event_word ON event (word);
CREATE INDEX event_time ON event (time);
CREATE INDEX event_user ON event (user) WHERE user <> '';
-- What makes the import of a lock's log exactly-once.
CREATE UNIQUE INDEX event_import ON event (lock_id, lock_seq) WHERE lock_seq > 0;

CREATE TRIGGER event_no_update BEFORE UPDATE ON event BEGIN
	SELECT RAISE(ABORT, 'the event log is append-only');
END;
-- Retention moves the anchor first and may then delete what is behind it.
CREATE TRIGGER event_no_delete BEFORE DELETE ON event
WHEN old.seq > (SELECT seq FROM chain WHERE name = 'anchor') BEGIN
	SELECT RAISE(ABORT, 'the event log is append-only');
END;
