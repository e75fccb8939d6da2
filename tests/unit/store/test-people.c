/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The book's tables: rows come back whole, go with what they belong to, and keep their secrets. */

#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_MAX 8
#define LOCK_A "aaaaaaaa"
#define LOCK_B "bbbbbbbb"
#define ANNA "a0000001"
#define BERT "b0000002"

/* Everything that a start visits, one after the other. */
struct loaded {
	struct user users[ROWS_MAX];
	struct fault user_faults[ROWS_MAX];
	size_t n_users;
	struct credential credentials[ROWS_MAX];
	struct fault credential_faults[ROWS_MAX];
	size_t n_credentials;
	struct access access[ROWS_MAX];
	size_t n_access;
	struct schedule schedules[ROWS_MAX];
	size_t n_schedules;
	struct holiday holidays[ROWS_MAX];
	size_t n_holidays;
	struct placement placements[ROWS_MAX];
	size_t n_placements;
	struct {
		char lock_id[LOCK_ID_MAX];
		struct slot slots[ROWS_MAX];
		size_t n;
		wall_t at;
		struct fault fault;
	} lists[ROWS_MAX];
	size_t n_lists;
	struct {
		char lock_id[LOCK_ID_MAX];
		struct lock_rules rules;
	} rules[ROWS_MAX];
	size_t n_rules;
	size_t n_slots; /* in all lists, also those not kept here */
	char order[64]; /* first letters of what was visited */
};

static void visited(struct loaded *loaded, char what) {
	size_t n = strlen(loaded->order);

	if ((n == 0 || loaded->order[n - 1] != what) && n + 1 < sizeof(loaded->order)) {
		loaded->order[n] = what;
	}
}

static void take_user(void *user, const struct user *row, const struct fault *fault) {
	struct loaded *loaded = user;

	assert_true(loaded->n_users < ROWS_MAX);
	if (fault != NULL) {
		loaded->user_faults[loaded->n_users] = *fault;
	}
	loaded->users[loaded->n_users++] = *row;
	visited(loaded, 'u');
}

static void take_credential(void *user, const struct credential *row, const struct fault *fault) {
	struct loaded *loaded = user;

	assert_true(loaded->n_credentials < ROWS_MAX);
	if (fault != NULL) {
		loaded->credential_faults[loaded->n_credentials] = *fault;
	}
	loaded->credentials[loaded->n_credentials++] = *row;
	visited(loaded, 'c');
}

static void take_access(void *user, const struct access *row) {
	struct loaded *loaded = user;

	assert_true(loaded->n_access < ROWS_MAX);
	loaded->access[loaded->n_access++] = *row;
	visited(loaded, 'a');
}

static void take_schedule(void *user, const struct schedule *row) {
	struct loaded *loaded = user;

	assert_true(loaded->n_schedules < ROWS_MAX);
	loaded->schedules[loaded->n_schedules++] = *row;
	visited(loaded, 's');
}

static void take_holiday(void *user, const struct holiday *row) {
	struct loaded *loaded = user;

	assert_true(loaded->n_holidays < ROWS_MAX);
	loaded->holidays[loaded->n_holidays++] = *row;
	visited(loaded, 'h');
}

static void take_placement(void *user, const struct placement *row) {
	struct loaded *loaded = user;

	assert_true(loaded->n_placements < ROWS_MAX);
	loaded->placements[loaded->n_placements++] = *row;
	visited(loaded, 'p');
}

static void take_slots(void *user, const char *lock_id, const struct slot *slots, size_t n,
	wall_t at, const struct fault *fault) {
	struct loaded *loaded = user;

	assert_true(loaded->n_lists < ROWS_MAX);
	strcpy(loaded->lists[loaded->n_lists].lock_id, lock_id);
	for (size_t i = 0; i < n && i < ROWS_MAX; i++) {
		loaded->lists[loaded->n_lists].slots[i] = slots[i];
	}
	loaded->lists[loaded->n_lists].n = n;
	loaded->lists[loaded->n_lists].at = at;
	if (fault != NULL) {
		loaded->lists[loaded->n_lists].fault = *fault;
	}
	loaded->n_lists++;
	loaded->n_slots += n;
	visited(loaded, 'm');
}

