/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Sorted arrays: what is asked often (a user, a credential, a placement by their ids) is a binary
 * search, and a house has too few of everything else for it to matter.
 */

#include "core/book.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/schedule.h"
#include "util/text.h"

#define ACCESSES_MAX 20000
#define SCHEDULES_MAX 8000
#define HOLIDAYS_MAX 2000
#define PLACEMENTS_MAX 50000
#define PAGES_MAX 2000

/* Rows of one kind, in the order of their keys: the texts at these two offsets (often the same). */
struct table {
	size_t size, most, first, second;
	uint8_t *rows;
	size_t n, room;
};

/* What the book knows of one lock. */
struct page {
	char lock_id[LOCK_ID_MAX];
	bool has_rules;
	struct lock_rules rules;
	struct slot *slots;
	size_t n_slots;
	wall_t read_at;
};

struct book {
	struct table users;
	uint16_t by_number[USERS_MAX]; /* places in users */
	struct table credentials;
	struct table accesses;
	struct table schedules; /* by user, so that one user's are neighbours */
	struct table holidays;
	struct table placements;
	struct table pages;
};

/* ---- tables ---- */

static uint8_t *row_at(const struct table *table, size_t i) {
	return table->rows + i * table->size;
}

static int compare(const struct table *table, size_t i, const char *first, const char *second) {
	const char *row = (const char *) row_at(table, i);
	int order = strcmp(row + table->first, first);

	return order != 0 ? order : strcmp(row + table->second, second);
}

