/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/book.h"

#include <errno.h>

#include "core/schedule.h"
#include "mock/fake-zone.h"
#include "test.h"

#define FRONT "aaaaaaaa"
#define BACK "bbbbbbbb"

static const struct fake_zone berlin = FAKE_BERLIN;
static const struct fake_zone utc = FAKE_UTC;

static wall_t at(int year, int month, int day, int hour, int minute, int second) {
	struct civil civil = { year, month, day, hour, minute, second };
	wall_t wall;

	assert_int_equal(wall_from_civil(&civil, &wall), 0);
	return wall;
}

static struct user user_of(unsigned number, const char *name) {
	struct user user = { .number = number, .status = USER_STATUS_OCCUPIED_ENABLED };

	(void) snprintf(user.id, sizeof(user.id), "%08x", number * 2654435761U);
	(void) text_copy(user.name, sizeof(user.name), name);
	text_slug(name, user.slug, sizeof(user.slug));
	return user;
}

static const struct user *add_user(struct book *book, unsigned number, const char *name) {
	struct user user = user_of(number, name);

	assert_int_equal(book_put_user(book, &user), 0);
	return book_user(book, user.id);
}

static void grant(struct book *book, const struct user *user, const char *lock_id) {
	struct access access = { .granted_at = { 1 } };

	memcpy(access.user_id, user->id, sizeof(access.user_id));
	(void) text_copy(access.lock_id, sizeof(access.lock_id), lock_id);
	assert_int_equal(book_put_access(book, &access), 0);
}

static void add_schedules(
	struct book *book, const struct user *user, const char *lock_id, const char *text) {
	static unsigned next = 1;
	struct schedule rows[SCHEDULES_PER_TEXT_MAX];
	int n = schedule_parse(text, rows, NULL);

	assert_true(n > 0);
	for (int i = 0; i < n; i++) {
		(void) snprintf(rows[i].id, sizeof(rows[i].id), "%08x", next++ * 2654435761U);
		memcpy(rows[i].user_id, user->id, sizeof(rows[i].user_id));
		(void) text_copy(rows[i].lock_id, sizeof(rows[i].lock_id), lock_id);
		assert_int_equal(book_put_schedule(book, &rows[i]), 0);
	}
}

static struct credential credential_of(unsigned number, const struct user *user, const char *pin) {
	struct credential credential = { .type = CREDENTIAL_PIN, .state = CREDENTIAL_ACTIVE };

	(void) snprintf(credential.id, sizeof(credential.id), "%08x", number * 40503U);
	memcpy(credential.user_id, user->id, sizeof(credential.user_id));
	assert_int_equal(secret_set_text(&credential.pin, pin), 0);
	return credential;
}

static void add_holiday(struct book *book, const char *lock_id, unsigned index,
	enum operating_mode mode, wall_t from, wall_t until) {
	struct holiday holiday = { .index = index, .mode = mode, .from = from.s, .until = until.s };

	(void) snprintf(holiday.id, sizeof(holiday.id), "%08x", index);
	(void) text_copy(holiday.lock_id, sizeof(holiday.lock_id), lock_id);
	assert_int_equal(book_put_holiday(book, &holiday), 0);
}

/* ---- rows ---- */

static void users_stand_by_number(void **state) {
	AUTO(book_free) struct book *book = book_new();

	(void) state;
	assert_int_equal(book_free_number(book), 1);
	for (unsigned i = 0; i < USERS_MAX; i++) {
		unsigned number = (i * 7 + 3) % USERS_MAX + 1; /* 7 and 500 have no common factor */
		char name[16];

		(void) snprintf(name, sizeof(name), "user %u", number);
		(void) add_user(book, number, name);
	}
	assert_int_equal(book_user_count(book), USERS_MAX);
	assert_int_equal(book_free_number(book), 0);
	for (unsigned i = 0; i < USERS_MAX; i++) {
		assert_int_equal(book_user_at(book, i)->number, i + 1);
	}
	assert_null(book_user_at(book, USERS_MAX));
	struct user more = user_of(USERS_MAX + 1, "more");
	assert_int_equal(book_put_user(book, &more), -ENOSPC);
	/* Acceptance 7: a gap is the lowest free number. */
	book_remove_user(book, book_find_user(book, "user 77")->id);
	assert_int_equal(book_free_number(book), 77);
	assert_int_equal(book_user_at(book, 76)->number, 78);
	assert_int_equal(book_user_count(book), USERS_MAX - 1);
}

static void users_are_found_by_what_people_write(void **state) {
	AUTO(book_free) struct book *book = book_new();
	static const char *const words[] = { "Änne Müller", "änne müller", "ÄNNE MÜLLER",
		"aenne-mueller", "7" };

	(void) state;
	(void) add_user(book, 7, "Änne Müller");
	(void) add_user(book, 8, "Οδυσσέας");
	(void) add_user(book, 9, "Ёлка Żółw");
	(void) add_user(book, 1, "9"); /* its slug goes before another's number */
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		const struct user *user = book_find_user(book, words[i]);

		assert_non_null(user);
		assert_int_equal(user->number, 7);
		assert_ptr_equal(book_find_user(book, user->id), user);
	}
	assert_int_equal(book_find_user(book, "ΟΔυσσέας")->number, 8);
	assert_int_equal(book_find_user(book, "ёЛКА żÓŁW")->number, 9);
	assert_int_equal(book_find_user(book, "9")->number, 1);
	assert_null(book_find_user(book, "Anne Müller"));
	assert_null(book_find_user(book, ""));
	assert_null(book_find_user(book, "07x"));
}