static void take_rules(void *user, const char *lock_id, const struct lock_rules *rules) {
	struct loaded *loaded = user;

	assert_true(loaded->n_rules < ROWS_MAX);
	strcpy(loaded->rules[loaded->n_rules].lock_id, lock_id);
	loaded->rules[loaded->n_rules++].rules = *rules;
	visited(loaded, 'r');
}

static struct loaded loaded;

static void load(struct rig *rig) {
	static const struct store_visitor visitor = {
		.user = take_user,
		.credential = take_credential,
		.access = take_access,
		.schedule = take_schedule,
		.rules = take_rules,
		.holiday = take_holiday,
		.slots = take_slots,
		.placement = take_placement,
	};

	memset(&loaded, 0, sizeof(loaded));
	assert_int_equal(store_load(rig->store, &visitor, &loaded, NULL), 0);
}

static struct txn_item *add(struct txn *txn, enum txn_kind kind) {
	struct txn_item *item = txn_add(txn, kind);

	assert_non_null(item);
	return item;
}

static struct user *add_user(struct txn *txn, const char *id, unsigned number) {
	struct user *row = &add(txn, TXN_USER_PUT)->user;

	strcpy(row->id, id);
	row->number = number;
	snprintf(row->name, sizeof(row->name), "Jürgen %u", number);
	snprintf(row->slug, sizeof(row->slug), "juergen-%u", number);
	row->type = USER_EXPIRING;
	row->status = USER_STATUS_OCCUPIED_DISABLED;
	row->expiring_minutes = 2880;
	row->first_used_at.s = 1800000001;
	row->created_at.s = 1800000000;
	strcpy(row->created_by, "uid 1000 (anna)");
	strcpy(row->modified_by, "mqtt");
	assert_int_equal(secret_set_text(&row->code, "9137048265"), 0);
	assert_int_equal(secret_set(&row->totp, "planted\0totp key....", 20), 0);
	row->totp_step = 60000000;
	return row;
}

static struct credential *add_credential(
	struct txn *txn, const char *id, const char *user_id, const char *lock_id) {
	struct credential *row = &add(txn, TXN_CREDENTIAL_PUT)->credential;

	strcpy(row->id, id);
	strcpy(row->user_id, user_id);
	strcpy(row->lock_id, lock_id);
	row->type = CREDENTIAL_PIN;
	row->state = CREDENTIAL_REVOKED;
	assert_int_equal(secret_set_text(&row->pin, "481516234207"), 0);
	strcpy(row->label, "garden gate");
	row->is_once = true;
	row->valid_until.s = INT64_C(5000000000);
	row->is_expired = true;
	row->created_at.s = 1800000002;
	strcpy(row->created_by, "uid 0 (root)");
	row->pin_set_at.s = 1800000009;
	return row;
}

static void add_access(struct txn *txn, const char *user_id, const char *lock_id) {
	struct access *row = &add(txn, TXN_ACCESS_PUT)->access;

	strcpy(row->user_id, user_id);
	strcpy(row->lock_id, lock_id);
	row->granted_at.s = 1800000003;
	strcpy(row->granted_by, "mqtt");
}

static struct schedule *add_schedule(
	struct txn *txn, const char *id, const char *user_id, const char *lock_id) {
	struct schedule *row = &add(txn, TXN_SCHEDULE_PUT)->schedule;

	strcpy(row->id, id);
	strcpy(row->user_id, user_id);
	strcpy(row->lock_id, lock_id);
	row->kind = SCHEDULE_WEEK_DAY;
	row->days = DAYS_ALL;
	row->start_minute = 0;
	row->end_minute = 1439;
	return row;
}

static void add_holiday(struct txn *txn, const char *id, const char *lock_id) {
	struct holiday *row = &add(txn, TXN_HOLIDAY_PUT)->holiday;

	strcpy(row->id, id);
	strcpy(row->lock_id, lock_id);
	row->index = 3;
	row->from = 1800000000;
	row->until = 1800086399;
	row->mode = MODE_NO_REMOTE_LOCK_UNLOCK;
}

static struct placement *add_placement(
	struct txn *txn, const char *lock_id, const char *credential_id) {
	struct placement *row = &add(txn, TXN_PLACEMENT_PUT)->placement;

	strcpy(row->lock_id, lock_id);
	strcpy(row->credential_id, credential_id);
	row->ref = INT64_MAX;
	row->state = PLACEMENT_REFUSED;
	row->fault = FAULT_LOCK_SILENT;
	row->n_tries = 7;
	row->since.s = 1800000004;
	row->confirmed_at.s = 1800000005;
	return row;
}