/* Where the row is, or where it would have to stand. */
static bool find(const struct table *table, const char *first, const char *second, size_t *ret_at) {
	size_t low = 0;
	size_t high = table->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare(table, middle, first, second);

		if (order == 0) {
			*ret_at = middle;
			return true;
		}
		if (order < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	*ret_at = low;
	return false;
}

static const void *get(const struct table *table, const char *first, const char *second) {
	size_t at;

	return find(table, first, second, &at) ? row_at(table, at) : NULL;
}

static const void *at_index(const struct table *table, size_t i) {
	return i < table->n ? row_at(table, i) : NULL;
}

/* Not realloc(): that would leave the secrets behind in what it frees. */
static int grow(struct table *table) {
	size_t room = table->room == 0 ? 8 : table->room * 2;
	uint8_t *rows;

	if (table->n < table->room) {
		return 0;
	}
	rows = calloc(room, table->size);
	if (rows == NULL) {
		return -ENOMEM;
	}
	if (table->n > 0) {
		memcpy(rows, table->rows, table->n * table->size);
		wipe(table->rows, table->n * table->size);
	}
	free(table->rows);
	table->rows = rows;
	table->room = room;
	return 0;
}

static int put(struct table *table, const void *row) {
	const char *text = row;
	size_t at;
	int r;

	if (find(table, text + table->first, text + table->second, &at)) {
		memmove(row_at(table, at), row, table->size); /* may be the row itself */
		return 0;
	}
	if (table->n >= table->most) {
		return -ENOSPC;
	}
	r = grow(table);
	if (r < 0) {
		return r;
	}
	memmove(row_at(table, at + 1), row_at(table, at), (table->n - at) * table->size);
	memcpy(row_at(table, at), row, table->size);
	table->n++;
	return 0;
}

static void take_out(struct table *table, size_t at) {
	memmove(row_at(table, at), row_at(table, at + 1), (table->n - at - 1) * table->size);
	table->n--;
	wipe(row_at(table, table->n), table->size);
}

static void remove_row(struct table *table, const char *first, const char *second) {
	size_t at;

	if (find(table, first, second, &at)) {
		take_out(table, at);
	}
}

/* All rows whose text at @offset is @text. */
static void remove_all(struct table *table, size_t offset, const char *text) {
	for (size_t i = table->n; i > 0; i--) {
		if (strcmp((const char *) row_at(table, i - 1) + offset, text) == 0) {
			take_out(table, i - 1);
		}
	}
}

static size_t count_all(const struct table *table, size_t offset, const char *text) {
	size_t n = 0;

	for (size_t i = 0; i < table->n; i++) {
		n += strcmp((const char *) row_at(table, i) + offset, text) == 0;
	}
	return n;
}

static void table_finish(struct table *table) {
	if (table->rows != NULL) {
		wipe(table->rows, table->room * table->size);
		free(table->rows);
		table->rows = NULL;
	}
}

/* ---- the book ---- */

#define TABLE(name, limit, type, key, other)                                                       \
	book->name = (struct table) {                                                              \
		.size = sizeof(type), .most = (limit), .first = offsetof(type, key),               \
		.second = offsetof(type, other)                                                    \
	}

struct book *book_new(void) {
	struct book *book = calloc(1, sizeof(*book));

	if (book == NULL) {
		return NULL;
	}
	TABLE(users, USERS_MAX, struct user, id, id);
	TABLE(credentials, CREDENTIALS_MAX, struct credential, id, id);
	TABLE(accesses, ACCESSES_MAX, struct access, user_id, lock_id);
	TABLE(schedules, SCHEDULES_MAX, struct schedule, user_id, id);
	TABLE(holidays, HOLIDAYS_MAX, struct holiday, id, id);
	TABLE(placements, PLACEMENTS_MAX, struct placement, lock_id, credential_id);
	TABLE(pages, PAGES_MAX, struct page, lock_id, lock_id);
	return book;
}

static void page_clear(struct page *page) {
	if (page->slots != NULL) {
		wipe(page->slots, page->n_slots * sizeof(page->slots[0]));
		free(page->slots);
	}
	page->slots = NULL;
	page->n_slots = 0;
}

struct book *book_free(struct book *book) {
	if (book == NULL) {
		return NULL;
	}
	for (size_t i = 0; i < book->pages.n; i++) {
		page_clear((struct page *) (void *) row_at(&book->pages, i));
	}
	table_finish(&book->users);
	table_finish(&book->credentials);
	table_finish(&book->accesses);
	table_finish(&book->schedules);
	table_finish(&book->holidays);
	table_finish(&book->placements);
	table_finish(&book->pages);
	free(book);
	return NULL;
}

/* ---- putting ---- */

static void number_users(struct book *book) {
	for (size_t i = 0; i < book->users.n; i++) {
		unsigned number = ((const struct user *) at_index(&book->users, i))->number;
		size_t at = i;

		while (at > 0 &&
			((const struct user *) at_index(&book->users, book->by_number[at - 1]))
					->number > number) {
			book->by_number[at] = book->by_number[at - 1];
			at--;
		}
		book->by_number[at] = (uint16_t) i;
	}
}

int book_put_user(struct book *book, const struct user *user) {
	int r = put(&book->users, user);

	number_users(book);
	return r;
}

int book_put_credential(struct book *book, const struct credential *credential) {
	return put(&book->credentials, credential);
}

int book_put_access(struct book *book, const struct access *access) {
	return put(&book->accesses, access);
}

int book_put_schedule(struct book *book, const struct schedule *schedule) {
	struct schedule row = *schedule; /* it may lie in the table */
	const struct schedule *old = book_schedule(book, schedule->id);
	size_t n;

	if (old != NULL && strcmp(old->user_id, row.user_id) != 0) {
		book_remove_schedule(book, row.id);
		old = NULL;
	}
	(void) book_user_schedules(book, row.user_id, &n);
	if (old == NULL && n >= SCHEDULES_PER_USER_MAX) {
		return -ENOSPC;
	}
	return put(&book->schedules, &row);
}

int book_put_holiday(struct book *book, const struct holiday *holiday) {
	size_t offset = offsetof(struct holiday, lock_id);

	if (get(&book->holidays, holiday->id, holiday->id) == NULL &&
		count_all(&book->holidays, offset, holiday->lock_id) >= HOLIDAYS_PER_LOCK_MAX) {
		return -ENOSPC;
	}
	return put(&book->holidays, holiday);
}

int book_put_placement(struct book *book, const struct placement *placement) {
	return put(&book->placements, placement);
}

static int make_page(struct book *book, const char *lock_id, struct page **ret) {
	struct page page = { .has_rules = false };
	size_t at;
	int r = 0;

	(void) text_copy(page.lock_id, sizeof(page.lock_id), lock_id);
	if (!find(&book->pages, page.lock_id, page.lock_id, &at)) {
		r = put(&book->pages, &page);
	}
	if (r >= 0) {
		*ret = (struct page *) (void *) row_at(&book->pages, at);
	}
	return r;
}

int book_put_slots(
	struct book *book, const char *lock_id, const struct slot *slots, size_t n, wall_t at) {
	struct slot *copy = NULL;
	struct page *page;
	int r;

	if (n > SLOTS_PER_LOCK_MAX) {
		return -ENOSPC;
	}
	if (n > 0) {
		copy = calloc(n, sizeof(*copy));
		if (copy == NULL) {
			return -ENOMEM;
		}
		memcpy(copy, slots, n * sizeof(*copy));
	}
	r = make_page(book, lock_id, &page);
	if (r < 0) {
		wipe(copy, n * sizeof(*copy));
		free(copy);
		return r;
	}
	page_clear(page);
	page->slots = copy;
	page->n_slots = n;
	page->read_at = at;
	return 0;
}

int book_put_rules(struct book *book, const char *lock_id, const struct lock_rules *rules) {
	struct page *page;
	int r = make_page(book, lock_id, &page);

	if (r >= 0) {
		page->rules = *rules;
		page->has_rules = true;
	}
	return r;
}

/* ---- removing ---- */

void book_remove_user(struct book *book, const char *id) {
	char user_id[ROW_ID_MAX]; /* @id may lie in the row */

	(void) text_copy(user_id, sizeof(user_id), id);
	remove_row(&book->users, user_id, user_id);
	number_users(book);
	remove_all(&book->schedules, offsetof(struct schedule, user_id), user_id);
	remove_all(&book->accesses, offsetof(struct access, user_id), user_id);
}

void book_remove_credential(struct book *book, const char *id) {
	char credential_id[ROW_ID_MAX];

	(void) text_copy(credential_id, sizeof(credential_id), id);
	remove_row(&book->credentials, credential_id, credential_id);
	remove_all(&book->placements, offsetof(struct placement, credential_id), credential_id);
}

void book_remove_access(struct book *book, const char *user_id, const char *lock_id) {
	remove_row(&book->accesses, user_id, lock_id);
}

void book_remove_schedule(struct book *book, const char *id) {
	const struct schedule *row = book_schedule(book, id);

	if (row != NULL) {
		remove_row(&book->schedules, row->user_id, row->id);
	}
}

void book_remove_holiday(struct book *book, const char *id) {
	remove_row(&book->holidays, id, id);
}

void book_remove_placement(struct book *book, const char *lock_id, const char *credential_id) {
	remove_row(&book->placements, lock_id, credential_id);
}

void book_remove_lock(struct book *book, const char *lock_id) {
	char id[LOCK_ID_MAX];
	size_t at;

	(void) text_copy(id, sizeof(id), lock_id);
	remove_all(&book->accesses, offsetof(struct access, lock_id), id);
	remove_all(&book->schedules, offsetof(struct schedule, lock_id), id);
	remove_all(&book->holidays, offsetof(struct holiday, lock_id), id);
	remove_all(&book->placements, offsetof(struct placement, lock_id), id);
	remove_all(&book->credentials, offsetof(struct credential, lock_id), id);
	if (find(&book->pages, id, id, &at)) {
		page_clear((struct page *) (void *) row_at(&book->pages, at));
		take_out(&book->pages, at);
	}
}

/* ---- finding ---- */

size_t book_user_count(const struct book *book) {
	return book->users.n;
}

const struct user *book_user_at(const struct book *book, size_t i) {
	return i < book->users.n ? at_index(&book->users, book->by_number[i]) : NULL;
}

const struct user *book_user(const struct book *book, const char *id) {
	return get(&book->users, id, id);
}

/* One character of UTF-8, lower case as far as Latin, Greek and Cyrillic go; 0 at the end. */
static uint32_t take_folded(const char **at) {
	const uint8_t *p = (const uint8_t *) *at;
	uint32_t c = p[0];

	if (c == 0) {
		return 0;
	}
	(*at)++;
	if (c >= 'A' && c <= 'Z') {
		return c + 32;
	}
	if (c < 0xc2 || c > 0xdf || (p[1] & 0xc0) != 0x80) {
		return c; /* longer characters are compared octet by octet */
	}
	(*at)++;
	c = (c & 0x1f) << 6 | (p[1] & 0x3fU);
	if ((c >= 0xc0 && c <= 0xde && c != 0xd7) || (c >= 0x391 && c <= 0x3a9) ||
		(c >= 0x410 && c <= 0x42f)) {
		c += 32;
	} else if (c >= 0x400 && c <= 0x40f) {
		c += 80;
	} else if ((c >= 0x100 && c <= 0x137 && c != 0x130) || (c >= 0x14a && c <= 0x177)) {
		c |= 1;
	} else if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e)) {
		c += c & 1;
	}
	return c | 0x1000000; /* never taken for a single octet */
}

