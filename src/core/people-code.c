/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Changes of what is presented: codes, and the credentials that locks made by themselves. */

#include <stdio.h>
#include <string.h>

#include "change.h"
#include "core/schedule.h"
#include "crypto/crypto.h"
#include "util/text.h"

#define DIGITS_LEAST 6
#define GENERATE_TRIES 1000
/* 2099-12-31T23:59:59: the end of what has a beginning only. */
#define ADOPTED_UNTIL 4102444799

/* What the locks at which a code will count make of it. */
struct form {
	unsigned least, most; /* digits */
	unsigned n_locks;     /* that can take it */
	unsigned n_unable;    /* and that cannot */
	const struct lock *unable;
};

static bool takes_pins(const struct credential_limits *limits) {
	return limits != NULL && (limits->types & 1U << CREDENTIAL_PIN) != 0;
}

static bool is_concerned(
	const struct hub *hub, const struct lock *lock, const char *user_id, const char *lock_id) {
	return lock_id[0] != '\0' ? strcmp(lock->id, lock_id) == 0
				  : book_has_access(hub->book, user_id, lock->id);
}

static int find_form(const struct hub *hub, const char *user_id, const char *lock_id,
	struct form *ret, struct fault *ret_fault) {
	struct form form = { .least = PIN_LEN_MIN, .most = PIN_LEN_MAX };

	for (size_t i = 0; i < hub->n_locks; i++) {
		const struct lock *lock = hub->locks[i];
		const struct credential_limits *limits = lock_credentials(lock);

		if (!is_concerned(hub, lock, user_id, lock_id)) {
			continue;
		}
		if (!takes_pins(limits)) {
			form.n_unable++;
			form.unable = lock;
			continue;
		}
		form.n_locks++;
		form.least = limits->pin_least > form.least ? limits->pin_least : form.least;
		form.most = limits->pin_most > 0 && limits->pin_most < form.most ? limits->pin_most
										 : form.most;
	}
	if (form.n_locks == 0 && form.n_unable > 0) {
		return fault_set(ret_fault, FAULT_NOT_SUPPORTED,
			"%s keeps no codes that the hub could set: %s", form.unable->slug,
			lock_why_no_codes(form.unable));
	}
	if (form.least > form.most) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
			"no code suits all locks: one needs %u digits, another takes %u at most; "
			"give each lock one of its own",
			form.least, form.most);
	}
	*ret = form;
	return 0;
}

/* Six digits at least, unless no lock takes as many. */
static unsigned least_of(const struct form *form) {
	unsigned least = form->most < DIGITS_LEAST ? form->most : DIGITS_LEAST;

	return form->least > least ? form->least : least;
}

static int check_form(const struct hub *hub, const struct secret *pin, const char *user_id,
	const char *lock_id, struct fault *ret_fault) {
	int r = 0;

	for (size_t i = 0; r >= 0 && i < hub->n_locks; i++) {
		const struct lock *lock = hub->locks[i];
		const struct credential_limits *limits = lock_credentials(lock);

		if (is_concerned(hub, lock, user_id, lock_id) && takes_pins(limits) &&
			limits->check_pin != NULL) {
			r = limits->check_pin(pin, ret_fault);
		}
	}
	return r;
}

/* @self: the credential that is to have it, or NULL. */
static int check_pin(const struct hub *hub, const struct secret *pin, const char *user_id,
	const char *lock_id, const char *self, struct fault *ret_fault) {
	struct form form = { 0 };
	int r = find_form(hub, user_id, lock_id, &form, ret_fault);

	if (r >= 0 && pin->len > form.most) {
		r = fault_set(ret_fault, FAULT_BAD_ARGUMENT,
			"the code has %zu digits, a lock takes %u at most", pin->len, form.most);
	}
	if (r >= 0) {
		r = book_check_pin(
			hub->book, pin, user_id, lock_id, self, least_of(&form), ret_fault);
	}
	return r < 0 ? r : check_form(hub, pin, user_id, lock_id, ret_fault);
}

