/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lock-table.h"

#include <errno.h>
#include <stdio.h>

#include "sealed.h"

/* In the order of bind_identity() and bind_facts(). */
#define IDENTITY_SQL "name, slug, driver, address, is_random, client_id, paired_at"
#define FACTS_SQL                                                                                  \
	"state, state_at, battery_level, battery_percent, battery_is_charging, battery_at,"        \
	" firmware, hardware, serial, model, config_version, config_has_keypad,"                   \
	" config_has_door_sensor, config_is_pairing_enabled, config_is_log_enabled,"               \
	" config_auto_lock_s, config_lock_name, config_at"
#define FACTS_MARKS "?,?,?,?,?,?, ?,?,?,?, ?,?,?,?,?,?,?,?"

/* A new row gets the cursor of the record, an old one keeps its own. */
static const struct db_text texts[] = {
	{ offsetof(struct lock_table, put),
		"INSERT INTO lock (id, keys, log_cursor, " IDENTITY_SQL ", " FACTS_SQL ")"
		" VALUES (?,?,?, ?,?,?,?,?,?,?, " FACTS_MARKS ")"
		" ON CONFLICT (id) DO UPDATE SET keys = excluded.keys, name = excluded.name,"
		" slug = excluded.slug, driver = excluded.driver, address = excluded.address,"
		" is_random = excluded.is_random, client_id = excluded.client_id,"
		" paired_at = excluded.paired_at, state = excluded.state,"
		" state_at = excluded.state_at, battery_level = excluded.battery_level,"
		" battery_percent = excluded.battery_percent,"
		" battery_is_charging = excluded.battery_is_charging,"
		" battery_at = excluded.battery_at, firmware = excluded.firmware,"
		" hardware = excluded.hardware, serial = excluded.serial, model = excluded.model,"
		" config_version = excluded.config_version,"
		" config_has_keypad = excluded.config_has_keypad,"
		" config_has_door_sensor = excluded.config_has_door_sensor,"
		" config_is_pairing_enabled = excluded.config_is_pairing_enabled,"
		" config_is_log_enabled = excluded.config_is_log_enabled,"
		" config_auto_lock_s = excluded.config_auto_lock_s,"
		" config_lock_name = excluded.config_lock_name, config_at = excluded.config_at" },
	{ offsetof(struct lock_table, put_keys), "UPDATE lock SET keys = ? WHERE id = ?" },
	{ offsetof(struct lock_table, put_facts),
		"UPDATE lock SET (" FACTS_SQL ") = (" FACTS_MARKS ") WHERE id = ?" },
	{ offsetof(struct lock_table, remove), "DELETE FROM lock WHERE id = ?" },
	{ offsetof(struct lock_table, put_cursor),
		"UPDATE lock SET log_cursor = max(log_cursor, ?) WHERE id = ?" },
};

static const char *place_of(const char *id, char out[static SEALED_PLACE_MAX]) {
	snprintf(out, SEALED_PLACE_MAX, "lock:%s:keys", id);
	return out;
}

static void bind_keys(struct bind *bind, const struct lock_table *table,
	const struct lock_record *record, struct sealed *room) {
	char place[SEALED_PLACE_MAX];

	sealed_bind(bind, table->keys, place_of(record->id, place), &record->keys, room);
}

int lock_table_open(struct lock_table *table, sqlite3 *db, const struct store_keys *keys,
	struct fault *ret_fault) {
	*table = (struct lock_table){ .keys = keys };
	int r = db_prepare_all(db, table, texts, ARRAY_SIZE(texts), ret_fault);
	if (r < 0) {
		lock_table_close(table);
	}
	return r;
}

void lock_table_close(struct lock_table *table) {
	db_finalize_all(table, texts, ARRAY_SIZE(texts));
}

static void bind_identity(struct bind *bind, const struct lock_record *record) {
	bind_text(bind, record->name);
	bind_text(bind, record->slug);
	bind_text(bind, record->driver);
	bind_text(bind, record->address);
	bind_number(bind, record->is_random);
	bind_number(bind, record->client_id);
	bind_number(bind, record->paired_at.s);
}

static void bind_facts(struct bind *bind, const struct lock_record *record) {
	bind_number(bind, record->state);
	bind_number(bind, record->state_at.s);
	bind_number(bind, record->battery.level);
	bind_number(bind, record->battery.percent);
	bind_number(bind, record->battery.is_charging);
	bind_number(bind, record->battery_at.s);
	bind_text(bind, record->versions.firmware);
	bind_text(bind, record->versions.hardware);
	bind_text(bind, record->versions.serial);
	bind_text(bind, record->versions.model);
	bind_number(bind, record->config.version);
	bind_number(bind, record->config.has_keypad);
	bind_number(bind, record->config.has_door_sensor);
	bind_number(bind, record->config.is_pairing_enabled);
	bind_number(bind, record->config.is_log_enabled);
	bind_number(bind, record->config.auto_lock_s);
	bind_text(bind, record->config.lock_name);
	bind_number(bind, record->config_at.s);
}

int lock_table_put(
	struct lock_table *table, const struct lock_record *record, struct fault *ret_fault) {
	struct sealed sealed;
	struct bind bind = bind_on(table->put);

	bind_text(&bind, record->id);
	bind_keys(&bind, table, record, &sealed);
	bind_number(&bind, record->log_cursor);
	bind_identity(&bind, record);
	bind_facts(&bind, record);
	int r = bind_run(&bind, NULL, "recording a lock", ret_fault);
	/* The only rule of this table that a record can break. */
	if (r < 0 && bind.rc == SQLITE_CONSTRAINT_UNIQUE) {
		return fault_set(ret_fault, FAULT_NAME_TAKEN, "%s", record->slug);
	}
	return r;
}