static bool is_same_name(const char *a, const char *b) {
	uint32_t c;

	do {
		c = take_folded(&a);
		if (c != take_folded(&b)) {
			return false;
		}
	} while (c != 0);
	return true;
}

static const struct user *user_by(const struct book *book, const char *word,
	bool (*is_it)(const struct user *, const char *)) {
	for (size_t i = 0; i < book->users.n; i++) {
		const struct user *user = at_index(&book->users, i);

		if (is_it(user, word)) {
			return user;
		}
	}
	return NULL;
}

static bool has_slug(const struct user *user, const char *word) {
	return strcmp(user->slug, word) == 0;
}

static bool has_number(const struct user *user, const char *word) {
	uint64_t number;

	return text_to_u64(word, 1, USERS_MAX, &number) >= 0 && number == user->number;
}

static bool has_name(const struct user *user, const char *word) {
	return is_same_name(user->name, word);
}

const struct user *book_find_user(const struct book *book, const char *word) {
	const struct user *user = book_user(book, word);

	if (user == NULL) {
		user = user_by(book, word, has_slug);
	}
	if (user == NULL) {
		user = user_by(book, word, has_number);
	}
	return user != NULL ? user : user_by(book, word, has_name);
}

const struct credential *book_credential_at(const struct book *book, size_t i) {
	return at_index(&book->credentials, i);
}

