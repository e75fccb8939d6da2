/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "examine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backup.h"
#include "chain.h"
#include "migrate.h"
#include "sealed.h"
#include "util/text.h"
#include "verify.h"

#define SQL_MAX 512

/*
 * Every column whose content is sealed, and the place that it is bound to: that of the table's own
 * file. tests/unit/store/test-keeper.c fails when a table has a blob that is not named here.
 */
struct sealed_column {
	const char *table, *column;
	const char *place; /* SQL */
};
static const struct sealed_column sealed_columns[] = {
	{ "canary", "sealed", "'canary'" },
	{ "lock", "keys", "'lock:' || id || ':keys'" },
	{ "user", "code", "'user:' || id || ':code'" },
	{ "user", "totp", "'user:' || id || ':totp'" },
	{ "credential", "pin", "'credential:' || id || ':pin'" },
	{ "slot", "pin", "'slot:' || lock_id || ':' || type || ':' || ref || ':pin'" },
};

const char *const *examine_sealed_columns(void) {
	static const char *const names[] = { "canary.sealed", "lock.keys", "user.code", "user.totp",
		"credential.pin", "slot.pin", NULL };
	_Static_assert(ARRAY_SIZE(names) == ARRAY_SIZE(sealed_columns) + 1, "names of columns");
	return names;
}

static bool is_set(const atomic_bool *is_stopping) {
	return is_stopping != NULL && atomic_load(is_stopping);
}

/* ---- opening ---- */

int examine_open(
	const char *path, const struct store_keys *keys, sqlite3 **ret, struct fault *ret_fault) {
	AUTO(db_close) sqlite3 *db = NULL;
	size_t version = 0;
	bool has_canary = false;

	int r = db_open(path, DB_WRITE, &db, ret_fault);
	if (r == 0) {
		r = migrate_look(db, store_migrations_n, &version, ret_fault);
	}
	if (r == 0 && version == 0) {
		r = fault_set(ret_fault, FAULT_DATABASE_CORRUPT, "there is nothing in it");
	}
	if (r == 0) {
		r = migrate_run(db, store_migrations, store_migrations_n, version, ret_fault);
	}
	if (r == 0) {
		r = canary_exists(db, &has_canary, ret_fault);
	}
	if (r == 0 && !has_canary) {
		r = fault_set(ret_fault, FAULT_DATABASE_CORRUPT,
			"what tells whether the key fits is missing");
	}
	if (r == 0) {
		r = canary_check(db, keys, ret_fault);
	}
	if (r < 0) {
		/* What our own SQL cannot use is not what we made. */
		if (ret_fault != NULL && ret_fault->code == FAULT_INTERNAL) {
			ret_fault->code = FAULT_DATABASE_CORRUPT;
		}
		return r;
	}
	*ret = STEAL(db);
	return 0;
}

/* ---- sealed values ---- */

/* Calls @fn for each value of the column, opened. */
static int each_sealed(sqlite3 *db, const struct store_keys *keys,
	const struct sealed_column *where,
	int (*fn)(void *user, int64_t rowid, const char *place, const struct secret *value,
		struct fault *ret_fault),
	void *user, struct fault *ret_fault) {
	AUTO(db_finalize) sqlite3_stmt *stmt = NULL;
	AUTO_VALUE(secret_wipe) struct secret value = { 0 };
	char sql[SQL_MAX];
	char place[SEALED_PLACE_MAX];
	int rc;

	(void) snprintf(sql, sizeof(sql), "SELECT rowid, %s, %s FROM %s ORDER BY rowid",
		where->place, where->column, where->table);
	int r = db_prepare(db, sql, &stmt, ret_fault);
	if (r < 0) {
		return r;
	}
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct column column = column_on(stmt);
		int64_t rowid = column_number(&column);
		column_text(&column, place, sizeof(place));
		r = sealed_read(&column, keys, place, &value, ret_fault);
		if (r == 0) {
			r = fn(user, rowid, place, &value, ret_fault);
		}
		if (r < 0) {
			return r;
		}
	}
	return rc == SQLITE_DONE ? 0 : db_fault(db, rc, "reading what is sealed", ret_fault);
}

static int count_it(void *user, int64_t rowid, const char *place, const struct secret *value,
	struct fault *ret_fault) {
	(void) rowid;
	(void) place;
	(void) value;
	(void) ret_fault;
	(*(unsigned *) user)++;
	return 0;
}

/* ---- all of it ---- */

static int count_rows(sqlite3 *db, const char *sql, unsigned *ret, struct fault *ret_fault) {
	int64_t n = 0;

	int r = db_number(db, sql, &n, ret_fault);
	if (r == 0) {
		*ret = (unsigned) n;
	}
	return r;
}