static void make_digits(struct secret *ret, unsigned n) {
	uint8_t byte;

	secret_wipe(ret);
	while (ret->len < n) {
		crypto_random(&byte, 1);
		/* 250 is a multiple of ten: each digit is as likely as the others. */
		if (byte < 250) {
			ret->bytes[ret->len++] = (uint8_t) ('0' + byte % 10);
		}
	}
	wipe(&byte, sizeof(byte));
}

static int generate(const struct hub *hub, unsigned digits, const char *user_id,
	const char *lock_id, const char *self, struct secret *ret, struct fault *ret_fault) {
	struct fault fault = { .code = FAULT_NONE };
	struct form form = { 0 };
	int r = find_form(hub, user_id, lock_id, &form, ret_fault);
	unsigned n;

	if (r < 0) {
		return r;
	}
	n = digits != 0 ? digits : least_of(&form);
	if (n < least_of(&form) || n > form.most) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
			"%u digits were asked for, it must be %u to %u", n, least_of(&form),
			form.most);
	}
	for (unsigned i = 0; i < GENERATE_TRIES; i++) {
		make_digits(ret, n);
		if (check_pin(hub, ret, user_id, lock_id, self, &fault) >= 0) {
			return 0;
		}
	}
	secret_wipe(ret);
	return fault_set(ret_fault, FAULT_HUB_FULL, "no free code of %u digits was found: %s", n,
		fault.detail);
}

static const char *lock_slug_or_all(const struct lock *lock) {
	return lock != NULL ? lock->slug : "all locks";
}

/* ---- adding ---- */

static int check_type(enum credential_type type, struct fault *ret_fault) {
	if (type == CREDENTIAL_PIN || type == CREDENTIAL_MECHANICAL_KEY) {
		return 0;
	}
	return fault_set(ret_fault, FAULT_NOT_SUPPORTED,
		"a %s cannot be made by the hub: if the lock can, run lockhubctl code learn; else "
		"make it at the lock and run lockhubctl code adopt",
		credential_type_name(type));
}

static int count_credentials(const struct book *book, const char *user_id) {
	const struct credential *credential;
	int n = 0;

	for (size_t i = 0; (credential = book_credential_at(book, i)) != NULL; i++) {
		n += strcmp(credential->user_id, user_id) == 0;
	}
	return n;
}

int people_check_room(const struct book *book, const struct user *user, struct fault *ret_fault) {
	if (count_credentials(book, user->id) >= CREDENTIALS_PER_USER_MAX) {
		return fault_set(ret_fault, FAULT_HUB_FULL, "%s has %d codes and keys", user->name,
			CREDENTIALS_PER_USER_MAX);
	}
	if (book_credential_at(book, CREDENTIALS_MAX - 1) != NULL) {
		return fault_set(ret_fault, FAULT_HUB_FULL, "%d codes and keys", CREDENTIALS_MAX);
	}
	return 0;
}

static int fill_code(struct change *change, const struct user *user, const struct lock *lock,
	struct credential *ret, struct fault *ret_fault) {
	const struct code_add *add = &change->add;
	wall_t now = clock_wall(change->hub->config.clock);
	int r = 0;

	(void) text_copy(ret->id, sizeof(ret->id), change->id);
	(void) text_copy(ret->user_id, sizeof(ret->user_id), user->id);
	(void) text_copy(ret->lock_id, sizeof(ret->lock_id), lock != NULL ? lock->id : "");
	(void) text_copy(ret->created_by, sizeof(ret->created_by), change->actor);
	(void) text_copy(ret->label, sizeof(ret->label), add->label);
	ret->type = add->type;
	ret->state = CREDENTIAL_ACTIVE;
	ret->pin = change->pin;
	ret->is_once = add->is_once;
	ret->created_at = now;
	ret->pin_set_at = now;
	if (add->until[0] != '\0') {
		r = schedule_parse_until(add->until, hub_lock_zone(change->hub, ret->lock_id), now,
			&ret->valid_until, ret_fault);
	}
	if (r >= 0 && add->type == CREDENTIAL_PIN) {
		r = check_pin(change->hub, &ret->pin, user->id, ret->lock_id, NULL, ret_fault);
	}
	return r;
}