const struct credential *book_credential(const struct book *book, const char *id) {
	return get(&book->credentials, id, id);
}

const struct access *book_access_at(const struct book *book, size_t i) {
	return at_index(&book->accesses, i);
}

bool book_has_access(const struct book *book, const char *user_id, const char *lock_id) {
	return get(&book->accesses, user_id, lock_id) != NULL;
}

const struct schedule *book_schedule_at(const struct book *book, size_t i) {
	return at_index(&book->schedules, i);
}

const struct schedule *book_schedule(const struct book *book, const char *id) {
	for (size_t i = 0; i < book->schedules.n; i++) {
		const struct schedule *row = at_index(&book->schedules, i);

		if (strcmp(row->id, id) == 0) {
			return row;
		}
	}
	return NULL;
}

const struct schedule *book_user_schedules(
	const struct book *book, const char *user_id, size_t *ret_n) {
	size_t first;
	size_t n = 0;

	(void) find(&book->schedules, user_id, "", &first);
	while (first + n < book->schedules.n &&
		strcmp(((const struct schedule *) at_index(&book->schedules, first + n))->user_id,
			user_id) == 0) {
		n++;
	}
	*ret_n = n;
	return at_index(&book->schedules, first);
}

const struct holiday *book_holiday_at(const struct book *book, size_t i) {
	return at_index(&book->holidays, i);
}

const struct placement *book_placement_at(const struct book *book, size_t i) {
	return at_index(&book->placements, i);
}

const struct placement *book_placement(
	const struct book *book, const char *lock_id, const char *credential_id) {
	return get(&book->placements, lock_id, credential_id);
}

const struct slot *book_slots(
	const struct book *book, const char *lock_id, size_t *ret_n, wall_t *ret_at) {
	const struct page *page = get(&book->pages, lock_id, lock_id);

	*ret_n = page != NULL ? page->n_slots : 0;
	if (ret_at != NULL) {
		*ret_at = page != NULL ? page->read_at : (wall_t){ 0 };
	}
	return page != NULL ? page->slots : NULL;
}