static void rows_are_copies_and_are_replaced(void **state) {
	AUTO(book_free) struct book *book = book_new();
	const struct user *anna = add_user(book, 1, "Anna");
	struct credential credential = credential_of(5, anna, "904117");

	(void) state;
	for (unsigned i = 1; i <= 300; i++) {
		credential = credential_of(i, anna, "904117");
		assert_int_equal(book_put_credential(book, &credential), 0);
	}
	credential = credential_of(150, anna, "118830");
	credential.state = CREDENTIAL_REVOKED;
	assert_int_equal(book_put_credential(book, &credential), 0);
	size_t n = 0;
	while (book_credential_at(book, n) != NULL) {
		assert_int_equal(book_credential_at(book, n)->state == CREDENTIAL_REVOKED,
			strcmp(book_credential_at(book, n)->id, credential.id) == 0);
		n++;
	}
	assert_int_equal(n, 300);
	assert_memory_equal(book_credential(book, credential.id), &credential, sizeof(credential));
	book_remove_credential(book, book_credential(book, credential.id)->id);
	assert_null(book_credential(book, credential.id));
	book_remove_credential(book, credential.id);
	assert_null(book_credential_at(book, 299));
	assert_non_null(book_credential_at(book, 298));
}

static void limits_have_names(void **state) {
	AUTO(book_free) struct book *book = book_new();
	const struct user *anna = add_user(book, 1, "Anna");
	struct schedule schedule = {
		.kind = SCHEDULE_WEEK_DAY, .days = 1, .start_minute = 1, .end_minute = 2
	};
	struct holiday holiday = { .mode = MODE_VACATION, .from = 1, .until = 2 };
	struct credential credential = credential_of(1, anna, "904117");

	(void) state;
	memcpy(schedule.user_id, anna->id, sizeof(schedule.user_id));
	(void) text_copy(holiday.lock_id, sizeof(holiday.lock_id), FRONT);
	for (unsigned i = 0; i <= SCHEDULES_PER_USER_MAX; i++) {
		(void) snprintf(schedule.id, sizeof(schedule.id), "%08x", i);
		(void) snprintf(holiday.id, sizeof(holiday.id), "%08x", i);
		assert_int_equal(book_put_schedule(book, &schedule),
			i < SCHEDULES_PER_USER_MAX ? 0 : -ENOSPC);
		assert_int_equal(
			book_put_holiday(book, &holiday), i < HOLIDAYS_PER_LOCK_MAX ? 0 : -ENOSPC);
	}
	/* What is there may still be changed. */
	(void) snprintf(schedule.id, sizeof(schedule.id), "%08x", 3);
	schedule.days = 2;
	assert_int_equal(book_put_schedule(book, &schedule), 0);
	assert_int_equal(book_schedule(book, schedule.id)->days, 2);
	for (unsigned i = 1; i <= CREDENTIALS_MAX; i++) {
		(void) snprintf(credential.id, sizeof(credential.id), "%08x", i);
		assert_int_equal(book_put_credential(book, &credential), 0);
	}
	(void) snprintf(credential.id, sizeof(credential.id), "%08x", CREDENTIALS_MAX + 1);
	assert_int_equal(book_put_credential(book, &credential), -ENOSPC);
}

/* Acceptance 9, 50: holidays stay. */
static void a_user_takes_its_own_along(void **state) {
	AUTO(book_free) struct book *book = book_new();
	char anna[ROW_ID_MAX];
	char bert[ROW_ID_MAX];
	size_t n;

	(void) state;
	memcpy(anna, add_user(book, 1, "Anna")->id, sizeof(anna));
	memcpy(bert, add_user(book, 2, "Bert")->id, sizeof(bert));
	grant(book, book_user(book, anna), FRONT);
	grant(book, book_user(book, anna), BACK);
	grant(book, book_user(book, bert), FRONT);
	add_schedules(book, book_user(book, anna), "", "daily 22:00-06:00; 2027-03-01");
	add_schedules(book, book_user(book, bert), FRONT, "Mon");
	add_holiday(book, FRONT, 1, MODE_VACATION, (wall_t){ 1 }, (wall_t){ 2 });
	assert_non_null(book_user_schedules(book, anna, &n));
	assert_int_equal(n, 3);
	book_remove_user(book, book_user(book, anna)->id);
	assert_null(book_user(book, anna));
	assert_false(book_has_access(book, anna, FRONT));
	assert_false(book_has_access(book, anna, BACK));
	assert_true(book_has_access(book, bert, FRONT));
	(void) book_user_schedules(book, anna, &n);
	assert_int_equal(n, 0);
	assert_string_equal(book_user_schedules(book, bert, &n)->lock_id, FRONT);
	assert_int_equal(n, 1);
	assert_non_null(book_holiday_at(book, 0));
}

