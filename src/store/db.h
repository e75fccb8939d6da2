/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * SQLite as this room uses it: connections set up alike, faults instead of result codes, a sticky
 * binder. A connection belongs to one thread at a time.
 */

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/auto.h"
#include "util/fault.h"

#define DB_APPLICATION_ID 1281911618 /* "LhkB"; also in migrations/0001 */

/*
 * Of new files. An event touches about seven pages, each of which goes to the card twice: with 2
 * KiB that is 40 % less than with 4 KiB, and long walks are no slower yet.
 */
#define DB_PAGE_SIZE 2048
/* An outsider (sqlite3 in a shell) may hold a lock for a moment. */
#define DB_BUSY_MS 5000

enum db_mode {
	DB_READ,  /* log queries, verify, backup source */
	DB_WRITE, /* the file exists already, perhaps with nothing in it */
};

/*
 * Opens, sets limits and guards; does not write to the file. @what in faults: "PATH: ...".
 * DATABASE_OPEN, DATABASE_CORRUPT, DATABASE_IO, NO_MEMORY.
 */
int db_open(const char *path, enum db_mode mode, sqlite3 **ret, struct fault *ret_fault);
sqlite3 *db_close(sqlite3 *db); /* takes NULL, returns NULL; all statements must be gone */
AUTO_DEFINE(sqlite3 *, db_close);

/* What went wrong last on @db, as a fault; @rc is what the call returned. Returns its errno. */
int db_fault(sqlite3 *db, int rc, const char *what, struct fault *ret_fault);
/* Faults that say nothing about the txn but about the disk or the file: reopen after them. */
bool db_is_trouble(enum fault_code code);

int db_exec(sqlite3 *db, const char *sql, struct fault *ret_fault);
/* One number from one row; 0 when there is no row. */
int db_number(sqlite3 *db, const char *sql, int64_t *ret, struct fault *ret_fault);

int db_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret, struct fault *ret_fault);
sqlite3_stmt *db_finalize(sqlite3_stmt *stmt); /* takes NULL, returns NULL */
AUTO_DEFINE(sqlite3_stmt *, db_finalize);

/* A statement and its text, for tables of statements that are prepared in one go. */
struct db_text {
	size_t offset; /* of the sqlite3_stmt * in the object */
	const char *sql;
};
int db_prepare_all(
	sqlite3 *db, void *object, const struct db_text *texts, size_t n, struct fault *ret_fault);
void db_finalize_all(void *object, const struct db_text *texts, size_t n);

/*
 * Binds parameters in order; the first failure sticks. Text and blobs are borrowed until the
 * statement was run.
 */
struct bind {
	sqlite3_stmt *stmt;
	int at;
	int rc;
};
static inline struct bind bind_on(sqlite3_stmt *stmt) {
	return (struct bind){ .stmt = stmt };
}
void bind_number(struct bind *bind, int64_t value);
void bind_text(struct bind *bind, const char *text);
void bind_blob(struct bind *bind, const void *data, size_t n);
/* Runs a statement that gives no rows and resets it. *ret_changes: rows touched; may be NULL. */
int bind_run(struct bind *bind, int *ret_changes, const char *what, struct fault *ret_fault);

/* Columns in order. */
struct column {
	sqlite3_stmt *stmt;
	int at;
};
static inline struct column column_on(sqlite3_stmt *stmt) {
	return (struct column){ .stmt = stmt };
}
int64_t column_number(struct column *column);
/* Cut when it does not fit: a foreign hand may have written it. */
void column_text(struct column *column, char *out, size_t size);
/* Borrowed until the next step; never NULL. */
const char *column_borrow_text(struct column *column);
const void *column_borrow_blob(struct column *column, size_t *ret_n);
