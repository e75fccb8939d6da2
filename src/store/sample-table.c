/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sample-table.h"

#include "core/event.h"

static const struct db_text texts[] = {
	{ offsetof(struct sample_table, add),
		"INSERT INTO sample (lock_id, kind, at, is_time_trusted, value)"
		" SELECT id, ?2, ?3, ?4, ?5 FROM lock WHERE id = ?1" },
};

int sample_table_open(struct sample_table *table, sqlite3 *db, struct fault *ret_fault) {
	*table = (struct sample_table){ 0 };
	return db_prepare_all(db, table, texts, ARRAY_SIZE(texts), ret_fault);
}

void sample_table_close(struct sample_table *table) {
	db_finalize_all(table, texts, ARRAY_SIZE(texts));
}

int sample_table_add(struct sample_table *table, const char *lock_id, const struct sample *sample,
	struct fault *ret_fault) {
	struct bind bind = bind_on(table->add);

	bind_text(&bind, lock_id);
	bind_number(&bind, sample->kind);
	bind_number(&bind, sample->at.s);
	bind_number(&bind, sample->is_time_trusted);
	bind_number(&bind, sample->value);
	return bind_run(&bind, NULL, "recording a sample", ret_fault);
}

int sample_table_load(sqlite3 *db,
	void (*fn)(void *user, const char *lock_id, const struct sample *sample), void *user,
	struct fault *ret_fault) {
	AUTO(db_finalize) sqlite3_stmt *stmt = NULL;
	char lock_id[LOCK_ID_MAX];
	int rc;

	/* By steps through the index: a look at each sample of years would be felt at a start. */
	int r = db_prepare(db,
		"WITH RECURSIVE kinds (kind) AS (SELECT 1 UNION ALL SELECT kind + 1 FROM kinds"
		" WHERE kind < ?1)"
		" SELECT s.lock_id, s.kind, s.at, s.is_time_trusted, s.value"
		" FROM lock, kinds CROSS JOIN sample s ON s.number ="
		" (SELECT max(number) FROM sample WHERE lock_id = lock.id AND kind = kinds.kind)",
		&stmt, ret_fault);
	if (r < 0) {
		return r;
	}
	rc = sqlite3_bind_int64(stmt, 1, SAMPLE_COUNT_ - 1);
	while (rc == SQLITE_OK || rc == SQLITE_ROW) {
		rc = sqlite3_step(stmt);
		if (rc == SQLITE_ROW) {
			struct column column = column_on(stmt);
			struct sample sample;
			column_text(&column, lock_id, sizeof(lock_id));
			sample.kind = (enum sample_kind) column_number(&column);
			sample.at.s = column_number(&column);
			sample.is_time_trusted = column_number(&column) != 0;
			sample.value = (int32_t) column_number(&column);
			fn(user, lock_id, &sample);
		}
	}
	return rc == SQLITE_DONE ? 0 : db_fault(db, rc, "loading the newest samples", ret_fault);
}