static void add_list(struct txn *txn, const char *lock_id, int64_t at) {
	struct txn_item *item = add(txn, TXN_SLOTS_CLEAR);

	strcpy(item->slots.lock_id, lock_id);
	item->slots.at.s = at;
}

static struct slot *add_slot(struct txn *txn, const char *lock_id, int64_t ref) {
	struct txn_item *item = add(txn, TXN_SLOT_PUT);
	struct slot *row = &item->slots.slot;

	strcpy(item->slots.lock_id, lock_id);
	row->type = CREDENTIAL_APP_KEY;
	row->ref = ref;
	strcpy(row->name, "Küche");
	row->is_enabled = true;
	row->is_own = true;
	row->is_remote_allowed = true;
	assert_int_equal(secret_set_text(&row->pin, "271828182845"), 0);
	row->is_limited = true;
	row->window = (struct slot_window){ { 1 }, { 2 }, 0x55, 60, 120 };
	row->created_at.s = 1800000006;
	row->last_used_at.s = 1800000007;
	row->n_uses = 4000000000;
	return row;
}

static struct lock_rules *add_rules(struct txn *txn, const char *lock_id) {
	struct txn_item *item = add(txn, TXN_RULES_PUT);

	strcpy(item->rules.lock_id, lock_id);
	strcpy(item->rules.rules.zone, "America/Argentina/ComodRivadavia");
	item->rules.rules.factor = FACTOR_BOTH;
	item->rules.rules.mode = MODE_PASSAGE;
	item->rules.rules.wrong_code_limit = 255;
	item->rules.rules.code_disable_s = 1;
	item->rules.rules.open_period_minutes = 30;
	return &item->rules.rules;
}

/* Two of each, for two users and two locks. */
static void add_house(struct txn *txn) {
	static const char *const users[] = { ANNA, BERT };
	static const char *const locks[] = { LOCK_A, LOCK_B };
	char id[ROW_ID_MAX];

	rig_add_lock(txn, TXN_LOCK_PUT, LOCK_A, "front-door");
	rig_add_lock(txn, TXN_LOCK_PUT, LOCK_B, "back-door");
	for (unsigned i = 0; i < 2; i++) {
		add_user(txn, users[i], i + 1);
		for (unsigned k = 0; k < 2; k++) {
			add_access(txn, users[i], locks[k]);
		}
		snprintf(id, sizeof(id), "c%07u", i);
		add_credential(txn, id, users[i], "");
		add_placement(txn, LOCK_A, id);
		add_placement(txn, LOCK_B, id);
		snprintf(id, sizeof(id), "d%07u", i);
		add_credential(txn, id, users[i], locks[i]);
		snprintf(id, sizeof(id), "e%07u", i);
		add_schedule(txn, id, users[i], "");
		snprintf(id, sizeof(id), "f%07u", i);
		add_schedule(txn, id, users[i], locks[i]);
		snprintf(id, sizeof(id), "1%07u", i);
		add_holiday(txn, id, locks[i]);
		add_list(txn, locks[i], 1800000008 + i);
		add_slot(txn, locks[i], i);
		add_slot(txn, locks[i], INT64_MIN);
		add_rules(txn, locks[i]);
		rig_add_event(txn, locks[i], 0);
	}
}

static void make_house(struct rig *rig) {
	struct waiting waiting;
	struct txn *txn = rig_txn(&waiting);

	rig_open(rig);
	add_house(txn);
	assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_NONE);
}