static void a_lock_takes_its_own_along(void **state) {
	AUTO(book_free) struct book *book = book_new();
	const struct user *anna = add_user(book, 1, "Anna");
	struct credential everywhere = credential_of(1, anna, "904117");
	struct credential here = credential_of(2, anna, "904118");
	struct placement placement = { .state = PLACEMENT_PRESENT, .ref = 4 };
	struct slot slots[2] = { { .ref = 4 }, { .ref = 5 } };
	struct lock_rules rules = LOCK_RULES_DEFAULT;
	size_t n;
	wall_t read_at;

	(void) state;
	memcpy(here.lock_id, FRONT, sizeof(here.lock_id));
	assert_int_equal(book_put_credential(book, &everywhere), 0);
	assert_int_equal(book_put_credential(book, &here), 0);
	memcpy(placement.lock_id, FRONT, sizeof(placement.lock_id));
	memcpy(placement.credential_id, everywhere.id, sizeof(placement.credential_id));
	assert_int_equal(book_put_placement(book, &placement), 0);
	memcpy(placement.lock_id, BACK, sizeof(placement.lock_id));
	assert_int_equal(book_put_placement(book, &placement), 0);
	grant(book, anna, FRONT);
	add_schedules(book, anna, FRONT, "Mon");
	add_schedules(book, anna, "", "Tue");
	add_holiday(book, FRONT, 1, MODE_VACATION, (wall_t){ 1 }, (wall_t){ 2 });
	rules.wrong_code_limit = 9;
	assert_int_equal(book_put_rules(book, FRONT, &rules), 0);
	assert_int_equal(book_put_slots(book, FRONT, slots, 2, (wall_t){ 77 }), 0);
	assert_int_equal(book_rules(book, FRONT)->wrong_code_limit, 9);
	assert_int_equal(book_rules(book, BACK)->wrong_code_limit, 5);
	assert_int_equal(book_slots(book, FRONT, &n, &read_at)[1].ref, 5);
	assert_int_equal(n, 2);
	assert_int_equal(read_at.s, 77);

	book_remove_lock(book, FRONT);
	assert_non_null(book_credential(book, everywhere.id));
	assert_null(book_credential(book, here.id));
	assert_null(book_placement(book, FRONT, everywhere.id));
	assert_non_null(book_placement(book, BACK, everywhere.id));
	assert_false(book_has_access(book, anna->id, FRONT));
	assert_int_equal(book_user_schedules(book, anna->id, &n)->days, 1 << 2);
	assert_int_equal(n, 1);
	assert_null(book_holiday_at(book, 0));
	assert_int_equal(book_rules(book, FRONT)->wrong_code_limit, 5);
	assert_null(book_slots(book, FRONT, &n, &read_at));
	assert_int_equal(n, 0);
	assert_int_equal(read_at.s, 0);
}

static void slots_belong_to_what_was_placed(void **state) {
	AUTO(book_free) struct book *book = book_new();
	const struct user *anna = add_user(book, 1, "Anna");
	struct credential pin = credential_of(1, anna, "904117");
	struct credential key = credential_of(2, anna, "");
	struct placement placement = { .state = PLACEMENT_PRESENT, .ref = 12 };
	struct slot *many = calloc(SLOTS_PER_LOCK_MAX + 1, sizeof(*many));

	(void) state;
	key.type = CREDENTIAL_APP_KEY;
	assert_int_equal(book_put_credential(book, &pin), 0);
	assert_int_equal(book_put_credential(book, &key), 0);
	memcpy(placement.lock_id, FRONT, sizeof(placement.lock_id));
	memcpy(placement.credential_id, pin.id, sizeof(placement.credential_id));
	assert_int_equal(book_put_placement(book, &placement), 0);
	memcpy(placement.credential_id, key.id, sizeof(placement.credential_id));
	assert_int_equal(book_put_placement(book, &placement), 0);
#define AT(lock, type, ref) book_credential_of_slot(book, (lock), (type), (ref))
	/* The lock numbers codes and keys apart. */
	assert_string_equal(AT(FRONT, CREDENTIAL_PIN, 12)->id, pin.id);
	assert_string_equal(AT(FRONT, CREDENTIAL_APP_KEY, 12)->id, key.id);
	assert_null(AT(FRONT, CREDENTIAL_RFID, 12));
	assert_null(AT(FRONT, CREDENTIAL_PIN, 13));
	assert_null(AT(BACK, CREDENTIAL_PIN, 12));
	placement.ref = 0;
	assert_int_equal(book_put_placement(book, &placement), 0);
	assert_null(AT(FRONT, CREDENTIAL_APP_KEY, 12));
	assert_null(AT(FRONT, CREDENTIAL_APP_KEY, 0));
#undef AT
	assert_int_equal(
		book_put_slots(book, FRONT, many, SLOTS_PER_LOCK_MAX + 1, (wall_t){ 1 }), -ENOSPC);
	assert_int_equal(book_put_slots(book, FRONT, many, SLOTS_PER_LOCK_MAX, (wall_t){ 1 }), 0);
	assert_int_equal(book_put_slots(book, FRONT, NULL, 0, (wall_t){ 2 }), 0);
	free(many);
}

/* ---- checks ---- */