static int add_code(struct change *change, struct user *user, struct credential *credential,
	struct fault *ret_fault) {
	const struct code_add *add = &change->add;
	struct lock *lock = NULL;
	int r = change_find_user(change, add->user, user, ret_fault);

	if (r >= 0 && add->lock[0] != '\0') {
		r = hub_get_lock(change->hub, add->lock, &lock, ret_fault);
	}
	if (r >= 0) {
		r = people_check_room(change->hub->book, user, ret_fault);
	}
	if (r >= 0) {
		r = fill_code(change, user, lock, credential, ret_fault);
	}
	if (r >= 0 && lock != NULL) {
		r = change_grant(change, user, lock->id, ret_fault);
	}
	if (r >= 0 && add->when[0] != '\0') {
		r = change_add_schedules(
			change, user, lock != NULL ? lock->id : "", add->when, ret_fault);
	}
	if (r >= 0) {
		r = change_put_credential(change, credential, ret_fault);
	}
	return r < 0 ? r
		     : change_tell(change, credential_data(add->type), DATA_ADD, user, lock,
			       ret_fault, "%s %s for %s", credential_type_name(add->type),
			       credential->id, lock_slug_or_all(lock));
}

static int run_code_add(struct change *change, struct fault *ret_fault) {
	struct user user;
	struct credential credential = { .valid_until = { 0 } };
	int r = add_code(change, &user, &credential, ret_fault);

	wipe(&user, sizeof(user));
	wipe(&credential, sizeof(credential));
	return r;
}

/* The PIN, made now: whoever asks is to be told it when it has been recorded. */
static int prepare_pin(struct change *change, struct fault *ret_fault) {
	const struct code_add *add = &change->add;
	struct lock *lock = NULL;
	struct user user;
	int r = 0;

	if (add->type != CREDENTIAL_PIN) {
		return add->generate || add->pin.len > 0
			       ? fault_set(ret_fault, FAULT_BAD_ARGUMENT, "a %s has no code",
					 credential_type_name(add->type))
			       : 0;
	}
	if (!add->generate) {
		change->pin = add->pin;
		return add->pin.len > 0
			       ? 0
			       : fault_set(ret_fault, FAULT_BAD_ARGUMENT, "no code was given");
	}
	r = change_find_user(change, add->user, &user, ret_fault);
	if (r >= 0 && add->lock[0] != '\0') {
		r = hub_get_lock(change->hub, add->lock, &lock, ret_fault);
	}
	if (r >= 0) {
		r = generate(change->hub, add->digits, user.id, lock != NULL ? lock->id : "", NULL,
			&change->pin, ret_fault);
	}
	wipe(&user, sizeof(user));
	return r;
}

static int check_texts(const struct code_add *add, struct fault *ret_fault) {
	char label[sizeof(add->label)];
	int r = change_set_text(label, sizeof(label), add->label, "a label", ret_fault);

	return r < 0 ? r : check_type(add->type, ret_fault);
}

int hub_code_add(struct hub *hub, const struct code_add *add, const struct people_by *by,
	char ret_id[static ROW_ID_MAX], struct secret *ret_pin, people_done_fn *done, void *user,
	struct fault *ret_fault) {
	struct change *change = change_new(hub, run_code_add, by, done, user, ret_fault);
	AUTO_VALUE(secret_wipe) struct secret pin = { .len = 0 };
	char id[ROW_ID_MAX];
	int r;

	if (change == NULL) {
		return change_refused(by);
	}
	change->add = *add;
	change_make_id(hub, id);
	memcpy(change->id, id, sizeof(id));
	r = check_texts(add, ret_fault);
	if (r >= 0) {
		r = prepare_pin(change, ret_fault);
	}
	if (r < 0) {
		return change_drop(change, r);
	}
	pin = change->pin;
	r = change_submit(change, ret_fault);
	if (r >= 0) {
		memcpy(ret_id, id, sizeof(id));
		*ret_pin = pin;
	}
	return r;
}

/* ---- changing, revoking, revealing ---- */