static void check_rows(const struct txn *txn) {
	size_t n[TXN_RULES_PUT + 1] = { 0 };
	size_t list = 0;
	struct txn_item *item;

	list_for_each(item, &txn->items, link) {
		size_t i = n[item->kind]++;
		switch ((int) item->kind) {
		case TXN_USER_PUT:
			assert_memory_equal(&loaded.users[i], &item->user, sizeof(item->user));
			break;
		case TXN_CREDENTIAL_PUT:
			assert_memory_equal(&loaded.credentials[i], &item->credential,
				sizeof(item->credential));
			break;
		case TXN_ACCESS_PUT:
			assert_memory_equal(&loaded.access[i], &item->access, sizeof(item->access));
			break;
		case TXN_SCHEDULE_PUT:
			assert_memory_equal(
				&loaded.schedules[i], &item->schedule, sizeof(item->schedule));
			break;
		case TXN_HOLIDAY_PUT:
			assert_memory_equal(
				&loaded.holidays[i], &item->holiday, sizeof(item->holiday));
			break;
		case TXN_SLOTS_CLEAR:
			list = i;
			assert_string_equal(loaded.lists[i].lock_id, item->slots.lock_id);
			assert_int_equal(loaded.lists[i].at.s, item->slots.at.s);
			break;
		case TXN_SLOT_PUT:
			assert_memory_equal(&loaded.lists[list].slots[i % 2], &item->slots.slot,
				sizeof(item->slots.slot));
			break;
		case TXN_RULES_PUT:
			assert_string_equal(loaded.rules[i].lock_id, item->rules.lock_id);
			assert_memory_equal(&loaded.rules[i].rules, &item->rules.rules,
				sizeof(item->rules.rules));
			break;
		default:
			break;
		}
	}
}

static void rows_come_back_whole(void **state) {
	struct rig *rig = *state;
	struct txn *expected = txn_new(NULL, NULL);

	make_house(rig);
	rig_close(rig);
	rig_open(rig);
	load(rig);
	add_house(expected);
	check_rows(expected);
	(void) txn_free(expected);
	assert_int_equal(loaded.n_users, 2);
	assert_int_equal(loaded.n_credentials, 4);
	assert_int_equal(loaded.n_access, 4);
	assert_int_equal(loaded.n_schedules, 4);
	assert_int_equal(loaded.n_holidays, 2);
	assert_int_equal(loaded.n_placements, 4);
	assert_int_equal(loaded.n_lists, 2);
	assert_int_equal(loaded.n_slots, 4);
	assert_int_equal(loaded.n_rules, 2);
	/* By lock and credential. */
	assert_string_equal(loaded.placements[1].lock_id, LOCK_A);
	assert_string_equal(loaded.placements[1].credential_id, "c0000001");
	assert_int_equal(loaded.placements[1].ref, INT64_MAX);
	assert_int_equal(loaded.placements[1].state, PLACEMENT_REFUSED);
	assert_int_equal(loaded.placements[1].fault, FAULT_LOCK_SILENT);
	assert_int_equal(loaded.placements[1].n_tries, 7);
	assert_int_equal(loaded.placements[1].since.s, 1800000004);
	assert_int_equal(loaded.placements[1].confirmed_at.s, 1800000005);
	/* Whoever is referred to comes first. */
	assert_string_equal(loaded.order, "ucasrhmp");
}

