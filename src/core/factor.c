/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The second half of the gate: the lock's mode, and the second factor of remote commands. Who gives
 * a personal code or a one-time password is a user of the book from then on, and may do what that
 * user may. Wrong ones are counted per lock; the count survives a restart, since a restart must not
 * be worth a guess.
 */

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/people.h"
#include "crypto/totp.h"
#include "private.h"
#include "util/text.h"

#define LOCKED_OUT_MOST_S 3600
#define SETTING_PREFIX "factor."

/* How a user can be told. */
enum { BY_CODE = 1, BY_TOTP = 2, BY_BOTH = 4 };

static unsigned ways_of(enum factor_rule rule) {
	switch (rule) {
	case FACTOR_CODE:
		return BY_CODE | BY_BOTH;
	case FACTOR_TOTP:
		return BY_TOTP | BY_BOTH;
	case FACTOR_BOTH:
		return BY_BOTH;
	case FACTOR_NONE: /* what is given is checked all the same */
	case FACTOR_EITHER:
		break;
	}
	return BY_CODE | BY_TOTP | BY_BOTH;
}

static int64_t left_ms(const struct lock *lock) {
	int64_t ms = lock->locked_out_until.ms - hub_now(lock->hub).ms;

	return ms > 0 ? ms : 0;
}

static void keep_count(const struct lock *lock, struct txn *txn) {
	struct txn_item *item = txn_add(txn, TXN_SETTING);
	int64_t left_s = (left_ms(lock) + 999) / 1000;

	if (item != NULL) {
		(void) snprintf(item->setting.key, sizeof(item->setting.key), SETTING_PREFIX "%s",
			lock->id);
		(void) snprintf(item->setting.value, sizeof(item->setting.value),
			"%u %u %" PRId64 " %" PRId64, lock->n_wrong_factors, lock->n_lock_outs,
			clock_wall(lock->hub->config.clock).s + left_s, left_s);
	}
}

/*
 * By the wall clock when it is to be believed; else all of the time again, never more: a clock that
 * is wrong must neither open the door to guesses nor close it for years.
 */
void hub_load_setting(struct hub *hub, const char *key, const char *value) {
	const struct clock *clock = hub->config.clock;
	struct lock *lock = NULL;
	unsigned n_wrong;
	unsigned n_lock_outs;
	int64_t until_s;
	int64_t all_s;
	int64_t left_s;

	if (settings_load(hub, key, value) || timers_load(hub, key, value) ||
		renew_load(hub, key, value) || sync_load_held(hub, key, value)) {
		return;
	}
	if (strncmp(key, SETTING_PREFIX, strlen(SETTING_PREFIX)) == 0) {
		lock = hub_lock_by_id(hub, key + strlen(SETTING_PREFIX));
	}
	if (lock == NULL || sscanf(value, "%u %u %" SCNd64 " %" SCNd64, &n_wrong, &n_lock_outs,
				    &until_s, &all_s) != 4) {
		return;
	}
	all_s = all_s < 0 ? 0 : all_s > LOCKED_OUT_MOST_S ? LOCKED_OUT_MOST_S : all_s;
	left_s = clock_is_trusted(clock) ? until_s - clock_wall(clock).s : all_s;
	left_s = left_s < 0 ? 0 : left_s > all_s ? all_s : left_s;
	lock->n_wrong_factors = n_wrong;
	lock->n_lock_outs = n_lock_outs;
	lock->locked_out_until = mono_after(hub_now(hub), left_s * 1000);
}

/* ---- who is it ---- */

struct found {
	const struct user *user;
	int64_t step; /* of the one-time password; 0: none */
	unsigned n;   /* users that it could be */
};