int examine_run(sqlite3 *db, const struct store_keys *keys, const atomic_bool *is_stopping,
	struct vault_report *report, struct fault *ret_fault) {
	struct log_verify log = { 0 };

	int r = check_run(db, false, ret_fault);
	if (r == 0 && is_set(is_stopping)) {
		r = fault_set(ret_fault, FAULT_CANCELLED, "the store is being closed");
	}
	if (r == 0) {
		r = verify_run(db, keys, is_stopping, &log, ret_fault);
	}
	report->is_log_whole = r == 0 && log.bad_seq == 0;
	report->n_events = log.n_rows;
	report->n_secrets = 0;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(sealed_columns); i++) {
		r = each_sealed(
			db, keys, &sealed_columns[i], count_it, &report->n_secrets, ret_fault);
	}
	if (r == 0) {
		r = db_number(db, "SELECT max(seq) FROM event", &report->last_seq, ret_fault);
	}
	if (r == 0) {
		r = count_rows(db, "SELECT count(*) FROM lock", &report->n_locks, ret_fault);
	}
	if (r == 0) {
		r = count_rows(db, "SELECT count(*) FROM user", &report->n_users, ret_fault);
	}
	if (r == 0) {
		r = count_rows(db, "SELECT count(*) FROM credential", &report->n_codes, ret_fault);
	}
	if (r == 0) {
		r = count_rows(
			db, "SELECT count(*) FROM schedule", &report->n_schedules, ret_fault);
	}
	return r;
}

/* ---- comparing ---- */

/*
 * What is compared: id and name of each row, then pairs of place and sealed value, then what else
 * counts. What changes by itself (states, marks of use) is left out.
 */
struct compared {
	const char *kind;
	int n_sealed;
	const char *sql;
};
static const struct compared compareds[] = {
	{ "lock", 0,
		"SELECT id, name, slug, driver, address, is_random, client_id, paired_at"
		" FROM lock ORDER BY id" },
	{ "key", 1, "SELECT id, name, 'lock:' || id || ':keys', keys FROM lock ORDER BY id" },
	{ "user", 2,
		"SELECT id, name, 'user:' || id || ':code', code, 'user:' || id || ':totp', totp,"
		" number, slug, type, status, expiring_minutes FROM user ORDER BY id" },
	{ "code", 1,
		"SELECT c.id, ifnull(u.name, c.user_id) || ', ' || c.id ||"
		" CASE c.label WHEN '' THEN '' ELSE ' (' || c.label || ')' END,"
		" 'credential:' || c.id || ':pin', c.pin, c.user_id, c.lock_id, c.type, c.state,"
		" c.label, c.is_once, c.valid_until FROM credential c"
		" LEFT JOIN user u ON u.id = c.user_id ORDER BY c.id" },
	{ "access", 0,
		"SELECT a.user_id || '@' || a.lock_id, u.name || ' at ' || l.name FROM access a"
		" JOIN user u ON u.id = a.user_id JOIN lock l ON l.id = a.lock_id ORDER BY 1" },
	{ "schedule", 0,
		"SELECT s.id, u.name, s.user_id, s.lock_id, s.kind, s.days, s.start_minute,"
		" s.end_minute, s.local_from, s.local_until FROM schedule s"
		" JOIN user u ON u.id = s.user_id ORDER BY s.id" },
	{ "holiday", 0,
		"SELECT h.id, l.name, h.lock_id, h.local_from, h.local_until, h.mode"
		" FROM holiday h JOIN lock l ON l.id = h.lock_id ORDER BY h.id" },
	{ "rules", 0,
		"SELECT r.lock_id, l.name, r.zone, r.factor, r.mode, r.wrong_code_limit,"
		" r.code_disable_s, r.open_period_minutes FROM lock_rules r"
		" JOIN lock l ON l.id = r.lock_id ORDER BY r.lock_id" },
	{ "setting", 0,
		"SELECT key, key, value FROM setting WHERE key <> 'restored' ORDER BY key" },
};

static void hash_column(
	sqlite3_stmt *stmt, int at, const uint8_t key[static 32], uint8_t sum[static 32]) {
	int type = sqlite3_column_type(stmt, at);
	const void *data = sqlite3_column_blob(stmt, at);
	size_t n = (size_t) sqlite3_column_bytes(stmt, at);
	uint64_t head[2] = { (uint64_t) type, n };
	const struct crypto_part parts[] = { { sum, 32 }, { head, sizeof(head) }, { data, n } };

	crypto_hmac_sha256(key, parts, ARRAY_SIZE(parts), sum);
}