static void put_again_replaces(void **state) {
	struct rig *rig = *state;
	struct waiting waiting;

	make_house(rig);
	struct txn *txn = rig_txn(&waiting);
	struct user *user = add_user(txn, ANNA, 77);
	user->code.len = 0;
	wipe(user->code.bytes, sizeof(user->code.bytes));
	user->totp_step = 3;
	struct credential *credential = add_credential(txn, "c0000000", BERT, LOCK_B);
	assert_int_equal(secret_set_text(&credential->pin, "1"), 0);
	add_access(txn, ANNA, LOCK_A);
	struct schedule *schedule = add_schedule(txn, "e0000000", BERT, LOCK_A);
	schedule->kind = SCHEDULE_YEAR_DAY;
	schedule->days = 0;
	schedule->end_minute = 0;
	schedule->from = -5;
	schedule->until = INT64_C(5000000000);
	add_holiday(txn, "10000000", LOCK_B);
	struct placement *placement = add_placement(txn, LOCK_A, "c0000000");
	placement->state = PLACEMENT_PRESENT;
	placement->fault = FAULT_NONE;
	add_list(txn, LOCK_A, 1900000000);
	add_slot(txn, LOCK_A, 5);
	add_rules(txn, LOCK_A)->factor = FACTOR_NONE;
	assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_NONE);
	load(rig);
	assert_int_equal(loaded.n_users, 2);
	assert_int_equal(loaded.users[1].number, 77); /* by number */
	assert_int_equal(loaded.users[1].code.len, 0);
	assert_int_equal(loaded.users[1].totp.len, 20);
	assert_int_equal(loaded.users[1].totp_step, 3);
	assert_int_equal(loaded.user_faults[1].code, FAULT_NONE);
	assert_int_equal(loaded.n_credentials, 4);
	assert_string_equal(loaded.credentials[0].user_id, BERT);
	assert_string_equal(loaded.credentials[0].lock_id, LOCK_B);
	assert_int_equal(loaded.credentials[0].pin.len, 1);
	assert_int_equal(loaded.n_access, 4);
	assert_int_equal(loaded.n_schedules, 4);
	assert_string_equal(loaded.schedules[0].lock_id, LOCK_A);
	assert_int_equal(loaded.schedules[0].kind, SCHEDULE_YEAR_DAY);
	assert_int_equal(loaded.schedules[0].from, -5);
	assert_int_equal(loaded.schedules[0].until, INT64_C(5000000000));
	assert_string_equal(loaded.holidays[0].lock_id, LOCK_B);
	assert_int_equal(loaded.n_placements, 4);
	assert_int_equal(loaded.placements[0].state, PLACEMENT_PRESENT);
	assert_int_equal(loaded.lists[0].n, 1);
	assert_int_equal(loaded.lists[0].slots[0].ref, 5);
	assert_int_equal(loaded.lists[0].at.s, 1900000000);
	assert_int_equal(loaded.lists[1].n, 2);
	assert_int_equal(loaded.rules[0].rules.factor, FACTOR_NONE);
	assert_int_equal(loaded.rules[1].rules.factor, FACTOR_BOTH);
}

static void rows_are_removed_alone(void **state) {
	struct rig *rig = *state;
	struct waiting waiting;

	make_house(rig);
	/* The second time nothing is there any more, and nothing happens. */
	for (int i = 0; i < 2; i++) {
		struct txn *txn = rig_txn(&waiting);
		strcpy(add(txn, TXN_SCHEDULE_REMOVE)->row, "e0000000");
		strcpy(add(txn, TXN_HOLIDAY_REMOVE)->row, "10000001");
		struct access *access = &add(txn, TXN_ACCESS_REMOVE)->access;
		strcpy(access->user_id, BERT);
		strcpy(access->lock_id, LOCK_A);
		struct placement *placement = &add(txn, TXN_PLACEMENT_REMOVE)->placement;
		strcpy(placement->lock_id, LOCK_B);
		strcpy(placement->credential_id, "c0000000");
		add_list(txn, LOCK_B, 0);
		assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_NONE);
		load(rig);
		assert_int_equal(loaded.n_users, 2);
		assert_int_equal(loaded.n_credentials, 4);
		assert_int_equal(loaded.n_schedules, 3);
		assert_string_equal(loaded.schedules[0].id, "f0000000");
		assert_int_equal(loaded.n_holidays, 1);
		assert_string_equal(loaded.holidays[0].id, "10000000");
		assert_int_equal(loaded.n_access, 3);
		assert_string_equal(loaded.access[2].lock_id, LOCK_B);
		assert_int_equal(loaded.n_placements, 3);
		assert_int_equal(loaded.lists[0].n, 2);
		assert_int_equal(loaded.lists[1].n, 0);
	}
}

static void a_user_takes_along_what_is_his(void **state) {
	struct rig *rig = *state;
	struct waiting waiting;

	make_house(rig);
	struct txn *txn = rig_txn(&waiting);
	strcpy(add(txn, TXN_USER_REMOVE)->row, ANNA);
	assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_NONE);
	load(rig);
	assert_int_equal(loaded.n_users, 1);
	assert_string_equal(loaded.users[0].id, BERT);
	assert_int_equal(loaded.n_access, 2);
	assert_string_equal(loaded.access[0].user_id, BERT);
	assert_int_equal(loaded.n_schedules, 2);
	assert_string_equal(loaded.schedules[0].user_id, BERT);
	/* Codes go when the locks have confirmed it. */
	assert_int_equal(loaded.n_credentials, 4);
	assert_int_equal(loaded.n_placements, 4);
	assert_int_equal(rig_check(rig), FAULT_NONE);

	txn = rig_txn(&waiting);
	strcpy(add(txn, TXN_CREDENTIAL_REMOVE)->row, "c0000000");
	assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_NONE);
	load(rig);
	assert_int_equal(loaded.n_credentials, 3);
	assert_int_equal(loaded.n_placements, 2);
	assert_string_equal(loaded.placements[0].credential_id, "c0000001");
}