static int run_code_change(struct change *change, struct fault *ret_fault) {
	const struct credential *old;
	struct credential row;
	int r = change_find_credential(change, change->id, &old, ret_fault);

	if (r < 0) {
		return r;
	}
	row = *old;
	row.pin = change->pin;
	row.pin_set_at = clock_wall(change->hub->config.clock);
	r = check_pin(change->hub, &row.pin, row.user_id, row.lock_id, row.id, ret_fault);
	if (r >= 0) {
		r = change_put_credential(change, &row, ret_fault);
	}
	wipe(&row, sizeof(row));
	return r < 0 ? r
		     : change_tell(change, LOCK_DATA_PIN, DATA_MODIFY,
			       book_user(change->hub->book, old->user_id),
			       hub_lock_by_id(change->hub, old->lock_id), ret_fault, "code %s",
			       old->id);
}

int hub_code_change(struct hub *hub, const char *id, const struct secret *pin,
	const struct people_by *by, struct secret *ret_pin, people_done_fn *done, void *user,
	struct fault *ret_fault) {
	struct change *change = change_new(hub, run_code_change, by, done, user, ret_fault);
	AUTO_VALUE(secret_wipe) struct secret kept = { .len = 0 };
	const struct credential *old;
	int r;

	if (change == NULL) {
		return change_refused(by);
	}
	(void) text_copy(change->id, sizeof(change->id), id);
	r = change_find_credential(change, change->id, &old, ret_fault);
	if (r >= 0 && old->type != CREDENTIAL_PIN) {
		r = fault_set(ret_fault, FAULT_NOT_SUPPORTED, "a %s has no code",
			credential_type_name(old->type));
	}
	if (r >= 0 && pin->len > 0) {
		change->pin = *pin;
	} else if (r >= 0) {
		r = generate(hub, 0, old->user_id, old->lock_id, old->id, &change->pin, ret_fault);
	}
	if (r < 0) {
		return change_drop(change, r);
	}
	kept = change->pin;
	r = change_submit(change, ret_fault);
	if (r >= 0) {
		*ret_pin = kept;
	}
	return r;
}

static int run_code_revoke(struct change *change, struct fault *ret_fault) {
	const struct credential *old;
	struct credential row;
	int r = change_find_credential(change, change->id, &old, ret_fault);

	if (r < 0) {
		return r;
	}
	row = *old;
	row.state = CREDENTIAL_REVOKED;
	r = change_put_credential(change, &row, ret_fault);
	wipe(&row, sizeof(row));
	return r < 0 ? r
		     : change_tell(change, credential_data(old->type), DATA_CLEAR,
			       book_user(change->hub->book, old->user_id),
			       hub_lock_by_id(change->hub, old->lock_id), ret_fault, "%s %s",
			       credential_type_name(old->type), old->id);
}

static int submit_by_id(struct hub *hub, int (*run)(struct change *, struct fault *),
	const char *id, const struct people_by *by, people_done_fn *done, void *user,
	struct fault *ret_fault) {
	struct change *change = change_new(hub, run, by, done, user, ret_fault);

	if (change == NULL) {
		return change_refused(by);
	}
	(void) text_copy(change->id, sizeof(change->id), id);
	return change_submit(change, ret_fault);
}

int hub_code_revoke(struct hub *hub, const char *id, const struct people_by *by,
	people_done_fn *done, void *user, struct fault *ret_fault) {
	return submit_by_id(hub, run_code_revoke, id, by, done, user, ret_fault);
}

static int run_code_reveal(struct change *change, struct fault *ret_fault) {
	struct hub *hub = change->hub;
	const struct credential *credential;
	const struct user *user;
	struct event *event;
	int r = change_find_credential(change, change->id, &credential, ret_fault);

	if (r < 0) {
		return r;
	}
	event = txn_add_event(
		change->txn, hub, hub_lock_by_id(hub, credential->lock_id), EVENT_CODE_REVEALED);
	if (event == NULL) {
		return fault_set(ret_fault, FAULT_NO_MEMORY, "recording it");
	}
	user = book_user(hub->book, credential->user_id);
	if (user != NULL) {
		(void) text_copy(event->user, sizeof(event->user), user->name);
		(void) text_copy(event->user_id, sizeof(event->user_id), user->id);
	}
	(void) snprintf(
		event->text, sizeof(event->text), "code %s, to %s", credential->id, change->actor);
	return 0;
}