/* Acceptance 2, 4..6, 12. */
static void users_are_checked(void **state) {
	AUTO(book_free) struct book *book = book_new();
	struct fault fault;
	struct user good = user_of(3, "Cleo");
	struct user bad;

	(void) state;
	(void) add_user(book, 1, "Anna");
	assert_int_equal(book_check_user(book, &good, &fault), 0);
	assert_int_equal(book_check_user(book, book_find_user(book, "anna"), &fault), 0);
#define REFUSED(change, error, fault_code)                                                         \
	do {                                                                                       \
		bad = good;                                                                        \
		change;                                                                            \
		assert_int_equal(book_check_user(book, &bad, &fault), (error));                    \
		assert_int_equal(fault.code, (fault_code));                                        \
	} while (0)
	REFUSED(bad.name[0] = '\0', -EINVAL, FAULT_BAD_ARGUMENT);
	REFUSED(memset(bad.name, 'x', EVENT_USER_MAX), -EINVAL, FAULT_BAD_ARGUMENT);
	REFUSED(strcpy(bad.name, "a\xff"), -EINVAL, FAULT_BAD_ARGUMENT);
	REFUSED(strcpy(bad.name, "a\nb"), -EINVAL, FAULT_BAD_ARGUMENT);
	REFUSED(strcpy(bad.name, " Cleo"), -EINVAL, FAULT_BAD_ARGUMENT);
	REFUSED(strcpy(bad.name, "Cleo "), -EINVAL, FAULT_BAD_ARGUMENT);
	REFUSED(strcpy(bad.name, "ANNA"), -EEXIST, FAULT_NAME_TAKEN);
	REFUSED(strcpy(bad.slug, "anna"), -EEXIST, FAULT_NAME_TAKEN);
	REFUSED(bad.number = 0, -EINVAL, FAULT_BAD_ARGUMENT);
	REFUSED(bad.number = USERS_MAX + 1, -EINVAL, FAULT_BAD_ARGUMENT);
	REFUSED(bad.number = 1, -EEXIST, FAULT_NAME_TAKEN);
	REFUSED(bad.status = USER_STATUS_AVAILABLE, -EINVAL, FAULT_BAD_ARGUMENT);
	REFUSED(bad.status = (enum user_status) 2, -EINVAL, FAULT_BAD_ARGUMENT);
	REFUSED(bad.type = (enum user_type) 10, -EINVAL, FAULT_BAD_ARGUMENT);
	REFUSED(bad.type = USER_EXPIRING, -EINVAL, FAULT_BAD_ARGUMENT);
	REFUSED((bad.type = USER_EXPIRING, bad.expiring_minutes = 2881), -EINVAL,
		FAULT_BAD_ARGUMENT);
#undef REFUSED
	good.type = USER_EXPIRING;
	good.expiring_minutes = 2880;
	assert_int_equal(book_check_user(book, &good, &fault), 0);
	memset(good.name, 'x', EVENT_USER_MAX - 1);
	assert_int_equal(book_check_user(book, &good, &fault), 0);
	/* There is one programming user at most. */
	struct user master = user_of(4, "Master");
	master.type = USER_PROGRAMMING;
	assert_int_equal(book_check_user(book, &master, &fault), 0);
	assert_int_equal(book_put_user(book, &master), 0);
	assert_int_equal(book_check_user(book, &master, &fault), 0);
	good.type = USER_PROGRAMMING;
	assert_int_equal(book_check_user(book, &good, &fault), -EINVAL);
}

/* ---- PINs ---- */

static enum fault_code check_pin(const struct book *book, const char *pin, const char *user_id,
	const char *lock_id, const char *self) {
	struct secret secret;
	struct fault fault = { .code = FAULT_NONE };
	int r;

	assert_int_equal(secret_set_text(&secret, pin), 0);
	r = book_check_pin(book, &secret, user_id, lock_id, self, 6, &fault);
	assert_int_equal(r < 0, fault.code != FAULT_NONE);
	if (strlen(pin) >= 4 && fault.code != FAULT_NONE) {
		assert_null(strstr(fault.detail, pin));
	}
	return fault.code;
}

static void weak_pins_are_told(void **state) {
	AUTO(book_free) struct book *book = book_new();
	static const struct {
		const char *pin, *why;
	} rows[] = { { "111111", "same" }, { "0000000", "same" }, { "123456", "sequence" },
		{ "890123", "sequence" }, { "654321", "sequence" }, { "10987654", "sequence" },
		{ "121212", "again" }, { "739739", "again" }, { "7397397", "again" },
		{ "222228", "nearly" }, { "822222", "nearly" }, { "777444", "nearly" },
		{ "159753", "first" }, { "147258", "first" }, { "010180", "date" }, /* DDMMYY */
		{ "123179", "date" },                                               /* MMDDYY */
		{ "790229", "date" },                                               /* YYMMDD */
		{ "071984", "date" },                                               /* MMYYYY */
		{ "198407", "date" },                                               /* YYYYMM */
		{ "28021984", "date" }, { "12281984", "date" }, { "19840228", "date" },
		{ "12345", "digits" }, { "9041", "6 are the least" }, { "", "6 are the least" } };

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct secret pin;
		struct fault fault = { .code = FAULT_NONE };

		assert_int_equal(secret_set_text(&pin, rows[i].pin), 0);
		assert_int_equal(book_check_pin(book, &pin, "", FRONT, NULL, 6, &fault), -EINVAL);
		assert_int_equal(fault.code, FAULT_WEAK_CODE);
		if (strstr(fault.detail, rows[i].why) == NULL) {
			fail_msg("%s: %s", rows[i].pin, fault.detail);
		}
	}
	static const char *const good[] = { "904117", "618845", "490773", "00591734", "7391734",
		"987651", "35919840", "999990001" };
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(check_pin(book, good[i], "", FRONT, NULL), FAULT_NONE);
	}
	assert_int_equal(check_pin(book, "90411a", "", FRONT, NULL), FAULT_BAD_ARGUMENT);
	assert_int_equal(check_pin(book, "9041171234567", "", FRONT, NULL), FAULT_BAD_ARGUMENT);
	assert_int_equal(check_pin(book, "904 117", "", FRONT, NULL), FAULT_BAD_ARGUMENT);
}

