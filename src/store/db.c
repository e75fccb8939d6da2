/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "db.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "util/text.h"

/* Longest text or blob that is ever written is a sealed key; rows from outside may not be huge. */
#define LENGTH_MAX (64 * 1024)
/* Much of it is the page cache: KiB, by connection. The hub is to fit into 12 MiB. */
#define CACHE_SQL "PRAGMA cache_size = -256;"

static int set_flag(sqlite3 *db, int flag, int value) {
	return sqlite3_db_config(db, flag, value, NULL);
}

/* Nothing in here touches the file but to read it. */
static int set_up(sqlite3 *db, enum db_mode mode, const char *path, struct fault *ret_fault) {
	static const struct {
		int flag;
		int value;
	} flags[] = {
		{ SQLITE_DBCONFIG_DEFENSIVE, 1 },
		{ SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0 },
		{ SQLITE_DBCONFIG_ENABLE_FKEY, 1 },
		{ SQLITE_DBCONFIG_DQS_DDL, 0 },
		{ SQLITE_DBCONFIG_DQS_DML, 0 },
		{ SQLITE_DBCONFIG_ENABLE_VIEW, 0 },
		{ SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		int rc = set_flag(db, flags[i].flag, flags[i].value);
		if (rc != SQLITE_OK) {
			return db_fault(db, rc, path, ret_fault);
		}
	}
	(void) sqlite3_extended_result_codes(db, 1);
	(void) sqlite3_busy_timeout(db, DB_BUSY_MS);
	(void) sqlite3_limit(db, SQLITE_LIMIT_LENGTH, LENGTH_MAX);
	(void) sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
	return db_exec(db,
		mode == DB_READ ? CACHE_SQL "PRAGMA mmap_size = 0;"
					    "PRAGMA temp_store = MEMORY;"
					    "PRAGMA cell_size_check = ON;"
					    "PRAGMA query_only = ON;"
				: CACHE_SQL "PRAGMA mmap_size = 0;"
					    "PRAGMA temp_store = MEMORY;"
					    "PRAGMA cell_size_check = ON;"
					    "PRAGMA synchronous = FULL;"
					    "PRAGMA secure_delete = ON;",
		ret_fault);
}

int db_open(const char *path, enum db_mode mode, sqlite3 **ret, struct fault *ret_fault) {
	AUTO(db_close) sqlite3 *db = NULL;
	int flags = mode == DB_READ ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;

	int rc = sqlite3_open_v2(path, &db,
		flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE,
		NULL);
	if (db == NULL || rc == SQLITE_NOMEM) {
		return fault_set(ret_fault, FAULT_NO_MEMORY, "opening %s", path);
	}
	if (rc != SQLITE_OK) {
		return fault_set_errno(ret_fault, FAULT_DATABASE_OPEN, -sqlite3_system_errno(db),
			"%s: %s", path, sqlite3_errmsg(db));
	}
	int r = set_up(db, mode, path, ret_fault);
	if (r < 0) {
		return r;
	}
	*ret = STEAL(db);
	return 0;
}

sqlite3 *db_close(sqlite3 *db) {
	if (db != NULL) {
		int rc = sqlite3_close(db);
		/* BUSY: a statement was forgotten. */
		assert(rc == SQLITE_OK);
		(void) rc;
	}
	return NULL;
}

static enum fault_code fault_of(int rc, int system_errno) {
	switch (rc & 0xff) {
	case SQLITE_FULL:
		return FAULT_DATABASE_FULL;
	case SQLITE_IOERR:
		/* A write that fails so is FULL; an fsync that fails so is not. */
		return system_errno == ENOSPC || system_errno == EDQUOT ? FAULT_DATABASE_FULL
		       : rc == SQLITE_IOERR_NOMEM                       ? FAULT_NO_MEMORY
									: FAULT_DATABASE_IO;
	case SQLITE_PERM:
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
	case SQLITE_PROTOCOL:
	case SQLITE_NOLFS:
		return FAULT_DATABASE_IO;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_FORMAT:
		return FAULT_DATABASE_CORRUPT;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return FAULT_DATABASE_IN_USE;
	case SQLITE_NOMEM:
		return FAULT_NO_MEMORY;
	case SQLITE_INTERRUPT:
		return FAULT_CANCELLED;
	default:
		return FAULT_INTERNAL;
	}
}

int db_fault(sqlite3 *db, int rc, const char *what, struct fault *ret_fault) {
	/*
	 * Not every call leaves its error in the handle (sqlite3_backup_step() never does), and a
	 * ROLLBACK takes it away: then what the handle says is about something else.
	 */
	bool is_of_handle = (sqlite3_errcode(db) & 0xff) == (rc & 0xff);
	int system_errno = is_of_handle ? sqlite3_system_errno(db) : 0;
	enum fault_code code = fault_of(rc, system_errno);

	if ((code == FAULT_DATABASE_IO || code == FAULT_DATABASE_FULL) && system_errno > 0) {
		return fault_set_errno(ret_fault, code, -system_errno, "%s", what);
	}
	return fault_set(ret_fault, code, "%s: %s", what,
		is_of_handle ? sqlite3_errmsg(db) : sqlite3_errstr(rc));
}

bool db_is_trouble(enum fault_code code) {
	return code == FAULT_DATABASE_FULL || code == FAULT_DATABASE_IO ||
	       code == FAULT_DATABASE_CORRUPT || code == FAULT_DATABASE_OPEN ||
	       code == FAULT_NO_MEMORY;
}

int db_exec(sqlite3 *db, const char *sql, struct fault *ret_fault) {
	int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : db_fault(db, rc, sql, ret_fault);
}

int db_number(sqlite3 *db, const char *sql, int64_t *ret, struct fault *ret_fault) {
	AUTO(db_finalize) sqlite3_stmt *stmt = NULL;

	int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
	if (rc == SQLITE_OK) {
		rc = sqlite3_step(stmt);
	}
	if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
		return db_fault(db, rc, sql, ret_fault);
	}
	*ret = rc == SQLITE_ROW ? sqlite3_column_int64(stmt, 0) : 0;
	return 0;
}