int hub_code_reveal(struct hub *hub, const char *id, const struct people_by *by,
	struct secret *ret_pin, people_done_fn *done, void *user, struct fault *ret_fault) {
	struct change *change = change_new(hub, run_code_reveal, by, done, user, ret_fault);
	AUTO_VALUE(secret_wipe) struct secret pin = { .len = 0 };
	const struct credential *credential;
	int r;

	if (change == NULL) {
		return change_refused(by);
	}
	(void) text_copy(change->id, sizeof(change->id), id);
	r = change_find_credential(change, change->id, &credential, ret_fault);
	if (r >= 0 && credential->pin.len == 0) {
		r = fault_set(ret_fault, FAULT_NOT_SUPPORTED,
			"the hub does not know a code of %s %s",
			credential_type_name(credential->type), credential->id);
	}
	if (r < 0) {
		return change_drop(change, r);
	}
	pin = credential->pin;
	r = change_submit(change, ret_fault);
	if (r >= 0) {
		*ret_pin = pin;
	}
	return r;
}

/* ---- what locks made by themselves ---- */

static int find_foreign(struct change *change, const struct lock *lock, const struct slot **ret,
	struct fault *ret_fault) {
	const struct book *book = change->hub->book;
	size_t n;
	const struct slot *slots = book_slots(book, lock->id, &n, NULL);

	for (size_t i = 0; i < n; i++) {
		if (slots[i].type != change->type || slots[i].ref != change->ref) {
			continue;
		}
		if (slots[i].is_own) {
			return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
				"%s %lld of %s is this hub itself",
				credential_type_name(change->type), (long long) change->ref,
				lock->slug);
		}
		if (book_credential_of_slot(book, lock->id, change->type, change->ref) != NULL) {
			return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
				"%s %lld of %s is the hub's own work already",
				credential_type_name(change->type), (long long) change->ref,
				lock->slug);
		}
		*ret = &slots[i];
		return 0;
	}
	return fault_set(ret_fault, FAULT_NO_SUCH_CODE,
		"%s has no %s %lld as far as its last list tells", lock->slug,
		credential_type_name(change->type), (long long) change->ref);
}

static int put_placement(struct change *change, const struct lock *lock, const char *credential_id,
	enum placement_state state, struct fault *ret_fault) {
	struct txn_item *item = change_add(change, TXN_PLACEMENT_PUT, ret_fault);
	wall_t now = clock_wall(change->hub->config.clock);

	if (item == NULL) {
		return fault_errno(FAULT_NO_MEMORY);
	}
	item->placement = (struct placement){ .ref = change->ref, .state = state, .since = now };
	memcpy(item->placement.lock_id, lock->id, sizeof(lock->id));
	(void) text_copy(item->placement.credential_id, sizeof(item->placement.credential_id),
		credential_id);
	if (state == PLACEMENT_PRESENT) {
		(void) book_slots(
			change->hub->book, lock->id, &(size_t){ 0 }, &item->placement.confirmed_at);
	}
	return 0;
}

/* What has not begun yet at the lock must not begin by being adopted. */
static int adopt_dates(struct change *change, struct user *user, const struct lock *lock,
	const struct slot_window *window, struct fault *ret_fault) {
	const struct clock *clock = change->hub->config.clock;
	const struct zone *zone = hub_lock_zone(change->hub, lock->id);
	struct schedule row = { .kind = SCHEDULE_YEAR_DAY, .until = ADOPTED_UNTIL };
	char text[SCHEDULE_TEXT_MAX];

	if (window->from.s == 0 ||
		(clock_is_trusted(clock) && window->from.s <= clock_wall(clock).s)) {
		return 0;
	}
	row.from = zone_local(zone, window->from);
	if (window->until.s != 0 && zone_local(zone, window->until) < row.until) {
		row.until = zone_local(zone, window->until);
	}
	if (row.from < 0 || row.until <= row.from) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
			"its dates make no sense: remove it, and give a code of the hub");
	}
	return change_add_schedules(change, user, lock->id, schedule_text(&row, text), ret_fault);
}