/* So that the hub need not try for long, and a guesser gains little. */
static void few_pins_are_weak(void **state) {
	AUTO(book_free) struct book *book = book_new();
	unsigned n_weak = 0;

	(void) state;
	for (unsigned i = 0; i < 1000000; i++) {
		struct secret pin = { .len = 6 };

		for (unsigned k = 0, rest = i; k < 6; k++, rest /= 10) {
			pin.bytes[5 - k] = (uint8_t) ('0' + rest % 10);
		}
		n_weak += book_check_pin(book, &pin, "", "", NULL, 6, NULL) < 0;
	}
	assert_in_range(n_weak, 80000, 130000);
}

/* Acceptance 15; and the second factor must not be what opens a keypad. */
static void taken_pins_are_refused(void **state) {
	AUTO(book_free) struct book *book = book_new();
	const struct user *anna = add_user(book, 1, "Anna");
	struct user bert = user_of(2, "Bert");
	struct credential credential = credential_of(1, anna, "904117");
	struct slot slots[3] = { { .type = CREDENTIAL_PIN, .ref = 1 },
		{ .type = CREDENTIAL_PIN, .ref = 2 }, { .type = CREDENTIAL_APP_KEY, .ref = 3 } };
	struct placement placement = { .state = PLACEMENT_PRESENT, .ref = 1 };

	(void) state;
	assert_int_equal(secret_set_text(&bert.code, "618845"), 0);
	assert_int_equal(book_put_user(book, &bert), 0);
	anna = book_find_user(book, "anna");
	assert_int_equal(book_put_credential(book, &credential), 0);
	assert_int_equal(check_pin(book, "904117", bert.id, "", NULL), FAULT_CODE_TAKEN);
	assert_int_equal(check_pin(book, "904117", anna->id, "", credential.id), FAULT_NONE);
	credential.state = CREDENTIAL_REVOKED;
	assert_int_equal(book_put_credential(book, &credential), 0);
	assert_int_equal(check_pin(book, "904117", bert.id, "", NULL), FAULT_CODE_TAKEN);
	assert_int_equal(check_pin(book, "618845", anna->id, "", NULL), FAULT_CODE_TAKEN);
	assert_int_equal(check_pin(book, "618845", bert.id, "", bert.id), FAULT_NONE);
	/* One code for two doors, given to each on its own, as code managers do it. */
	memcpy(credential.lock_id, FRONT, sizeof(credential.lock_id));
	assert_int_equal(book_put_credential(book, &credential), 0);
	assert_int_equal(check_pin(book, "904117", anna->id, BACK, NULL), FAULT_NONE);
	assert_int_equal(check_pin(book, "904117", anna->id, FRONT, NULL), FAULT_CODE_TAKEN);
	assert_int_equal(check_pin(book, "904117", anna->id, "", NULL), FAULT_CODE_TAKEN);
	assert_int_equal(check_pin(book, "904117", bert.id, BACK, NULL), FAULT_CODE_TAKEN);
	credential.lock_id[0] = '\0';
	assert_int_equal(book_put_credential(book, &credential), 0);

	/* Foreign codes count where this one would. */
	assert_int_equal(secret_set_text(&slots[0].pin, "904117"), 0);
	assert_int_equal(secret_set_text(&slots[1].pin, "490773"), 0);
	memcpy(placement.lock_id, FRONT, sizeof(placement.lock_id));
	memcpy(placement.credential_id, credential.id, sizeof(placement.credential_id));
	assert_int_equal(book_put_placement(book, &placement), 0);
	assert_int_equal(book_put_slots(book, FRONT, slots, 3, (wall_t){ 1 }), 0);
	assert_int_equal(check_pin(book, "490773", anna->id, FRONT, NULL), FAULT_CODE_TAKEN);
	assert_int_equal(check_pin(book, "490773", anna->id, BACK, NULL), FAULT_NONE);
	assert_int_equal(check_pin(book, "490773", anna->id, "", NULL), FAULT_NONE);
	grant(book, anna, FRONT);
	assert_int_equal(check_pin(book, "490773", anna->id, "", NULL), FAULT_CODE_TAKEN);
	/* Its own slot does not stand in its way. */
	assert_int_equal(check_pin(book, "904117", anna->id, "", credential.id), FAULT_NONE);
}

/* ---- who may ---- */

struct gate {
	struct book *book;
	struct user user;
	const struct zone *zone;
	bool is_remote, is_untrusted;
};

static enum access_decision decide(const struct gate *gate, wall_t now) {
	assert_int_equal(book_put_user(gate->book, &gate->user), 0);
	return book_decide(gate->book, &gate->user, FRONT, gate->is_remote, gate->zone, now,
		!gate->is_untrusted);
}