const struct credential *book_credential_of_slot(
	const struct book *book, const char *lock_id, enum credential_type type, int64_t ref) {
	size_t at;

	(void) find(&book->placements, lock_id, "", &at);
	for (; ref != 0 && at < book->placements.n; at++) {
		const struct placement *placement = at_index(&book->placements, at);
		const struct credential *credential;

		if (strcmp(placement->lock_id, lock_id) != 0) {
			break;
		}
		credential = placement->ref == ref ? book_credential(book, placement->credential_id)
						   : NULL;
		if (credential != NULL && credential->type == type) {
			return credential;
		}
	}
	return NULL;
}

const struct lock_rules *book_rules(const struct book *book, const char *lock_id) {
	static const struct lock_rules defaults = { .wrong_code_limit = 5, .code_disable_s = 60 };
	const struct page *page = get(&book->pages, lock_id, lock_id);

	return page != NULL && page->has_rules ? &page->rules : &defaults;
}

/* ---- checks ---- */

unsigned book_free_number(const struct book *book) {
	for (unsigned i = 0; i < USERS_MAX; i++) {
		const struct user *user = book_user_at(book, i);

		if (user == NULL || user->number != i + 1) {
			return i + 1;
		}
	}
	return 0;
}

static int check_name(const struct book *book, const struct user *user, struct fault *ret_fault) {
	size_t n = strnlen(user->name, sizeof(user->name));

	if (n == 0) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT, "a user needs a name");
	}
	/* The log, the locks and MQTT must be able to tell the name in full. */
	if (n >= EVENT_USER_MAX) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
			"the name has %zu octets of UTF-8, at most %d fit", n, EVENT_USER_MAX - 1);
	}
	if (!text_is_clean(user->name, n) || user->name[0] == ' ' || user->name[n - 1] == ' ') {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
			"a name is printable text in UTF-8 without spaces at its ends");
	}
	for (size_t i = 0; i < book->users.n; i++) {
		const struct user *other = at_index(&book->users, i);

		if (strcmp(other->id, user->id) != 0 &&
			(is_same_name(other->name, user->name) ||
				strcmp(other->slug, user->slug) == 0)) {
			return fault_set(ret_fault, FAULT_NAME_TAKEN, "user %u is called %s",
				other->number, other->name);
		}
	}
	return 0;
}

static int check_number(const struct book *book, const struct user *user, struct fault *ret_fault) {
	if (book_user(book, user->id) == NULL && book->users.n >= USERS_MAX) {
		return fault_set(ret_fault, FAULT_HUB_FULL, "%d users", USERS_MAX);
	}
	if (user->number < 1 || user->number > USERS_MAX) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT, "user number %u is not of 1 to %d",
			user->number, USERS_MAX);
	}
	for (size_t i = 0; i < book->users.n; i++) {
		const struct user *other = at_index(&book->users, i);

		if (strcmp(other->id, user->id) != 0 && other->number == user->number) {
			return fault_set(ret_fault, FAULT_NAME_TAKEN, "number %u is %s",
				user->number, other->name);
		}
	}
	return 0;
}

static int check_type(const struct book *book, const struct user *user, struct fault *ret_fault) {
	if (user->status != USER_STATUS_OCCUPIED_ENABLED &&
		user->status != USER_STATUS_OCCUPIED_DISABLED) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
			"a user is enabled or disabled, not %d", (int) user->status);
	}
	if ((unsigned) user->type > USER_REMOTE_ONLY) {
		return fault_set(
			ret_fault, FAULT_BAD_ARGUMENT, "type of user %d", (int) user->type);
	}
	if (user->type == USER_EXPIRING &&
		(user->expiring_minutes < 1 || user->expiring_minutes > EXPIRING_MINUTES_MAX)) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
			"an expiring user needs 1 to %d minutes, not %u", EXPIRING_MINUTES_MAX,
			user->expiring_minutes);
	}
	for (size_t i = 0; user->type == USER_PROGRAMMING && i < book->users.n; i++) {
		const struct user *other = at_index(&book->users, i);

		if (other->type == USER_PROGRAMMING && strcmp(other->id, user->id) != 0) {
			return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
				"%s is the programming user already: there is one at most",
				other->name);
		}
	}
	return 0;
}

int book_check_user(const struct book *book, const struct user *user, struct fault *ret_fault) {
	int r = check_name(book, user, ret_fault);

	if (r >= 0) {
		r = check_number(book, user, ret_fault);
	}
	return r < 0 ? r : check_type(book, user, ret_fault);
}