static void a_lock_takes_along_what_is_its(void **state) {
	struct rig *rig = *state;
	struct waiting waiting;
	const struct log_query of_lock = { .lock_id = LOCK_A };
	size_t n;

	make_house(rig);
	struct txn *txn = rig_txn(&waiting);
	rig_add_lock(txn, TXN_LOCK_REMOVE, LOCK_A, "front-door");
	assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_NONE);
	load(rig);
	assert_int_equal(loaded.n_users, 2);
	assert_int_equal(loaded.n_access, 2);
	assert_string_equal(loaded.access[0].lock_id, LOCK_B);
	assert_string_equal(loaded.access[1].lock_id, LOCK_B);
	/* Those that count everywhere stay. */
	assert_int_equal(loaded.n_schedules, 3);
	assert_int_equal(loaded.n_credentials, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_string_not_equal(loaded.schedules[i].lock_id, LOCK_A);
		assert_string_not_equal(loaded.credentials[i].lock_id, LOCK_A);
	}
	assert_int_equal(loaded.n_holidays, 1);
	assert_string_equal(loaded.holidays[0].lock_id, LOCK_B);
	assert_int_equal(loaded.n_placements, 2);
	assert_int_equal(loaded.n_lists, 1);
	assert_int_equal(loaded.n_slots, 2);
	assert_string_equal(loaded.lists[0].lock_id, LOCK_B);
	assert_int_equal(loaded.n_rules, 1);
	assert_string_equal(loaded.rules[0].lock_id, LOCK_B);
	struct event *events = rig_query(rig, &of_lock, &n);
	assert_int_equal(n, 1);
	free(events);
	assert_int_equal(rig_check(rig), FAULT_NONE);
}

/* Each in a txn of its own, beside one that must not suffer from it. */
static void broken_rules_are_told(void **state) {
	struct rig *rig = *state;

	make_house(rig);
	for (int i = 0; i < 14; i++) {
		enum fault_code expected = FAULT_INTERNAL;
		const char *about = "";
		struct waiting bad;
		struct waiting good;
		struct txn *txn = rig_txn(&bad);
		switch (i) {
		case 0:
			strcpy(add_user(txn, "30000003", 3)->slug, "juergen-1");
			expected = FAULT_NAME_TAKEN;
			about = "juergen-1";
			break;
		case 1:
			strcpy(add_user(txn, "30000003", 2)->slug, "juergen-3");
			expected = FAULT_NAME_TAKEN;
			about = "number 2";
			break;
		case 2:
			add_access(txn, ANNA, "ffffffff");
			expected = FAULT_NO_SUCH_LOCK;
			about = "ffffffff";
			break;
		case 3:
			add_access(txn, "30000003", LOCK_A);
			expected = FAULT_NO_SUCH_USER;
			about = "30000003";
			break;
		case 4:
			add_schedule(txn, "e0000003", "30000003", "");
			expected = FAULT_NO_SUCH_USER;
			break;
		case 5:
			add_schedule(txn, "e0000003", ANNA, "ffffffff");
			expected = FAULT_NO_SUCH_LOCK;
			break;
		case 6:
			add_holiday(txn, "10000003", "ffffffff");
			expected = FAULT_NO_SUCH_LOCK;
			break;
		case 7:
			add_placement(txn, LOCK_A, "ffffffff");
			expected = FAULT_NO_SUCH_CODE;
			about = "ffffffff";
			break;
		case 8:
			add_list(txn, "ffffffff", 1);
			expected = FAULT_NO_SUCH_LOCK;
			break;
		case 9:
			add_slot(txn, "ffffffff", 1);
			expected = FAULT_NO_SUCH_LOCK;
			break;
		case 10:
			add_rules(txn, "ffffffff");
			expected = FAULT_NO_SUCH_LOCK;
			break;
		case 11:
			add_credential(txn, "c0000003", ANNA, "ffffffff");
			expected = FAULT_NO_SUCH_LOCK;
			break;
		case 12:
			add_schedule(txn, "e0000003", ANNA, "")->days = 0;
			break;
		case 13:
			add_rules(txn, LOCK_A)->wrong_code_limit = 0;
			break;
		}
		rig_commit(rig, txn);
		txn = rig_txn(&good);
		rig_add_event(txn, LOCK_A, 0);
		rig_commit(rig, txn);
		rig_await(rig, &bad);
		rig_await(rig, &good);
		if (bad.fault.code != expected || strstr(bad.fault.detail, about) == NULL) {
			fail_msg(
				"case %d: %s, %s", i, fault_name(bad.fault.code), bad.fault.detail);
		}
		assert_int_equal(good.fault.code, FAULT_NONE);
	}
	load(rig);
	assert_int_equal(loaded.n_users, 2);
	assert_int_equal(loaded.n_schedules, 4);
	assert_int_equal(loaded.n_placements, 4);
	assert_int_equal(loaded.rules[0].rules.wrong_code_limit, 255);
}