static struct gate gate_of(struct book *book, enum user_type type) {
	struct gate gate = { .book = book, .user = user_of(1, "Anna"), .zone = &utc.zone };

	gate.user.type = type;
	gate.user.expiring_minutes = 10;
	assert_int_equal(book_put_user(book, &gate.user), 0);
	grant(book, &gate.user, FRONT);
	return gate;
}

/* Acceptance 38, 44, 45, 55, 64..70: every type, with nothing else said. */
static void types_are_a_table(void **state) {
	static const struct {
		enum user_type type;
		enum access_decision local, remote;
	} rows[] = {
		{ USER_UNRESTRICTED, ACCESS_ALLOW, ACCESS_ALLOW },
		{ USER_YEAR_DAY_SCHEDULE, ACCESS_RESTRICTED, ACCESS_RESTRICTED },
		{ USER_WEEK_DAY_SCHEDULE, ACCESS_RESTRICTED, ACCESS_RESTRICTED },
		{ USER_PROGRAMMING, ACCESS_ALLOW, ACCESS_ALLOW },
		{ USER_NON_ACCESS, ACCESS_NON_ACCESS, ACCESS_NON_ACCESS },
		{ USER_FORCED, ACCESS_ALLOW, ACCESS_ALLOW },
		{ USER_DISPOSABLE, ACCESS_ALLOW, ACCESS_ALLOW },
		{ USER_EXPIRING, ACCESS_ALLOW, ACCESS_ALLOW },
		{ USER_SCHEDULE_RESTRICTED, ACCESS_RESTRICTED, ACCESS_RESTRICTED },
		{ USER_REMOTE_ONLY, ACCESS_RESTRICTED, ACCESS_ALLOW },
	};
	wall_t now = at(2026, 11, 23, 12, 0, 0);

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (int untrusted = 0; untrusted < 2; untrusted++) {
			AUTO(book_free) struct book *book = book_new();
			struct gate gate = gate_of(book, rows[i].type);

			gate.is_untrusted = untrusted != 0;
			assert_int_equal(decide(&gate, now), rows[i].local);
			gate.is_remote = true;
			assert_int_equal(decide(&gate, now), rows[i].remote);
			/* Disabled goes before all types, and no access before that. */
			gate.user.status = USER_STATUS_OCCUPIED_DISABLED;
			assert_int_equal(decide(&gate, now), ACCESS_DISABLED);
			book_remove_access(book, gate.user.id, FRONT);
			assert_int_equal(decide(&gate, now), ACCESS_NONE);
		}
	}
}

/* Acceptance 67, 77. */
static void expiring_ends(void **state) {
	AUTO(book_free) struct book *book = book_new();
	struct gate gate = gate_of(book, USER_EXPIRING);
	wall_t first = at(2026, 11, 23, 12, 0, 0);

	(void) state;
	assert_int_equal(decide(&gate, first), ACCESS_ALLOW);
	gate.user.first_used_at = first;
	assert_int_equal(decide(&gate, (wall_t){ first.s + 599 }), ACCESS_ALLOW);
	assert_int_equal(decide(&gate, (wall_t){ first.s + 600 }), ACCESS_DISABLED);
}

/* Acceptance 32, 35, 37..39, 41..46. */
static void schedules_decide(void **state) {
	static const char week[] = "Mon-Fri 08:00-12:00; Mon-Fri 14:00-18:00";
	static const char year[] = "2026-11-24 00:00 - 2026-11-25 09:00";
	static const struct {
		enum user_type type;
		const char *schedules;
		int day, hour, minute, second;
		bool may;
	} rows[] = {
		{ USER_WEEK_DAY_SCHEDULE, week, 23, 8, 0, 0, true },
		{ USER_WEEK_DAY_SCHEDULE, week, 23, 7, 59, 59, false },
		{ USER_WEEK_DAY_SCHEDULE, week, 23, 12, 0, 0, true },
		{ USER_WEEK_DAY_SCHEDULE, week, 23, 12, 0, 1, false },
		{ USER_WEEK_DAY_SCHEDULE, week, 23, 13, 0, 0, false },
		{ USER_WEEK_DAY_SCHEDULE, week, 23, 15, 0, 0, true },
		{ USER_WEEK_DAY_SCHEDULE, week, 28, 9, 0, 0, false },
		{ USER_WEEK_DAY_SCHEDULE, year, 24, 9, 0, 0, false },
		{ USER_YEAR_DAY_SCHEDULE, week, 23, 9, 0, 0, false },
		{ USER_YEAR_DAY_SCHEDULE, year, 24, 0, 0, 0, true },
		{ USER_YEAR_DAY_SCHEDULE, year, 25, 9, 0, 0, true },
		{ USER_YEAR_DAY_SCHEDULE, year, 23, 23, 59, 59, false },
		{ USER_YEAR_DAY_SCHEDULE, year, 25, 9, 0, 1, false },
		{ USER_SCHEDULE_RESTRICTED, week, 23, 9, 0, 0, true },
		{ USER_SCHEDULE_RESTRICTED, week, 23, 13, 0, 0, false },
		{ USER_SCHEDULE_RESTRICTED, year, 24, 13, 0, 0, true },
		{ USER_SCHEDULE_RESTRICTED, year, 26, 13, 0, 0, false },
		{ USER_SCHEDULE_RESTRICTED, "Mon-Fri 08:00-12:00; 2026-11-24", 24, 9, 0, 0, true },
		{ USER_SCHEDULE_RESTRICTED, "Mon-Fri 08:00-12:00; 2026-11-24", 24, 13, 0, 0,
			false },
		{ USER_SCHEDULE_RESTRICTED, "Mon-Fri 08:00-12:00; 2026-11-24", 25, 9, 0, 0, false },
		{ USER_UNRESTRICTED, week, 28, 3, 0, 0, true },
		{ USER_NON_ACCESS, "daily", 23, 9, 0, 0, false },
		{ USER_FORCED, week, 28, 3, 0, 0, true },
	};

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		AUTO(book_free) struct book *book = book_new();
		struct gate gate = gate_of(book, rows[i].type);
		wall_t now =
			at(2026, 11, rows[i].day, rows[i].hour, rows[i].minute, rows[i].second);

		add_schedules(book, &gate.user, i % 2 == 0 ? "" : FRONT, rows[i].schedules);
		assert_int_equal(decide(&gate, now) == ACCESS_ALLOW, rows[i].may);
		gate.is_remote = true;
		assert_int_equal(decide(&gate, now) == ACCESS_ALLOW, rows[i].may);
		gate.is_untrusted = true;
		assert_int_equal(decide(&gate, now) == ACCESS_ALLOW,
			rows[i].type == USER_UNRESTRICTED || rows[i].type == USER_FORCED);
	}
}