/* One side of a comparison, row by row in the order of ids. */
struct side {
	const struct compared *what;
	const struct store_keys *keys;
	const uint8_t *sum_key;
	sqlite3 *db;
	sqlite3_stmt *stmt;
	bool is_done;
	char id[LOCK_NAME_MAX];
	char name[LOCK_NAME_MAX];
	uint8_t sum[32];
};

static int side_next(struct side *side, struct fault *ret_fault) {
	AUTO_VALUE(secret_wipe) struct secret value = { 0 };
	char place[SEALED_PLACE_MAX];

	int rc = sqlite3_step(side->stmt);
	if (rc != SQLITE_ROW) {
		side->is_done = true;
		return rc == SQLITE_DONE ? 0 : db_fault(side->db, rc, "comparing", ret_fault);
	}
	struct column column = column_on(side->stmt);
	column_text(&column, side->id, sizeof(side->id));
	column_text(&column, side->name, sizeof(side->name));
	text_sanitize(side->name);
	memset(side->sum, 0, sizeof(side->sum));
	for (int i = 0; i < side->what->n_sealed; i++) {
		column_text(&column, place, sizeof(place));
		int r = sealed_read(&column, side->keys, place, &value, ret_fault);
		if (r < 0) {
			return r;
		}
		const struct crypto_part parts[] = { { side->sum, sizeof(side->sum) },
			{ &value.len, sizeof(value.len) }, { value.bytes, value.len } };
		crypto_hmac_sha256(side->sum_key, parts, ARRAY_SIZE(parts), side->sum);
	}
	hash_column(side->stmt, 1, side->sum_key, side->sum);
	for (int at = 2 + 2 * side->what->n_sealed; at < sqlite3_column_count(side->stmt); at++) {
		hash_column(side->stmt, at, side->sum_key, side->sum);
	}
	return 0;
}

static int side_open(struct side *side, sqlite3 *db, const struct store_keys *keys,
	const struct compared *what, const uint8_t *sum_key, struct fault *ret_fault) {
	*side = (struct side){ .what = what, .keys = keys, .sum_key = sum_key, .db = db };
	int r = db_prepare(db, what->sql, &side->stmt, ret_fault);
	return r < 0 ? r : side_next(side, ret_fault);
}

static void side_close(struct side *side) {
	side->stmt = db_finalize(side->stmt);
}

static void differ(struct vault_report *report, const struct side *side, const char *what) {
	if (report->n_differences < VAULT_DIFFERENCES_MAX) {
		struct vault_difference *difference = &report->differences[report->n_differences];
		difference->kind = side->what->kind;
		difference->what = what;
		(void) text_copy(difference->name, sizeof(difference->name), side->name);
	}
	report->n_differences++;
}

static int compare_rows(struct side *backup, struct side *hub, struct vault_report *report,
	struct fault *ret_fault) {
	int r = 0;

	while (r == 0 && !(backup->is_done && hub->is_done)) {
		int order = backup->is_done ? 1 : hub->is_done ? -1 : strcmp(backup->id, hub->id);
		if (order < 0) {
			differ(report, backup, "only in the backup");
		} else if (order > 0) {
			differ(report, hub, "not in the backup");
		} else if (memcmp(backup->sum, hub->sum, sizeof(hub->sum)) != 0) {
			differ(report, hub, "changed");
		}
		if (order <= 0) {
			r = side_next(backup, ret_fault);
		}
		if (r == 0 && order >= 0) {
			r = side_next(hub, ret_fault);
		}
	}
	return r;
}

/* Whether the hub's log goes on where the backup's ends. */
static int compare_logs(sqlite3 *db, const struct store_keys *keys, sqlite3 *hub,
	const struct store_keys *hub_keys, struct vault_report *report, struct fault *ret_fault) {
	AUTO(db_finalize) sqlite3_stmt *stmt = NULL;
	struct chain_end end = { 0 };
	struct chain_end anchor = { 0 };
	int64_t last = 0;
	size_t n = 0;

	int r = chain_read(db, keys, CHAIN_HEAD, &end, ret_fault);
	if (r == 0) {
		r = chain_read(hub, hub_keys, CHAIN_ANCHOR, &anchor, ret_fault);
	}
	if (r == 0) {
		r = db_number(hub, "SELECT max(seq) FROM event", &last, ret_fault);
	}
	if (r == 0) {
		r = db_prepare(hub, "SELECT hash FROM event WHERE seq = ?", &stmt, ret_fault);
	}
	if (r < 0) {
		return r;
	}
	(void) sqlite3_bind_int64(stmt, 1, end.seq);
	int rc = sqlite3_step(stmt);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
		return db_fault(hub, rc, "comparing", ret_fault);
	}
	/* Rows that retention took away since cannot be compared any more, but for the last. */
	report->is_own_log =
		end.seq < anchor.seq || end.seq == 0 ||
		(end.seq == anchor.seq && memcmp(end.hash, anchor.hash, sizeof(end.hash)) == 0);
	if (rc == SQLITE_ROW) {
		struct column column = column_on(stmt);
		const void *hash = column_borrow_blob(&column, &n);
		report->is_own_log =
			n == sizeof(end.hash) && memcmp(hash, end.hash, sizeof(end.hash)) == 0;
	}
	report->n_events_since = last > end.seq ? last - end.seq : 0;
	return 0;
}