static bool holds(const char *path, const void *needle, size_t n_needle) {
	size_t n;
	uint8_t *bytes = rig_slurp(path, &n);

	if (bytes == NULL) {
		return false;
	}
	bool is_there = memmem(bytes, n, needle, n_needle) != NULL;
	free(bytes);
	return is_there;
}

static bool is_anywhere(struct rig *rig, const void *needle, size_t n_needle) {
	char wal[128];

	snprintf(wal, sizeof(wal), "%s-wal", rig->path);
	return holds(rig->path, needle, n_needle) || holds(wal, needle, n_needle);
}

/* The next commit comes after the WAL was cut: the files lie still then. */
static void settle(struct rig *rig) {
	(void) rig_record(rig, LOCK_A, 0);
}

static void secrets_are_sealed(void **state) {
	struct rig *rig = *state;
	static const char *const planted[] = { "9137048265", "planted", "481516234207",
		"271828182845" };

	make_house(rig);
	settle(rig);
	for (int round = 0; round < 2; round++) {
		assert_true(is_anywhere(rig, "garden gate", 11));
		for (size_t i = 0; i < ARRAY_SIZE(planted); i++) {
			assert_false(is_anywhere(rig, planted[i], strlen(planted[i])));
		}
		rig_close(rig);
	}
}

/* A secret that was moved to another row, column or slot is not one. */
static void secrets_are_bound_to_their_place(void **state) {
	struct rig *rig = *state;

	make_house(rig);
	rig_close(rig);
	rig_tamper(rig->path,
		"UPDATE user SET totp = code, code = totp WHERE id = '" ANNA "';"
		"UPDATE credential SET pin = (SELECT pin FROM credential WHERE id = 'c0000001')"
		" WHERE id = 'c0000000';"
		"UPDATE slot SET ref = 99 WHERE lock_id = '" LOCK_B "' AND ref = 1;");
	rig_open(rig);
	load(rig);
	assert_int_equal(loaded.n_users, 2);
	assert_int_equal(loaded.user_faults[0].code, FAULT_DATABASE_CORRUPT);
	assert_int_equal(loaded.users[0].code.len, 0);
	assert_int_equal(loaded.users[0].totp.len, 0);
	assert_string_equal(loaded.users[0].slug, "juergen-1");
	assert_int_equal(loaded.user_faults[1].code, FAULT_NONE);
	assert_int_equal(loaded.users[1].totp.len, 20);
	assert_int_equal(loaded.credential_faults[0].code, FAULT_DATABASE_CORRUPT);
	assert_int_equal(loaded.credentials[0].pin.len, 0);
	assert_string_equal(loaded.credentials[0].label, "garden gate");
	assert_int_equal(loaded.credential_faults[2].code, FAULT_NONE);
	assert_int_equal(loaded.credentials[2].pin.len, 12);
	assert_int_equal(loaded.lists[0].fault.code, FAULT_NONE);
	assert_int_equal(loaded.lists[1].fault.code, FAULT_DATABASE_CORRUPT);
	assert_int_equal(loaded.lists[1].slots[0].pin.len, 0);
	assert_int_equal(loaded.lists[1].slots[1].pin.len, 12);
}