/* Every user is looked at, whoever it was: the time taken tells nothing. */
static void find_user(const struct hub *hub, const struct secret *factor, unsigned ways,
	bool is_trusted, wall_t now, struct found *ret) {
	AUTO_VALUE(secret_wipe) struct secret code = { .len = 0 };
	bool is_long = factor->len > TOTP_DIGITS;
	const char *otp = NULL;

	*ret = (struct found){ .user = NULL };
	if (factor->len >= TOTP_DIGITS) {
		otp = (const char *) factor->bytes + factor->len - TOTP_DIGITS;
		(void) secret_set(&code, factor->bytes, factor->len - TOTP_DIGITS);
	}
	for (size_t i = 0; i < book_user_count(hub->book); i++) {
		const struct user *user = book_user_at(hub->book, i);
		bool is_code = user->code.len > 0 && (ways & BY_CODE) != 0 &&
			       secret_equal(&user->code, factor) != 0;
		bool is_part = user->code.len > 0 && secret_equal(&user->code, &code) != 0;
		int64_t step = 0;
		bool is_otp =
			otp != NULL && user->totp.len > 0 && is_trusted &&
			totp_check(&user->totp, otp, TOTP_DIGITS, now, user->totp_step, &step) >= 0;

		is_otp = is_otp &&
			 (is_long ? (ways & BY_BOTH) != 0 && is_part : (ways & BY_TOTP) != 0);
		if (is_code || is_otp) {
			ret->user = user;
			ret->step = is_otp ? step : 0;
			ret->n++;
		}
	}
}

/* ---- what comes of it ---- */

static struct event *add_event(struct txn *txn, const struct lock *lock, enum event_kind kind,
	const struct request *request) {
	struct event *event = txn_add_event(txn, lock->hub, lock, kind);

	if (event != NULL) {
		event->source = SOURCE_REMOTE;
		event->operation = act_operation(request->act);
		(void) snprintf(event->text, sizeof(event->text), "asked by %s", request->actor);
	}
	return event;
}

static void lock_out(struct lock *lock, const struct lock_rules *rules, struct txn *txn,
	const struct request *request) {
	int64_t s = rules->code_disable_s;
	struct event *event;

	for (unsigned i = 0; i < lock->n_lock_outs && s < LOCKED_OUT_MOST_S; i++) {
		s *= 2;
	}
	s = s > LOCKED_OUT_MOST_S ? LOCKED_OUT_MOST_S : s;
	lock->n_wrong_factors = 0;
	lock->n_lock_outs++;
	lock->locked_out_until = mono_after(hub_now(lock->hub), s * 1000);
	event = add_event(txn, lock, EVENT_LOCKED_OUT, request);
	if (event != NULL) {
		event->operation = OPERATION_NONE;
		event->number = s;
	}
	event = add_event(txn, lock, EVENT_ALARM, request);
	if (event != NULL) {
		event->operation = OPERATION_NONE;
		event->alarm = ALARM_WRONG_CODE_LIMIT;
		event->number = rules->wrong_code_limit;
	}
}

static int count_wrong(struct lock *lock, const struct request *request, bool is_trusted,
	struct fault *ret_fault) {
	const struct lock_rules *rules = book_rules(lock->hub->book, lock->id);
	struct txn *txn = hub_txn_new(lock->hub);
	struct event *event;

	lock->n_wrong_factors++;
	if (txn != NULL) {
		event = add_event(txn, lock, EVENT_LOCK_OPERATION_ERROR, request);
		if (event != NULL) {
			event->error = OPERATION_ERROR_INVALID_CREDENTIAL;
		}
		if (lock->n_wrong_factors >= rules->wrong_code_limit) {
			lock_out(lock, rules, txn, request);
		}
		keep_count(lock, txn);
		hub_commit(lock->hub, txn);
	}
	return fault_set(ret_fault, FAULT_FACTOR_WRONG, "%s of %s%s", act_name(request->act),
		lock->slug,
		is_trusted ? ""
			   : "; the hub's clock is not set, so one-time passwords do not work");
}