/* The slot's own limits become the user's at this lock: to adopt must not open the door further. */
static int adopt_window(struct change *change, struct user *user, const struct lock *lock,
	const struct slot *slot, struct credential *credential, struct fault *ret_fault) {
	struct schedule row = { .kind = SCHEDULE_WEEK_DAY };
	char text[SCHEDULE_TEXT_MAX];
	int r;

	if (!slot->is_enabled && user->status == USER_STATUS_OCCUPIED_ENABLED) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
			"it is switched off at %s and would be switched on: disable %s first, or "
			"remove it",
			lock->slug, user->name);
	}
	if (!slot->is_limited) {
		return 0;
	}
	credential->valid_until = slot->window.until;
	r = adopt_dates(change, user, lock, &slot->window, ret_fault);
	if (r < 0) {
		return r;
	}
	if (slot->window.days == 0 && slot->window.start_minute == 0 &&
		slot->window.end_minute == 0) {
		return 0;
	}
	row.days = slot->window.days != 0 ? slot->window.days & DAYS_ALL : DAYS_ALL;
	row.start_minute = slot->window.start_minute;
	row.end_minute = slot->window.end_minute;
	if (row.start_minute == 0 && row.end_minute == 0) {
		row.end_minute = 1439;
	}
	/* Through its words, so that a window over midnight is split as anybody's is. */
	return change_add_schedules(change, user, lock->id, schedule_text(&row, text), ret_fault);
}

static int adopt(struct change *change, struct user *user, struct credential *credential,
	struct fault *ret_fault) {
	const bool is_learnt = change->op_id[0] != '\0';
	const struct slot *slot;
	struct lock *lock;
	int r = change_find_user(change, change->word, user, ret_fault);

	if (r >= 0) {
		r = hub_get_lock(change->hub, change->lock, &lock, ret_fault);
	}
	if (r >= 0) {
		r = find_foreign(change, lock, &slot, ret_fault);
	}
	if (r >= 0) {
		r = people_check_room(change->hub->book, user, ret_fault);
	}
	if (r < 0) {
		return r;
	}
	(void) text_copy(credential->id, sizeof(credential->id), change->id);
	(void) text_copy(credential->user_id, sizeof(credential->user_id), user->id);
	memcpy(credential->lock_id, lock->id, sizeof(lock->id));
	(void) text_copy(credential->created_by, sizeof(credential->created_by), change->actor);
	(void) text_copy(credential->label, sizeof(credential->label),
		is_learnt ? change->add.label : slot->name);
	credential->type = slot->type;
	credential->state = CREDENTIAL_ACTIVE;
	credential->pin = slot->pin;
	credential->created_at =
		is_learnt ? clock_wall(change->hub->config.clock) : slot->created_at;
	credential->pin_set_at = slot->created_at;
	r = change_grant(change, user, lock->id, ret_fault);
	/* What the hub has just had the lock learn has the user's window already. */
	if (r >= 0 && !is_learnt) {
		r = adopt_window(change, user, lock, slot, credential, ret_fault);
	}
	if (r >= 0) {
		r = change_put_credential(change, credential, ret_fault);
	}
	if (r >= 0) {
		r = put_placement(change, lock, credential->id, PLACEMENT_PRESENT, ret_fault);
	}
	return r < 0 ? r
		     : change_tell(change, credential_data(slot->type), DATA_ADD, user, lock,
			       ret_fault, "%s %s %s, number %lld there",
			       credential_type_name(slot->type), credential->id,
			       is_learnt ? "learnt" : "adopted", (long long) slot->ref);
}

