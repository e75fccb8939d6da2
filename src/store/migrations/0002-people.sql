-- Who may enter (include/core/user.h), what the locks hold of it, and whom an event was about.
--
-- As in 0001: numbers with a meaning are those of include/core/terms.h and user.h, faults are kept
-- by name, times are UTC seconds, 0 = not known. What is sealed is bound to the row and the column.
-- What belongs to a lock or a user goes with it, but for the credentials of a user: they outlive it
-- until every lock has confirmed that they are gone (L4).

CREATE TABLE user (
	id TEXT NOT NULL PRIMARY KEY,
	number INTEGER NOT NULL UNIQUE CHECK (number > 0),
	name TEXT NOT NULL,
	slug TEXT NOT NULL UNIQUE,
	type INTEGER NOT NULL,
	status INTEGER NOT NULL,
	expiring_minutes INTEGER NOT NULL CHECK (expiring_minutes >= 0),
	first_used_at INTEGER NOT NULL,
	created_at INTEGER NOT NULL,
	created_by TEXT NOT NULL,
	modified_by TEXT NOT NULL,
	code BLOB NOT NULL, -- sealed
	totp BLOB NOT NULL, -- sealed
	totp_step INTEGER NOT NULL
) STRICT;

CREATE TABLE credential (
	id TEXT NOT NULL PRIMARY KEY,
	user_id TEXT NOT NULL,
	lock_id TEXT REFERENCES lock (id) ON DELETE CASCADE, -- NULL: at every lock of the user
	type INTEGER NOT NULL,
	state INTEGER NOT NULL CHECK (state IN (1, 2)),
	pin BLOB NOT NULL, -- sealed
	label TEXT NOT NULL,
	is_once INTEGER NOT NULL CHECK (is_once IN (0, 1)),
	valid_until INTEGER NOT NULL,
	is_expired INTEGER NOT NULL CHECK (is_expired IN (0, 1)),
	created_at INTEGER NOT NULL,
	created_by TEXT NOT NULL
) STRICT;
CREATE INDEX credential_lock ON credential (lock_id);

CREATE TABLE access (
	user_id TEXT NOT NULL REFERENCES user (id) ON DELETE CASCADE,
	lock_id TEXT NOT NULL REFERENCES lock (id) ON DELETE CASCADE,
	granted_at INTEGER NOT NULL,
	granted_by TEXT NOT NULL,
	PRIMARY KEY (user_id, lock_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX access_lock ON access (lock_id);

CREATE TABLE schedule (
	id TEXT NOT NULL PRIMARY KEY,
	user_id TEXT NOT NULL REFERENCES user (id) ON DELETE CASCADE,
	lock_id TEXT REFERENCES lock (id) ON DELETE CASCADE, -- NULL: at every lock of the user
	kind INTEGER NOT NULL CHECK (kind IN (1, 2)),
	days INTEGER NOT NULL,
	start_minute INTEGER NOT NULL,
	end_minute INTEGER NOT NULL,
	local_from INTEGER NOT NULL, -- seconds as the clock on the wall shows them
	local_until INTEGER NOT NULL,
	CHECK (kind = 2 OR (days BETWEEN 1 AND 127 AND start_minute BETWEEN 0 AND 1439
		AND end_minute BETWEEN start_minute + 1 AND 1439)),
	CHECK (kind = 1 OR local_until > local_from)
) STRICT;
CREATE INDEX schedule_user ON schedule (user_id);
CREATE INDEX schedule_lock ON schedule (lock_id);

CREATE TABLE holiday (
	id TEXT NOT NULL PRIMARY KEY,
	lock_id TEXT NOT NULL REFERENCES lock (id) ON DELETE CASCADE,
	position INTEGER NOT NULL CHECK (position > 0),
	local_from INTEGER NOT NULL,
	local_until INTEGER NOT NULL CHECK (local_until >= local_from),
	mode INTEGER NOT NULL
) STRICT;
CREATE INDEX holiday_lock ON holiday (lock_id);

CREATE TABLE placement (
	lock_id TEXT NOT NULL REFERENCES lock (id) ON DELETE CASCADE,
	credential_id TEXT NOT NULL REFERENCES credential (id) ON DELETE CASCADE,
	ref INTEGER NOT NULL, -- the lock's own id; 0: not known yet
	state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 5),
	fault TEXT NOT NULL,
	n_tries INTEGER NOT NULL CHECK (n_tries >= 0),
	since INTEGER NOT NULL,
	confirmed_at INTEGER NOT NULL,
	PRIMARY KEY (lock_id, credential_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX placement_credential ON placement (credential_id);

-- What a lock said it holds: one list a lock, and its rows in the order in which they were told.
CREATE TABLE slot_list (
	lock_id TEXT NOT NULL PRIMARY KEY REFERENCES lock (id) ON DELETE CASCADE,
	read_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE slot (
	number INTEGER PRIMARY KEY,
	lock_id TEXT NOT NULL REFERENCES slot_list (lock_id) ON DELETE CASCADE,
	type INTEGER NOT NULL,
	ref INTEGER NOT NULL,
	name TEXT NOT NULL,
	is_enabled INTEGER NOT NULL CHECK (is_enabled IN (0, 1)),
	is_own INTEGER NOT NULL CHECK (is_own IN (0, 1)),
	is_remote_allowed INTEGER NOT NULL CHECK (is_remote_allowed IN (0, 1)),
	pin BLOB NOT NULL, -- sealed
	is_limited INTEGER NOT NULL CHECK (is_limited IN (0, 1)),
	window_from INTEGER NOT NULL,
	window_until INTEGER NOT NULL,
	window_days INTEGER NOT NULL,
	window_start_minute INTEGER NOT NULL,
	window_end_minute INTEGER NOT NULL,
	created_at INTEGER NOT NULL,
	last_used_at INTEGER NOT NULL,
	n_uses INTEGER NOT NULL
) STRICT;
CREATE INDEX slot_lock ON slot (lock_id);

CREATE TABLE lock_rules (
	lock_id TEXT NOT NULL PRIMARY KEY REFERENCES lock (id) ON DELETE CASCADE,
	zone TEXT NOT NULL, -- '': the hub's
	factor INTEGER NOT NULL CHECK (factor BETWEEN 0 AND 4),
	mode INTEGER NOT NULL,
	wrong_code_limit INTEGER NOT NULL CHECK (wrong_code_limit BETWEEN 1 AND 255),
	code_disable_s INTEGER NOT NULL CHECK (code_disable_s BETWEEN 1 AND 255),
	open_period_minutes INTEGER NOT NULL CHECK (open_period_minutes >= 0)
) STRICT, WITHOUT ROWID;

-- Rows from before have none of these and keep the hash that they have: src/store/chain.h.
ALTER TABLE event ADD COLUMN user_id TEXT;
ALTER TABLE event ADD COLUMN attribution INTEGER;
ALTER TABLE event ADD COLUMN credential INTEGER;
ALTER TABLE event ADD COLUMN data INTEGER;
ALTER TABLE event ADD COLUMN data_operation INTEGER;
CREATE INDEX event_user_id ON event (user_id) WHERE user_id <> '';
-- Names that the hub could give to nobody: what a lock's log says, and rows from before.
CREATE INDEX event_name_only ON event (user) WHERE user <> '' AND ifnull(user_id, '') = '';