static int refuse(struct lock *lock, const struct request *request, const struct user *user,
	enum access_decision decision, struct txn *take_txn, struct fault *ret_fault) {
	static const struct {
		enum fault_code fault;
		enum operation_error error;
	} rows[] = {
		[ACCESS_NON_ACCESS] = { FAULT_NO_ACCESS, OPERATION_ERROR_NONE },
		[ACCESS_DISABLED] = { FAULT_USER_DISABLED, OPERATION_ERROR_DISABLED_USER },
		[ACCESS_RESTRICTED] = { FAULT_USER_RESTRICTED, OPERATION_ERROR_RESTRICTED },
		[ACCESS_MODE] = { FAULT_MODE_FORBIDS, OPERATION_ERROR_RESTRICTED },
		[ACCESS_NONE] = { FAULT_NO_ACCESS, OPERATION_ERROR_RESTRICTED },
	};
	bool is_known = decision == ACCESS_NON_ACCESS;
	struct event *event = add_event(take_txn, lock,
		is_known ? EVENT_LOCK_OPERATION : EVENT_LOCK_OPERATION_ERROR, request);

	if (event != NULL) {
		event->operation = is_known ? OPERATION_NON_ACCESS_USER_EVENT : event->operation;
		event->error = rows[decision].error;
		event->attribution = ATTRIBUTION_FACTOR;
		(void) text_copy(event->user, sizeof(event->user), user->name);
		(void) text_copy(event->user_id, sizeof(event->user_id), user->id);
	}
	hub_commit(lock->hub, take_txn);
	return fault_set(ret_fault, rows[decision].fault, "%s at %s", user->name, lock->slug);
}

/*
 * The password counts as used from now on, in memory at once and on the disk before the first byte
 * goes out: the row goes into the transaction of the intent.
 */
static void use_step(struct hub *hub, const struct user *user, int64_t step, struct txn *txn) {
	struct txn_item *item;
	struct user row = *user;

	row.totp_step = step;
	item = txn_add(txn, TXN_USER_PUT);
	if (item != NULL) {
		item->user = *people_newest_user(hub, user->id);
		item->user.totp_step = step;
	}
	(void) book_put_user(hub->book, &row);
	wipe(&row, sizeof(row));
}

/* Under duress: told when the code is given, whatever comes of the lock. */
static void alarm_forced(struct lock *lock, const struct request *request, const struct user *user,
	struct txn *txn) {
	struct event *event = add_event(txn, lock, EVENT_ALARM, request);

	if (event != NULL) {
		event->alarm = ALARM_FORCED_USER;
		event->operation = OPERATION_FORCED_USER_EVENT;
		event->attribution = ATTRIBUTION_FACTOR;
		(void) text_copy(event->user, sizeof(event->user), user->name);
		(void) text_copy(event->user_id, sizeof(event->user_id), user->id);
	}
}

/* The one use that such a user has is under way already, here or at another door. */
static bool is_spending(const struct hub *hub, const struct user *user) {
	const struct op_entry *entry;

	if (user->type != USER_DISPOSABLE) {
		return false;
	}
	list_for_each(entry, &hub->ops, all) {
		if (entry->op.state < OP_FINISHED && policy_opens(entry->op.act) &&
			strcmp(entry->op.user_id, user->id) == 0) {
			return true;
		}
	}
	return false;
}

static int let_in(struct lock *lock, const struct request *request, const struct found *found,
	struct passed *ret, struct fault *ret_fault) {
	struct hub *hub = lock->hub;
	const struct clock *clock = hub->config.clock;
	enum access_decision decision = book_decide(hub->book, found->user, lock->id, true,
		hub_lock_zone(hub, lock->id), clock_wall(clock), clock_is_trusted(clock));
	struct txn *txn = hub_txn_new(hub);

	if (txn == NULL) {
		return fault_set(ret_fault, FAULT_NO_MEMORY, "checking the second factor");
	}
	(void) text_copy(ret->user_id, sizeof(ret->user_id), found->user->id);
	(void) text_copy(ret->user, sizeof(ret->user), found->user->name);
	if (decision == ACCESS_ALLOW && policy_opens(request->act) &&
		is_spending(hub, found->user)) {
		decision = ACCESS_DISABLED;
	}
	if (found->user->type == USER_FORCED) {
		alarm_forced(lock, request, found->user, txn);
	}
	if (found->step != 0) {
		use_step(hub, found->user, found->step, txn);
	}
	if (decision != ACCESS_ALLOW) {
		return refuse(lock, request, book_user(hub->book, ret->user_id), decision, txn,
			ret_fault);
	}
	if (lock->n_wrong_factors > 0 || lock->n_lock_outs > 0) {
		lock->n_wrong_factors = 0;
		lock->n_lock_outs = 0;
		keep_count(lock, txn);
	}
	ret->txn = txn;
	return 0;
}

