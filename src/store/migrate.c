/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "migrate.h"

#include <stdio.h>

#include "util/text.h"

int migrate_look(sqlite3 *db, size_t n_known, size_t *ret_version, struct fault *ret_fault) {
	int64_t version = 0;
	int64_t application = 0;
	int64_t n_objects = 0;

	int r = db_number(db, "PRAGMA user_version", &version, ret_fault);
	if (r == 0) {
		r = db_number(db, "PRAGMA application_id", &application, ret_fault);
	}
	if (r == 0) {
		r = db_number(db, "SELECT count(*) FROM sqlite_schema", &n_objects, ret_fault);
	}
	if (r < 0) {
		return r;
	}
	if (n_objects == 0 && version == 0 && application == 0) {
		*ret_version = 0;
		return 0;
	}
	if (application != DB_APPLICATION_ID || version <= 0) {
		return fault_set(ret_fault, FAULT_DATABASE_OPEN,
			"it is a database of another program (application id %lld)",
			(long long) application);
	}
	if ((uint64_t) version > n_known) {
		return fault_set(ret_fault, FAULT_DATABASE_NEWER,
			"its version is %lld, this lockhub knows up to %zu", (long long) version,
			n_known);
	}
	*ret_version = (size_t) version;
	return 0;
}

static int run_one(
	sqlite3 *db, const struct migration *migration, size_t version, struct fault *ret_fault) {
	char sql[64];
	char why[96];
	struct fault fault;

	int r = db_exec(db, "BEGIN IMMEDIATE", &fault);
	if (r == 0) {
		r = db_exec(db, migration->sql, &fault);
	}
	if (r == 0) {
		snprintf(sql, sizeof(sql), "PRAGMA user_version = %zu", version);
		r = db_exec(db, sql, &fault);
	}
	if (r == 0) {
		r = db_exec(db, "COMMIT", &fault);
	}
	if (r < 0) {
		/* The rollback is a success, and would be what is said then. */
		(void) text_copy(why, sizeof(why), sqlite3_errmsg(db));
		if (!sqlite3_get_autocommit(db)) {
			(void) db_exec(db, "ROLLBACK", NULL);
		}
		/* The text of a whole migration is no detail for a person. */
		return fault_set_errno(ret_fault, fault.code, fault.cause,
			"migration %s failed: %s", migration->name, why);
	}
	return 0;
}

int migrate_run(sqlite3 *db, const struct migration *migrations, size_t n, size_t version,
	struct fault *ret_fault) {
	for (size_t i = version; i < n; i++) {
		int r = run_one(db, &migrations[i], i + 1, ret_fault);
		if (r < 0) {
			return r;
		}
	}
	return 0;
}