/* A window at another lock opens nothing here. */
static void schedules_of_other_locks_do_not_count(void **state) {
	AUTO(book_free) struct book *book = book_new();
	struct gate gate = gate_of(book, USER_SCHEDULE_RESTRICTED);
	wall_t now = at(2026, 11, 23, 12, 0, 0);

	(void) state;
	add_schedules(book, &gate.user, BACK, "daily");
	assert_int_equal(decide(&gate, now), ACCESS_RESTRICTED);
	add_schedules(book, &gate.user, FRONT, "Mon");
	assert_int_equal(decide(&gate, now), ACCESS_ALLOW);
}

/* Acceptance 47..49, 57, 70. */
static void modes_are_a_table(void **state) {
	static const struct {
		enum operating_mode mode;
		bool keypad, master, remote;
	} rows[] = {
		{ MODE_NORMAL, true, true, true },
		{ MODE_VACATION, false, true, true },
		{ MODE_PRIVACY, false, false, false },
		{ MODE_NO_REMOTE_LOCK_UNLOCK, true, true, false },
		{ MODE_PASSAGE, true, true, true },
	};
	wall_t now = at(2026, 11, 23, 12, 0, 0);

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (int by_holiday = 0; by_holiday < 2; by_holiday++) {
			AUTO(book_free) struct book *book = book_new();
			struct gate gate = gate_of(book, USER_UNRESTRICTED);
			struct lock_rules rules = LOCK_RULES_DEFAULT;

			if (by_holiday != 0) {
				add_holiday(book, FRONT, 1, rows[i].mode, now,
					(wall_t){ now.s + 3600 });
			} else {
				rules.mode = rows[i].mode;
				assert_int_equal(book_put_rules(book, FRONT, &rules), 0);
			}
			assert_int_equal(
				decide(&gate, now), rows[i].keypad ? ACCESS_ALLOW : ACCESS_MODE);
			gate.is_remote = true;
			assert_int_equal(
				decide(&gate, now), rows[i].remote ? ACCESS_ALLOW : ACCESS_MODE);
			gate.is_remote = false;
			gate.user.type = USER_PROGRAMMING;
			assert_int_equal(
				decide(&gate, now), rows[i].master ? ACCESS_ALLOW : ACCESS_MODE);
		}
	}
}

static void holidays_come_and_go(void **state) {
	AUTO(book_free) struct book *book = book_new();
	struct lock_rules rules = LOCK_RULES_DEFAULT;
	wall_t from = at(2026, 12, 24, 0, 0, 0); /* on the wall */
	wall_t until = at(2026, 12, 26, 23, 59, 59);

	(void) state;
#define MODE(lock, s, trusted) book_mode(book, (lock), &berlin.zone, (wall_t){ s }, (trusted))
	rules.mode = MODE_NO_REMOTE_LOCK_UNLOCK;
	assert_int_equal(book_put_rules(book, FRONT, &rules), 0);
	add_holiday(book, FRONT, 2, MODE_VACATION, from, until);
	/* The wall is an hour ahead of UTC. Both ends count. */
	assert_int_equal(MODE(FRONT, from.s - 3601, true), MODE_NO_REMOTE_LOCK_UNLOCK);
	assert_int_equal(MODE(FRONT, from.s - 3600, true), MODE_VACATION);
	assert_int_equal(MODE(FRONT, until.s - 3600, true), MODE_VACATION);
	assert_int_equal(MODE(FRONT, until.s - 3599, true), MODE_NO_REMOTE_LOCK_UNLOCK);
	/* Never on a clock that may be wrong, and never at another lock. */
	assert_int_equal(MODE(FRONT, from.s, false), MODE_NO_REMOTE_LOCK_UNLOCK);
	assert_int_equal(MODE(BACK, from.s, true), MODE_NORMAL);
	/* The lower index wins, whichever was made first. */
	add_holiday(book, FRONT, 3, MODE_PRIVACY, from, until);
	assert_int_equal(MODE(FRONT, from.s, true), MODE_VACATION);
	add_holiday(book, FRONT, 1, MODE_PASSAGE, from, (wall_t){ from.s + 7200 });
	assert_int_equal(MODE(FRONT, from.s, true), MODE_PASSAGE);
	assert_int_equal(MODE(FRONT, from.s + 3601, true), MODE_VACATION);
	book_remove_holiday(book, "00000002");
	assert_int_equal(MODE(FRONT, from.s + 3601, true), MODE_PRIVACY);
#undef MODE
}