/* An update by id that must have hit. */
static int run_on_lock(
	struct bind *bind, const char *id, const char *what, struct fault *ret_fault) {
	int n_changes;

	bind_text(bind, id);
	int r = bind_run(bind, &n_changes, what, ret_fault);
	if (r == 0 && n_changes == 0) {
		return fault_set(ret_fault, FAULT_NO_SUCH_LOCK, "%s", id);
	}
	return r;
}

int lock_table_put_keys(
	struct lock_table *table, const struct lock_record *record, struct fault *ret_fault) {
	struct sealed sealed;
	struct bind bind = bind_on(table->put_keys);

	bind_keys(&bind, table, record, &sealed);
	return run_on_lock(&bind, record->id, "recording a lock's keys", ret_fault);
}

int lock_table_put_facts(
	struct lock_table *table, const struct lock_record *record, struct fault *ret_fault) {
	struct bind bind = bind_on(table->put_facts);

	bind_facts(&bind, record);
	return run_on_lock(&bind, record->id, "recording a lock's facts", ret_fault);
}

int lock_table_remove(struct lock_table *table, const char *id, struct fault *ret_fault) {
	struct bind bind = bind_on(table->remove);

	return run_on_lock(&bind, id, "removing a lock", ret_fault);
}

int lock_table_put_cursor(
	struct lock_table *table, const char *id, int64_t number, struct fault *ret_fault) {
	struct bind bind = bind_on(table->put_cursor);

	bind_number(&bind, number);
	return run_on_lock(&bind, id, "recording how far a lock's log was read", ret_fault);
}

/* Seldom: so nothing is prepared beforehand. */
static bool is_there(sqlite3 *db, const char *id) {
	AUTO(db_finalize) sqlite3_stmt *stmt = NULL;

	return db_prepare(db, "SELECT 1 FROM lock WHERE id = ?", &stmt, NULL) == 0 &&
	       sqlite3_bind_text(stmt, 1, id, -1, SQLITE_STATIC) == SQLITE_OK &&
	       sqlite3_step(stmt) == SQLITE_ROW;
}

int lock_table_blame(const struct bind *bind, const char *lock_id, enum fault_code other,
	const char *other_id, int r, struct fault *ret_fault) {
	if (bind->rc != SQLITE_CONSTRAINT_FOREIGNKEY) {
		return r;
	}
	if (other == FAULT_NONE ||
		(lock_id[0] != '\0' && !is_there(sqlite3_db_handle(bind->stmt), lock_id))) {
		return fault_set(ret_fault, FAULT_NO_SUCH_LOCK, "%s", lock_id);
	}
	return fault_set(ret_fault, other, "%s", other_id);
}

/* id, keys, log_cursor, identity, facts. */
static int read_record(sqlite3_stmt *stmt, const struct store_keys *keys,
	struct lock_record *record, struct fault *ret_fault) {
	struct column column = column_on(stmt);
	char place[SEALED_PLACE_MAX];

	column_text(&column, record->id, sizeof(record->id));
	int r = sealed_read(&column, keys, place_of(record->id, place), &record->keys, ret_fault);
	record->log_cursor = column_number(&column);
	column_text(&column, record->name, sizeof(record->name));
	column_text(&column, record->slug, sizeof(record->slug));
	column_text(&column, record->driver, sizeof(record->driver));
	column_text(&column, record->address, sizeof(record->address));
	record->is_random = column_number(&column) != 0;
	record->client_id = (uint32_t) column_number(&column);
	record->paired_at.s = column_number(&column);
	record->state = (enum lock_state) column_number(&column);
	record->state_at.s = column_number(&column);
	record->battery.level = (enum battery_level) column_number(&column);
	record->battery.percent = (int) column_number(&column);
	record->battery.is_charging = column_number(&column) != 0;
	record->battery_at.s = column_number(&column);
	column_text(&column, record->versions.firmware, sizeof(record->versions.firmware));
	column_text(&column, record->versions.hardware, sizeof(record->versions.hardware));
	column_text(&column, record->versions.serial, sizeof(record->versions.serial));
	column_text(&column, record->versions.model, sizeof(record->versions.model));
	record->config.version = (uint32_t) column_number(&column);
	record->config.has_keypad = column_number(&column) != 0;
	record->config.has_door_sensor = column_number(&column) != 0;
	record->config.is_pairing_enabled = column_number(&column) != 0;
	record->config.is_log_enabled = column_number(&column) != 0;
	record->config.auto_lock_s = (int) column_number(&column);
	column_text(&column, record->config.lock_name, sizeof(record->config.lock_name));
	record->config_at.s = column_number(&column);
	return r;
}

int lock_table_load(sqlite3 *db, const struct store_keys *keys,
	void (*fn)(void *user, const struct lock_record *record, const struct fault *fault),
	void *user, struct fault *ret_fault) {
	AUTO(db_finalize) sqlite3_stmt *stmt = NULL;
	int rc;

	int r = db_prepare(db,
		"SELECT id, keys, log_cursor, " IDENTITY_SQL ", " FACTS_SQL
		" FROM lock ORDER BY number",
		&stmt, ret_fault);
	if (r < 0) {
		return r;
	}
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct lock_record record = { 0 };
		struct fault fault = { 0 };
		int bad = read_record(stmt, keys, &record, &fault);
		fn(user, &record, bad < 0 ? &fault : NULL);
		wipe(&record, sizeof(record));
	}
	return rc == SQLITE_DONE ? 0 : db_fault(db, rc, "loading the locks", ret_fault);
}