int examine_compare(sqlite3 *db, const struct store_keys *keys, sqlite3 *hub,
	const struct store_keys *hub_keys, struct vault_report *report, struct fault *ret_fault) {
	uint8_t sum_key[32];
	int64_t ignored = 0;

	/* Sums over PINs could be tried out, were the key known. */
	crypto_random(sum_key, sizeof(sum_key));
	report->n_differences = 0;
	int r = db_exec(hub, "BEGIN", ret_fault);
	if (r == 0) {
		r = db_number(hub, "SELECT count(*) FROM sqlite_schema", &ignored, ret_fault);
	}
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(compareds); i++) {
		AUTO_VALUE(side_close) struct side ours = { 0 };
		AUTO_VALUE(side_close) struct side theirs = { 0 };
		r = side_open(&ours, db, keys, &compareds[i], sum_key, ret_fault);
		if (r == 0) {
			r = side_open(&theirs, hub, hub_keys, &compareds[i], sum_key, ret_fault);
		}
		if (r == 0) {
			r = compare_rows(&ours, &theirs, report, ret_fault);
		}
	}
	if (r == 0) {
		r = compare_logs(db, keys, hub, hub_keys, report, ret_fault);
	}
	if (!sqlite3_get_autocommit(hub)) {
		(void) db_exec(hub, "ROLLBACK", NULL);
	}
	report->is_compared = r == 0;
	return r;
}

/* ---- making it the hub's ---- */

struct rekeying {
	sqlite3 *db;
	sqlite3_stmt *put;
	const struct store_keys *own;
};

static int seal_anew(void *user, int64_t rowid, const char *place, const struct secret *value,
	struct fault *ret_fault) {
	const struct rekeying *rekeying = user;
	struct bind bind = bind_on(rekeying->put);
	struct sealed room;

	sealed_bind(&bind, rekeying->own, place, value, &room);
	bind_number(&bind, rowid);
	return bind_run(&bind, NULL, "sealing anew", ret_fault);
}

static int rekey_column(sqlite3 *db, const struct store_keys *keys, const struct store_keys *own,
	const struct sealed_column *where, struct fault *ret_fault) {
	AUTO(db_finalize) sqlite3_stmt *put = NULL;
	char sql[SQL_MAX];

	(void) snprintf(sql, sizeof(sql), "UPDATE %s SET %s = ? WHERE rowid = ?", where->table,
		where->column);
	int r = db_prepare(db, sql, &put, ret_fault);
	if (r < 0) {
		return r;
	}
	struct rekeying rekeying = { .db = db, .put = put, .own = own };
	return each_sealed(db, keys, where, seal_anew, &rekeying, ret_fault);
}

/* An end whose seal is not right stays without one: what was broken must not become whole. */
static int rekey_end(sqlite3 *db, const struct store_keys *keys, const struct store_keys *own,
	enum chain_which which, struct fault *ret_fault) {
	AUTO(db_finalize) sqlite3_stmt *put = NULL;
	struct chain_end end = { 0 };

	int r = chain_read(db, keys, which, &end, ret_fault);
	if (r < 0 || !end.is_sealed) {
		return r;
	}
	r = db_prepare(db, CHAIN_PUT_SQL, &put, ret_fault);
	return r < 0 ? r : chain_put(put, own, which, &end, ret_fault);
}

static int rekey(sqlite3 *db, const struct store_keys *keys, const struct store_keys *own,
	struct fault *ret_fault) {
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(sealed_columns); i++) {
		r = rekey_column(db, keys, own, &sealed_columns[i], ret_fault);
	}
	if (r == 0) {
		r = rekey_end(db, keys, own, CHAIN_ANCHOR, ret_fault);
	}
	return r < 0 ? r : rekey_end(db, keys, own, CHAIN_HEAD, ret_fault);
}