/* ---- a year ---- */

/*
 * Every quarter of an hour of a year, over both changes of DST and one of the zone, with the hub's
 * clock cranked by hand: what book_decide() says is compared with the wall clock and the calendar
 * of the zone, told apart from all code above by counting days from a known Monday.
 */
static bool is_open_on_the_wall(int64_t local) {
	int64_t monday = 1782691200; /* 2026-06-29, on the wall */
	int64_t s = local - monday;
	int64_t day = s >= 0 ? s / 86400 : -((86399 - s) / 86400);
	int64_t weekday = ((day % 7) + 7) % 7; /* 0 Monday */
	int64_t of_day = s - day * 86400;
	bool is_week = (weekday <= 4 && of_day >= 8 * 3600 && of_day <= 12 * 3600) ||
		       (weekday == 4 && of_day >= 22 * 3600) ||
		       (weekday == 5 && of_day <= 6 * 3600) ||
		       (weekday == 6 && of_day >= 9000 && of_day <= 10800); /* 02:30 to 03:00 */
	bool is_year =
		local >= 1767225600 && local <= 1790812800; /* 2026-01-01 to 2026-10-01 00:00 */
	bool is_second = local >= 1791331200 && local <= 1830297599; /* 2026-10-07 to 2027-12-31 */

	return is_week && (is_year || is_second);
}

static void a_year_of_schedules(void **state) {
	static const struct fake_zone new_york = { .zone = { .name = "Test/New_York",
							   .offset = fake_zone_offset },
		.first = -18000,
		.changes = { { 1772953200, -14400 }, { 1793512800, -18000 }, { 1805007600, -14400 },
			{ 1825567200, -18000 } } };
	AUTO(book_free) struct book *book = book_new();
	struct gate gate = gate_of(book, USER_SCHEDULE_RESTRICTED);
	wall_t moved = at(2026, 8, 15, 0, 0, 0);
	wall_t end = at(2027, 5, 1, 0, 0, 0);
	unsigned n_open = 0;
	unsigned n_edges = 0;
	bool was_open = false;

	(void) state;
	add_schedules(book, &gate.user, FRONT,
		"Mon-Fri 08:00-12:00; Fri 22:00-06:00; Sun 02:30-03:00;"
		"2026-01-01 00:00 - 2026-10-01 00:00; 2026-10-07 00:00 - 2027-12-31 23:59:59");
	for (wall_t now = at(2026, 2, 1, 0, 0, 0); now.s < end.s; now.s += 900) {
		/* The house moves over the sea in August and back in the next year. */
		bool is_abroad = now.s >= moved.s && now.s < at(2027, 2, 1, 0, 0, 0).s;
		bool is_open;

		gate.zone = is_abroad ? &new_york.zone : &berlin.zone;
		for (int64_t s = now.s; s <= now.s + 1; s++) {
			is_open = decide(&gate, (wall_t){ s }) == ACCESS_ALLOW;
			if (is_open != is_open_on_the_wall(zone_local(gate.zone, (wall_t){ s }))) {
				fail_msg("at %lld", (long long) s);
			}
		}
		is_open = decide(&gate, now) == ACCESS_ALLOW;
		n_open += is_open;
		n_edges += is_open != was_open;
		was_open = is_open;
		/* While the clock may be wrong nothing is open. */
		gate.is_untrusted = true;
		assert_int_equal(decide(&gate, now), ACCESS_RESTRICTED);
		gate.is_untrusted = false;
	}
	/* 65 weeks of seven windows, more or less. */
	assert_in_range(n_open, 7000, 8600);
	assert_in_range(n_edges, 800, 950);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(users_stand_by_number),
		cmocka_unit_test(users_are_found_by_what_people_write),
		cmocka_unit_test(rows_are_copies_and_are_replaced),
		cmocka_unit_test(limits_have_names),
		cmocka_unit_test(a_user_takes_its_own_along),
		cmocka_unit_test(a_lock_takes_its_own_along),
		cmocka_unit_test(slots_belong_to_what_was_placed),
		cmocka_unit_test(users_are_checked),
		cmocka_unit_test(weak_pins_are_told),
		cmocka_unit_test(few_pins_are_weak),
		cmocka_unit_test(taken_pins_are_refused),
		cmocka_unit_test(types_are_a_table),
		cmocka_unit_test(expiring_ends),
		cmocka_unit_test(schedules_decide),
		cmocka_unit_test(schedules_of_other_locks_do_not_count),
		cmocka_unit_test(modes_are_a_table),
		cmocka_unit_test(holidays_come_and_go),
		cmocka_unit_test(a_year_of_schedules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