/* ---- who may ---- */

struct windows {
	bool has[2], is_inside[2]; /* week-day, year-day */
};

static struct windows look(const struct book *book, const struct user *user, const char *lock_id,
	const struct zone *zone, wall_t now) {
	int64_t local = zone_local(zone, now);
	struct windows windows = { .has = { false, false } };
	size_t n;
	const struct schedule *rows = book_user_schedules(book, user->id, &n);

	for (size_t i = 0; i < n; i++) {
		unsigned kind = rows[i].kind == SCHEDULE_YEAR_DAY;

		if (rows[i].lock_id[0] == '\0' || strcmp(rows[i].lock_id, lock_id) == 0) {
			windows.has[kind] = true;
			windows.is_inside[kind] |= schedule_contains(&rows[i], local);
		}
	}
	return windows;
}

/* Both kinds there: inside one of each (Matter). */
static bool is_inside_schedules(enum user_type type, const struct windows *windows) {
	if (type == USER_WEEK_DAY_SCHEDULE) {
		return windows->is_inside[0];
	}
	if (type == USER_YEAR_DAY_SCHEDULE) {
		return windows->is_inside[1];
	}
	return (windows->has[0] || windows->has[1]) &&
	       (!windows->has[0] || windows->is_inside[0]) &&
	       (!windows->has[1] || windows->is_inside[1]);
}

static bool is_mode_open(enum operating_mode mode, enum user_type type, bool is_remote) {
	switch (mode) {
	case MODE_PRIVACY:
		return false;
	case MODE_NO_REMOTE_LOCK_UNLOCK:
		return !is_remote;
	case MODE_VACATION:
		return is_remote || type == USER_PROGRAMMING;
	case MODE_NORMAL:
	case MODE_PASSAGE:
		break;
	}
	return true;
}

enum access_decision book_decide(const struct book *book, const struct user *user,
	const char *lock_id, bool is_remote, const struct zone *zone, wall_t now, bool is_trusted) {
	struct windows windows;

	if (!is_mode_open(book_mode(book, lock_id, zone, now, is_trusted), user->type, is_remote)) {
		return ACCESS_MODE;
	}
	if (!book_has_access(book, user->id, lock_id)) {
		return ACCESS_NONE;
	}
	if (user->status != USER_STATUS_OCCUPIED_ENABLED) {
		return ACCESS_DISABLED;
	}
	switch (user->type) {
	case USER_UNRESTRICTED:
	case USER_PROGRAMMING:
	case USER_FORCED:
	case USER_DISPOSABLE:
		return ACCESS_ALLOW;
	case USER_EXPIRING:
		/* The hub disables it then; this is for the moments before it has done so. */
		return user->first_used_at.s != 0 && is_trusted &&
				       now.s - user->first_used_at.s >=
					       user->expiring_minutes * 60LL
			       ? ACCESS_DISABLED
			       : ACCESS_ALLOW;
	case USER_NON_ACCESS:
		return ACCESS_NON_ACCESS;
	case USER_REMOTE_ONLY:
		return is_remote ? ACCESS_ALLOW : ACCESS_RESTRICTED;
	case USER_WEEK_DAY_SCHEDULE:
	case USER_YEAR_DAY_SCHEDULE:
	case USER_SCHEDULE_RESTRICTED:
		break;
	}
	if (!is_trusted) {
		return ACCESS_RESTRICTED;
	}
	windows = look(book, user, lock_id, zone, now);
	return is_inside_schedules(user->type, &windows) ? ACCESS_ALLOW : ACCESS_RESTRICTED;
}

enum operating_mode book_mode(const struct book *book, const char *lock_id, const struct zone *zone,
	wall_t now, bool is_trusted) {
	int64_t local = zone_local(zone, now);
	const struct holiday *best = NULL;

	for (size_t i = 0; is_trusted && i < book->holidays.n; i++) {
		const struct holiday *row = at_index(&book->holidays, i);

		if (strcmp(row->lock_id, lock_id) == 0 && local >= row->from &&
			local <= row->until && (best == NULL || row->index < best->index)) {
			best = row;
		}
	}
	return best != NULL ? best->mode : book_rules(book, lock_id)->mode;
}