/*
 * The lists of the locks are to be read before anything is made of them; states and reports are
 * those of another time. A placement that the lock had confirmed is only believed again when it is
 * seen again; one whose removal had been asked for stays asked for.
 */
static int forget_what_locks_told(sqlite3 *db, struct fault *ret_fault) {
	char sql[SQL_MAX];

	(void) snprintf(sql, sizeof(sql),
		"UPDATE lock SET state = %d, state_at = 0, battery_at = 0, config_at = 0",
		(int) LOCK_STATE_UNKNOWN);
	int r = db_exec(db, "UPDATE slot_list SET read_at = 0", ret_fault);
	return r < 0 ? r : db_exec(db, sql, ret_fault);
}

static int put_note(sqlite3 *db, const char *note, struct fault *ret_fault) {
	AUTO(db_finalize) sqlite3_stmt *put = NULL;

	int r = db_prepare(db,
		"INSERT INTO setting (key, value) VALUES ('restored', ?1)"
		" ON CONFLICT (key) DO UPDATE SET value = ?1",
		&put, ret_fault);
	if (r < 0) {
		return r;
	}
	struct bind bind = bind_on(put);
	bind_text(&bind, note);
	return bind_run(&bind, NULL, "noting the restoration", ret_fault);
}

int examine_adopt(sqlite3 *db, const struct store_keys *keys, const struct store_keys *own,
	const char *note, struct fault *ret_fault) {
	int r = db_exec(db, "BEGIN IMMEDIATE", ret_fault);

	if (r == 0 && !crypto_equal(keys, own, sizeof(*own))) {
		r = rekey(db, keys, own, ret_fault);
	}
	if (r == 0) {
		r = forget_what_locks_told(db, ret_fault);
	}
	if (r == 0) {
		r = put_note(db, note, ret_fault);
	}
	if (r == 0) {
		r = db_exec(db, "COMMIT", ret_fault);
	}
	if (r < 0 && !sqlite3_get_autocommit(db)) {
		(void) db_exec(db, "ROLLBACK", NULL);
	}
	return r;
}

/* ---- has anything changed? ---- */

static int mark_rows(
	sqlite3 *db, const char *sql, uint8_t sum[static 32], struct fault *ret_fault) {
	static const uint8_t no_key[32];
	AUTO(db_finalize) sqlite3_stmt *stmt = NULL;
	int rc;

	int r = db_prepare(db, sql, &stmt, ret_fault);
	if (r < 0) {
		return r;
	}
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		for (int at = 0; at < sqlite3_column_count(stmt); at++) {
			hash_column(stmt, at, no_key, sum);
		}
	}
	return rc == SQLITE_DONE ? 0 : db_fault(db, rc, "looking for changes", ret_fault);
}

static int mark_tables(sqlite3 *db, uint8_t sum[static 32], struct fault *ret_fault) {
	AUTO(db_finalize) sqlite3_stmt *stmt = NULL;
	char sql[SQL_MAX];
	int rc;

	int r = db_prepare(db,
		"SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
		" AND name NOT IN ('life', 'event', 'op', 'lock', 'slot', 'slot_list', 'placement')"
		" ORDER BY name",
		&stmt, ret_fault);
	if (r < 0) {
		return r;
	}
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct column column = column_on(stmt);
		(void) snprintf(
			sql, sizeof(sql), "SELECT * FROM \"%.100s\"", column_borrow_text(&column));
		r = mark_rows(db, sql, sum, ret_fault);
		if (r < 0) {
			return r;
		}
	}
	return rc == SQLITE_DONE ? 0 : db_fault(db, rc, "looking for changes", ret_fault);
}

int examine_mark(sqlite3 *db, uint8_t ret[static 32], struct fault *ret_fault) {
	int64_t ignored = 0;

	memset(ret, 0, 32);
	int r = db_exec(db, "BEGIN", ret_fault);
	if (r == 0) {
		r = db_number(db, "PRAGMA user_version", &ignored, ret_fault);
	}
	if (r == 0) {
		r = mark_tables(db, ret, ret_fault);
	}
	if (r == 0) {
		r = mark_rows(db,
			"SELECT id, name, slug, driver, address, client_id, keys, paired_at"
			" FROM lock ORDER BY number",
			ret, ret_fault);
	}
	if (r == 0) {
		r = mark_rows(db, "SELECT lock_id, credential_id, ref, state FROM placement", ret,
			ret_fault);
	}
	if (!sqlite3_get_autocommit(db)) {
		(void) db_exec(db, "ROLLBACK", NULL);
	}
	return r;
}