static size_t read_blob(struct rig *rig, const char *sql, uint8_t out[static 128]) {
	sqlite3 *db;
	sqlite3_stmt *stmt;

	assert_int_equal(sqlite3_open_v2(rig->path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	size_t n = (size_t) sqlite3_column_bytes(stmt, 0);
	assert_true(n > 40 && n <= 128);
	memcpy(out, sqlite3_column_blob(stmt, 0), n);
	assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	return n;
}

/* Not even what is sealed stays behind when it was removed or replaced (D10). */
static void removed_secrets_leave_no_trace(void **state) {
	static const struct {
		const char *sql;
		enum txn_kind kind;
	} cases[] = {
		{ "SELECT pin FROM credential WHERE id = 'c0000000'", TXN_CREDENTIAL_REMOVE },
		{ "SELECT pin FROM credential WHERE id = 'c0000000'", TXN_CREDENTIAL_PUT },
		{ "SELECT code FROM user WHERE id = '" ANNA "'", TXN_USER_REMOVE },
		{ "SELECT totp FROM user WHERE id = '" ANNA "'", TXN_USER_PUT },
		{ "SELECT pin FROM slot WHERE lock_id = '" LOCK_A "'", TXN_SLOTS_CLEAR },
		{ "SELECT pin FROM slot WHERE lock_id = '" LOCK_A "'", TXN_LOCK_REMOVE },
		{ "SELECT pin FROM credential WHERE id = 'd0000000'", TXN_LOCK_REMOVE },
	};
	(void) state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rig rig;
		struct waiting waiting;
		uint8_t sealed[128];
		rig_init(&rig);
		make_house(&rig);
		settle(&rig);
		size_t n = read_blob(&rig, cases[i].sql, sealed);
		assert_true(is_anywhere(&rig, sealed, n));
		struct txn *txn = rig_txn(&waiting);
		if (cases[i].kind == TXN_CREDENTIAL_PUT) {
			add_credential(txn, "c0000000", ANNA, "");
		} else if (cases[i].kind == TXN_USER_PUT) {
			add_user(txn, ANNA, 1);
		} else if (cases[i].kind == TXN_SLOTS_CLEAR) {
			add_list(txn, LOCK_A, 1);
		} else if (cases[i].kind == TXN_LOCK_REMOVE) {
			rig_add_lock(txn, TXN_LOCK_REMOVE, LOCK_A, "front-door");
		} else {
			strcpy(add(txn, cases[i].kind)->row,
				cases[i].kind == TXN_USER_REMOVE ? ANNA : "c0000000");
		}
		assert_int_equal(rig_commit_wait(&rig, txn, &waiting), FAULT_NONE);
		settle(&rig);
		if (is_anywhere(&rig, sealed, n)) {
			fail_msg("case %zu left something", i);
		}
		rig_finish(&rig);
	}
}

static void lists_are_as_long_as_they_may_be(void **state) {
	struct rig *rig = *state;
	struct waiting waiting;

	make_house(rig);
	struct txn *txn = rig_txn(&waiting);
	add_list(txn, LOCK_A, 9);
	for (int i = 0; i < SLOTS_PER_LOCK_MAX; i++) {
		add_slot(txn, LOCK_A, i);
	}
	assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_NONE);
	load(rig);
	assert_int_equal(loaded.lists[0].n, SLOTS_PER_LOCK_MAX);
	assert_int_equal(loaded.lists[0].fault.code, FAULT_NONE);
	assert_int_equal(loaded.lists[0].slots[7].ref, 7);
	txn = rig_txn(&waiting);
	add_slot(txn, LOCK_A, SLOTS_PER_LOCK_MAX);
	assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_NONE);
	/* The house is served all the same. */
	load(rig);
	assert_int_equal(loaded.lists[0].n, SLOTS_PER_LOCK_MAX);
	assert_int_equal(loaded.lists[0].fault.code, FAULT_DATABASE_CORRUPT);
	assert_int_equal(loaded.lists[1].n, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		TEST(rows_come_back_whole),
		TEST(put_again_replaces),
		TEST(rows_are_removed_alone),
		TEST(a_user_takes_along_what_is_his),
		TEST(a_lock_takes_along_what_is_its),
		TEST(broken_rules_are_told),
		TEST(secrets_are_sealed),
		TEST(secrets_are_bound_to_their_place),
		cmocka_unit_test(removed_secrets_leave_no_trace),
		TEST(lists_are_as_long_as_they_may_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