static int run_adopt(struct change *change, struct fault *ret_fault) {
	struct user user;
	struct credential credential = { .valid_until = { 0 } };
	int r = adopt(change, &user, &credential, ret_fault);

	wipe(&user, sizeof(user));
	wipe(&credential, sizeof(credential));
	return r;
}

int hub_code_adopt(struct hub *hub, const char *lock_word, enum credential_type type, int64_t ref,
	const char *user_word, const struct people_by *by, char ret_id[static ROW_ID_MAX],
	people_done_fn *done, void *user, struct fault *ret_fault) {
	struct change *change = change_new(hub, run_adopt, by, done, user, ret_fault);
	char id[ROW_ID_MAX];
	int r;

	if (change == NULL) {
		return change_refused(by);
	}
	change->type = type;
	change->ref = ref;
	change_make_id(hub, id);
	memcpy(change->id, id, sizeof(id));
	r = change_set_text(change->word, sizeof(change->word), user_word, "a user", ret_fault);
	if (r >= 0) {
		r = change_set_text(
			change->lock, sizeof(change->lock), lock_word, "a lock", ret_fault);
	}
	r = r < 0 ? change_drop(change, r) : change_submit(change, ret_fault);
	if (r >= 0) {
		memcpy(ret_id, id, sizeof(id));
	}
	return r;
}

int people_take_learnt(struct hub *hub, const struct learnt *learnt, struct fault *ret_fault) {
	const struct people_by by = { .actor = learnt->actor, .role = ROLE_MANAGE };
	struct change *change = change_new(hub, run_adopt, &by, NULL, NULL, ret_fault);

	if (change == NULL) {
		return change_refused(&by);
	}
	change->type = learnt->type;
	change->ref = learnt->ref;
	change_make_id(hub, change->id);
	(void) text_copy(change->op_id, sizeof(change->op_id), learnt->op_id);
	(void) text_copy(change->word, sizeof(change->word), learnt->user_id);
	(void) text_copy(change->lock, sizeof(change->lock), learnt->lock_id);
	(void) text_copy(change->add.label, sizeof(change->add.label), learnt->label);
	return change_submit(change, ret_fault);
}

/* A revoked credential of nobody: sync removes it like any other, and alarms until it is gone. */
static int run_remove_foreign(struct change *change, struct fault *ret_fault) {
	struct credential row = { .state = CREDENTIAL_REVOKED, .label = "foreign" };
	const struct slot *slot = NULL;
	struct lock *lock;
	int r = hub_get_lock(change->hub, change->lock, &lock, ret_fault);

	if (r >= 0) {
		r = find_foreign(change, lock, &slot, ret_fault);
	}
	if (r < 0 || slot == NULL) {
		return r;
	}
	(void) text_copy(row.id, sizeof(row.id), change->id);
	memcpy(row.lock_id, lock->id, sizeof(row.lock_id));
	(void) text_copy(row.created_by, sizeof(row.created_by), change->actor);
	row.type = slot->type;
	row.pin = slot->pin;
	row.created_at = clock_wall(change->hub->config.clock);
	r = change_put_credential(change, &row, ret_fault);
	wipe(&row, sizeof(row));
	if (r >= 0) {
		r = put_placement(change, lock, change->id, PLACEMENT_LEAVING, ret_fault);
	}
	return r < 0 ? r
		     : change_tell(change, credential_data(slot->type), DATA_CLEAR, NULL, lock,
			       ret_fault, "foreign %s, number %lld there, called %s",
			       credential_type_name(slot->type), (long long) slot->ref, slot->name);
}

int hub_code_remove_foreign(struct hub *hub, const char *lock_word, enum credential_type type,
	int64_t ref, const struct people_by *by, people_done_fn *done, void *user,
	struct fault *ret_fault) {
	struct change *change = change_new(hub, run_remove_foreign, by, done, user, ret_fault);
	int r;

	if (change == NULL) {
		return change_refused(by);
	}
	change->type = type;
	change->ref = ref;
	change_make_id(hub, change->id);
	r = change_set_text(change->lock, sizeof(change->lock), lock_word, "a lock", ret_fault);
	return r < 0 ? change_drop(change, r) : change_submit(change, ret_fault);
}