int db_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret, struct fault *ret_fault) {
	int rc = sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, ret, NULL);

	return rc == SQLITE_OK ? 0 : db_fault(db, rc, sql, ret_fault);
}

sqlite3_stmt *db_finalize(sqlite3_stmt *stmt) {
	(void) sqlite3_finalize(stmt);
	return NULL;
}

static sqlite3_stmt **stmt_at(void *object, const struct db_text *text) {
	return (sqlite3_stmt **) (void *) ((char *) object + text->offset);
}

int db_prepare_all(
	sqlite3 *db, void *object, const struct db_text *texts, size_t n, struct fault *ret_fault) {
	for (size_t i = 0; i < n; i++) {
		int r = db_prepare(db, texts[i].sql, stmt_at(object, &texts[i]), ret_fault);
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

void db_finalize_all(void *object, const struct db_text *texts, size_t n) {
	for (size_t i = 0; i < n; i++) {
		sqlite3_stmt **stmt = stmt_at(object, &texts[i]);
		*stmt = db_finalize(*stmt);
	}
}

static void stick(struct bind *bind, int rc) {
	if (bind->rc == SQLITE_OK) {
		bind->rc = rc;
	}
}

void bind_number(struct bind *bind, int64_t value) {
	stick(bind, sqlite3_bind_int64(bind->stmt, ++bind->at, value));
}

void bind_text(struct bind *bind, const char *text) {
	stick(bind, sqlite3_bind_text(bind->stmt, ++bind->at, text, -1, SQLITE_STATIC));
}

void bind_blob(struct bind *bind, const void *data, size_t n) {
	stick(bind, sqlite3_bind_blob(bind->stmt, ++bind->at, data, (int) n, SQLITE_STATIC));
}

int bind_run(struct bind *bind, int *ret_changes, const char *what, struct fault *ret_fault) {
	sqlite3 *db = sqlite3_db_handle(bind->stmt);
	int r = 0;

	assert(bind->at == sqlite3_bind_parameter_count(bind->stmt));
	if (bind->rc == SQLITE_OK) {
		bind->rc = sqlite3_step(bind->stmt);
	}
	if (bind->rc != SQLITE_DONE) {
		r = db_fault(db, bind->rc, what, ret_fault);
	} else if (ret_changes != NULL) {
		*ret_changes = sqlite3_changes(db);
	}
	(void) sqlite3_reset(bind->stmt);
	(void) sqlite3_clear_bindings(bind->stmt);
	return r;
}

int64_t column_number(struct column *column) {
	return sqlite3_column_int64(column->stmt, column->at++);
}

void column_text(struct column *column, char *out, size_t size) {
	(void) text_copy(out, size, column_borrow_text(column));
}

const char *column_borrow_text(struct column *column) {
	const unsigned char *text = sqlite3_column_text(column->stmt, column->at++);

	return text != NULL ? (const char *) text : "";
}

const void *column_borrow_blob(struct column *column, size_t *ret_n) {
	const void *data = sqlite3_column_blob(column->stmt, column->at);

	*ret_n = data != NULL ? (size_t) sqlite3_column_bytes(column->stmt, column->at) : 0;
	column->at++;
	return data != NULL ? data : "";
}
