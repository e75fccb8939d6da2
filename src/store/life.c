/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "life.h"

#include "util/text.h"

int life_last(sqlite3 *db, const char *boot_id, struct life *ret, struct fault *ret_fault) {
	AUTO(db_finalize) sqlite3_stmt *stmt = NULL;

	int r = db_prepare(db,
		"SELECT number, is_clean, boot_id FROM life ORDER BY number DESC LIMIT 1", &stmt,
		ret_fault);
	if (r < 0) {
		return r;
	}
	int rc = sqlite3_step(stmt);
	if (rc == SQLITE_DONE) {
		*ret = (struct life){ .is_clean = true };
		return 0;
	}
	if (rc != SQLITE_ROW) {
		return db_fault(db, rc, "reading the last life", ret_fault);
	}
	struct column column = column_on(stmt);
	ret->number = column_number(&column);
	ret->is_clean = column_number(&column) != 0;
	ret->is_same_boot = boot_id != NULL && boot_id[0] != '\0' &&
			    text_equal(boot_id, column_borrow_text(&column));
	return 0;
}

static int run(sqlite3 *db, const char *sql, int64_t number, const char *boot_id,
	struct fault *ret_fault) {
	AUTO(db_finalize) sqlite3_stmt *stmt = NULL;

	int r = db_prepare(db, sql, &stmt, ret_fault);
	if (r < 0) {
		return r;
	}
	struct bind bind = bind_on(stmt);
	bind_number(&bind, number);
	if (boot_id != NULL) {
		bind_text(&bind, boot_id);
		bind_text(&bind, LOCKHUB_VERSION);
	}
	return bind_run(&bind, NULL, "recording the life", ret_fault);
}

int life_begin(sqlite3 *db, const char *boot_id, int64_t *ret_number, struct fault *ret_fault) {
	int64_t last = 0;
	int64_t used = 0;

	int r = db_number(db, "SELECT max(number) FROM life", &last, ret_fault);
	if (r == 0) {
		/* A daemon that is restarted every other second must not fill the table. */
		r = db_number(
			db, "SELECT life FROM event ORDER BY seq DESC LIMIT 1", &used, ret_fault);
	}
	if (r < 0) {
		return r;
	}
	int64_t number = last > used ? last : last + 1;
	r = run(db,
		"INSERT INTO life (number, boot_id, version, is_clean) VALUES (?1, ?2, ?3, 0)"
		" ON CONFLICT (number) DO UPDATE SET boot_id = ?2, version = ?3, is_clean = 0",
		number, boot_id != NULL ? boot_id : "", ret_fault);
	if (r == 0) {
		*ret_number = number;
	}
	return r;
}

int life_end(sqlite3 *db, int64_t number, struct fault *ret_fault) {
	return run(db, "UPDATE life SET is_clean = 1 WHERE number = ?", number, NULL, ret_fault);
}
