/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "day-table.h"

static const struct db_text texts[] = {
	/* WHERE also keeps ON CONFLICT from being read as part of a join. */
	{ offsetof(struct day_table, add),
		"INSERT INTO day_count (lock_id, day, key, value)"
		" SELECT id, ?2, ?3, ?4 FROM lock WHERE id = ?1"
		" ON CONFLICT (lock_id, day, key) DO UPDATE SET value = value + excluded.value" },
};

int day_table_open(struct day_table *table, sqlite3 *db, struct fault *ret_fault) {
	*table = (struct day_table){ 0 };
	return db_prepare_all(db, table, texts, ARRAY_SIZE(texts), ret_fault);
}

void day_table_close(struct day_table *table) {
	db_finalize_all(table, texts, ARRAY_SIZE(texts));
}

int day_table_add(struct day_table *table, const char *lock_id, const struct lock_day *day,
	struct fault *ret_fault) {
	for (size_t key = 0; key < DAY_COUNT_; key++) {
		struct bind bind = bind_on(table->add);
		if (day->counts[key] == 0) {
			continue;
		}
		bind_text(&bind, lock_id);
		bind_number(&bind, day->day);
		bind_text(&bind, day_key_name((enum day_key) key));
		bind_number(&bind, day->counts[key]);
		int r = bind_run(&bind, NULL, "recording what was counted", ret_fault);
		if (r < 0) {
			return r;
		}
	}
	return 0;
}