static int check_factor(struct lock *lock, const struct request *request, struct passed *ret,
	struct fault *ret_fault) {
	const struct clock *clock = lock->hub->config.clock;
	bool is_trusted = clock_is_trusted(clock);
	struct found found;

	find_user(lock->hub, &request->factor,
		ways_of(book_rules(lock->hub->book, lock->id)->factor), is_trusted,
		clock_wall(clock), &found);
	if (found.n == 0) {
		return count_wrong(lock, request, is_trusted, ret_fault);
	}
	if (found.n > 1) {
		/* Two one-time passwords are the same at the moment: rare, and nobody's fault. */
		return fault_set(ret_fault, FAULT_FACTOR_WRONG,
			"it could be more than one user's: wait for the next one-time password");
	}
	return let_in(lock, request, &found, ret, ret_fault);
}

static int check_mode(const struct lock *lock, struct fault *ret_fault) {
	const struct clock *clock = lock->hub->config.clock;
	enum operating_mode mode = book_mode(lock->hub->book, lock->id,
		hub_lock_zone(lock->hub, lock->id), clock_wall(clock), clock_is_trusted(clock));

	if (mode == MODE_PRIVACY || mode == MODE_NO_REMOTE_LOCK_UNLOCK) {
		return fault_set(ret_fault, FAULT_MODE_FORBIDS, "%s is in the mode %s", lock->slug,
			operating_mode_name(mode));
	}
	return 0;
}

static bool has_factors(const struct hub *hub) {
	for (size_t i = 0; i < book_user_count(hub->book); i++) {
		const struct user *user = book_user_at(hub->book, i);

		if (user->code.len > 0 || user->totp.len > 0) {
			return true;
		}
	}
	return false;
}

int factor_gate(struct lock *lock, const struct request *request, struct passed *ret,
	struct fault *ret_fault) {
	/*
	 * What is given is checked, also where it is not required. But where nobody has one and no
	 * rule asks for one, there is nothing to check: a code that Home Assistant was once told to
	 * send along must not keep a door from being locked.
	 */
	bool is_given = request->factor.len > 0 &&
			(book_rules(lock->hub->book, lock->id)->factor != FACTOR_NONE ||
				has_factors(lock->hub));
	bool opens = policy_opens(request->act) && request->origin != REQUEST_HUB;
	bool is_bound = opens && (request->origin == REQUEST_MQTT || request->role < ROLE_MANAGE);
	int r;

	if (!act_moves_motor(request->act)) {
		return 0;
	}
	if (opens) {
		r = check_mode(lock, ret_fault);
		if (r < 0) {
			return r;
		}
	}
	/* Whoever guesses must not keep a door from being locked: it is, in nobody's name. */
	if (request->act == ACT_LOCK && left_ms(lock) > 0) {
		return 0;
	}
	if ((is_given || is_bound) && left_ms(lock) > 0) {
		return fault_set(ret_fault, FAULT_LOCKED_OUT, "%s, for another %" PRId64 " s",
			lock->slug, (left_ms(lock) + 999) / 1000);
	}
	if (is_given) {
		return check_factor(lock, request, ret, ret_fault);
	}
	if (is_bound && book_rules(lock->hub->book, lock->id)->factor != FACTOR_NONE) {
		return fault_set(ret_fault, FAULT_FACTOR_REQUIRED, "%s wants a %s", lock->slug,
			factor_rule_name(book_rules(lock->hub->book, lock->id)->factor));
	}
	return 0;
}
