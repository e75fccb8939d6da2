/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "note-table.h"

#include "lock-table.h"

static const struct db_text texts[] = {
	{ offsetof(struct note_table, put),
		"INSERT INTO note (lock_id, key, text, at) VALUES (nullif(?1, ''), ?2, ?3, ?4)"
		" ON CONFLICT (ifnull(lock_id, ''), key) DO UPDATE SET text = ?3, at = ?4" },
	{ offsetof(struct note_table, remove),
		"DELETE FROM note WHERE ifnull(lock_id, '') = ?1 AND key = ?2" },
	{ offsetof(struct note_table, count),
		"SELECT count(*) FROM note WHERE ifnull(lock_id, '') = ?1 AND key <> ?2" },
};

int note_table_open(struct note_table *table, sqlite3 *db, struct fault *ret_fault) {
	*table = (struct note_table){ 0 };
	int r = db_prepare_all(db, table, texts, ARRAY_SIZE(texts), ret_fault);
	if (r < 0) {
		note_table_close(table);
	}
	return r;
}

void note_table_close(struct note_table *table) {
	db_finalize_all(table, texts, ARRAY_SIZE(texts));
}

static int count_others(
	struct note_table *table, const struct note *note, int64_t *ret, struct fault *ret_fault) {
	struct bind bind = bind_on(table->count);
	int r = 0;

	bind_text(&bind, note->lock_id);
	bind_text(&bind, note->key);
	int rc = bind.rc == SQLITE_OK ? sqlite3_step(table->count) : bind.rc;
	if (rc == SQLITE_ROW) {
		*ret = sqlite3_column_int64(table->count, 0);
	} else {
		r = db_fault(sqlite3_db_handle(table->count), rc, "counting notes", ret_fault);
	}
	(void) sqlite3_reset(table->count);
	return r;
}

int note_table_put(struct note_table *table, const struct note *note, struct fault *ret_fault) {
	struct bind bind = bind_on(note->text[0] == '\0' ? table->remove : table->put);
	int64_t n = 0;

	bind_text(&bind, note->lock_id);
	bind_text(&bind, note->key);
	if (note->text[0] == '\0') {
		return bind_run(&bind, NULL, "forgetting a note", ret_fault);
	}
	int r = count_others(table, note, &n, ret_fault);
	if (r < 0) {
		return r;
	}
	if (n >= NOTES_MAX) {
		return fault_set(
			ret_fault, FAULT_LIST_FULL, "%d notes are kept already", NOTES_MAX);
	}
	bind_text(&bind, note->text);
	bind_number(&bind, note->at.s);
	r = bind_run(&bind, NULL, "recording a note", ret_fault);
	return r < 0 ? lock_table_blame(&bind, note->lock_id, FAULT_NO_SUCH_LOCK, note->lock_id, r,
			       ret_fault)
		     : 0;
}
