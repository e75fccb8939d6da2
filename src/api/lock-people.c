/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * org.lockhub1.Lock about who may enter: what it holds, by which rules, and what it is to learn
 * while somebody presents it.
 */

#include "room.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "core/schedule.h"

static const struct lock *lock_of(const void *user) {
	return ((const struct api_lock *) user)->lock;
}

/* "Mon-Fri 08:00-12:00, from 2027-01-01 until 2027-03-01"; "" when nothing limits it. */
static char *window_text(
	const struct slot_window *window, const struct zone *zone, char *out, size_t size) {
	char text[SCHEDULE_TEXT_MAX], day[WALL_TEXT_MAX];
	bool has_days = window->days != 0 && window->days != DAYS_ALL;
	bool has_times = window->start_minute != 0 || window->end_minute != 0;
	struct schedule daily = {
		.kind = SCHEDULE_WEEK_DAY,
		.days = window->days != 0 ? window->days : DAYS_ALL,
		.start_minute = window->start_minute,
		.end_minute = has_times ? window->end_minute : 24 * 60 - 1,
	};
	size_t n = 0;
	out[0] = '\0';
	if (has_days || has_times) {
		n = (size_t) snprintf(out, size, "%s", schedule_text(&daily, text));
	}
	const struct {
		const char *word;
		wall_t at;
	} ends[] = { { "from", window->from }, { "until", window->until } };
	for (size_t i = 0; i < ARRAY_SIZE(ends) && n < size; i++) {
		if (ends[i].at.s != 0) {
			/* As the clock at the door shows it: no Z behind it. */
			wall_to_text((wall_t){ zone_local(zone, ends[i].at) }, day);
			day[10] = ' ';
			day[16] = '\0';
			n += (size_t) snprintf(
				out + n, size - n, "%s%s %s", n > 0 ? ", " : "", ends[i].word, day);
		}
	}
	return out;
}

static int put_slot_owner(sd_bus_message *reply, const struct api *api, const struct lock *lock,
	const struct slot *slot) {
	const struct book *book = hub_book(api->hub);
	const struct credential *credential =
		book_credential_of_slot(book, lock_id(lock), slot->type, slot->ref);
	const struct user *user = credential != NULL ? book_user(book, credential->user_id) : NULL;
	int r = put_text(reply, "user", user != NULL ? user->slug : "");
	if (r >= 0 && user != NULL) {
		r = put_text(reply, "user_name", user->name);
	}
	if (r >= 0 && credential != NULL) {
		r = put_text(reply, "credential", credential->id);
	}
	return r < 0 ? r : put_flag(reply, "foreign", credential == NULL && !slot->is_own);
}

static int put_slot_times(sd_bus_message *reply, const struct slot *slot, const struct zone *zone) {
	char text[160];
	int r = put_text(reply, "window",
		slot->is_limited ? window_text(&slot->window, zone, text, sizeof(text)) : "");
	if (r >= 0 && slot->created_at.s != 0) {
		r = put_number(reply, "created_at", slot->created_at.s);
	}
	if (r >= 0 && slot->last_used_at.s != 0) {
		r = put_number(reply, "last_used", slot->last_used_at.s);
	}
	return r < 0 ? r : put_number(reply, "uses", slot->n_uses);
}

static int value_slot(sd_bus_message *reply, const struct api *api, const struct lock *lock,
	const struct slot *slot) {
	int r = sd_bus_message_open_container(reply, 'a', "{sv}");
	if (r >= 0) {
		r = put_text(reply, "type", credential_type_name(slot->type));
	}
	if (r >= 0) {
		r = put_number(reply, "ref", slot->ref);
	}
	if (r >= 0) {
		r = put_text(reply, "name", slot->name);
	}
	if (r >= 0) {
		r = put_slot_owner(reply, api, lock, slot);
	}
	if (r >= 0) {
		r = put_flag(reply, "enabled", slot->is_enabled);
	}
	if (r >= 0) {
		r = put_flag(reply, "own", slot->is_own);
	}
	if (r >= 0 && slot->type == CREDENTIAL_APP_KEY) {
		r = put_flag(reply, "remote_allowed", slot->is_remote_allowed);
	}
	if (r >= 0) {
		r = put_slot_times(reply, slot, hub_lock_zone(api->hub, lock_id(lock)));
	}
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

PROPERTY_GETTER(lock_get_users) {
	const struct api_lock *shown = user;
	const struct lock *lock = lock_of(user);
	wall_t at;
	size_t n = 0;
	const struct slot *slots =
		book_slots(hub_book(shown->object.api->hub), lock_id(lock), &n, &at);
	int r = sd_bus_message_open_container(reply, 'a', "a{sv}");
	for (size_t i = 0; r >= 0 && i < n; i++) {
		r = value_slot(reply, shown->object.api, lock, &slots[i]);
	}
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

PROPERTY_GETTER(lock_get_sync) {
	const struct api_lock *shown = user;
	const struct lock *lock = lock_of(user);
	struct sync_status status = { 0 };
	hub_sync_status(shown->object.api->hub, lock_id(lock), &status);
	const struct {
		const char *key;
		int64_t value;
	} numbers[] = {
		{ "present", status.n_present },
		{ "pending", status.n_pending },
		{ "leaving", status.n_leaving },
		{ "refused", status.n_refused },
		{ "foreign", status.n_foreign },
		{ "read_at", status.read_at.s },
		{ "next_edge", status.next_edge.s == INT64_MAX ? 0 : status.next_edge.s },
	};
	int r = sd_bus_message_open_container(reply, 'a', "{sv}");
	if (r >= 0) {
		r = put_flag(reply, "supported", status.is_supported);
	}
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(numbers); i++) {
		r = put_number(reply, numbers[i].key, numbers[i].value);
	}
	if (r >= 0) {
		r = put_flag(reply, "running", status.is_running);
	}
	if (r >= 0) {
		r = put_flag(reply, "broken", status.is_broken);
	}
	if (r >= 0 && status.fault.code != FAULT_NONE) {
		r = put_fault(reply, "fault", &status.fault, lock_slug(lock));
	}
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

PROPERTY_GETTER(lock_get_rules) {
	const struct api_lock *shown = user;
	const struct hub *hub = shown->object.api->hub;
	const char *id = lock_id(lock_of(user));
	const struct lock_rules *rules = book_rules(hub_book(hub), id);
	const struct zone *zone = hub_lock_zone(hub, id);
	const struct clock *clock = hub_clock(hub);
	enum operating_mode now =
		book_mode(hub_book(hub), id, zone, clock_wall(clock), clock_is_trusted(clock));
	return sd_bus_message_append(reply, "a{sv}", 8, "zone", "s", rules->zone, "zone_in_force",
		"s", zone->name, "factor", "s", factor_rule_name(rules->factor), "mode", "s",
		operating_mode_name(rules->mode), "mode_in_force", "s", operating_mode_name(now),
		"wrong_code_limit", "u", rules->wrong_code_limit, "code_disable_s", "u",
		rules->code_disable_s, "open_period_minutes", "u", rules->open_period_minutes);
}

PROPERTY_GETTER(lock_get_holidays) {
	const struct api_lock *shown = user;
	const char *id = lock_id(lock_of(user));
	const struct holiday *holiday;
	char text[SCHEDULE_TEXT_MAX];
	int r = sd_bus_message_open_container(reply, 'a', "a{sv}");
	for (size_t i = 0;
		r >= 0 && (holiday = book_holiday_at(hub_book(shown->object.api->hub), i)) != NULL;
		i++) {
		const struct schedule days = {
			.kind = SCHEDULE_YEAR_DAY, .from = holiday->from, .until = holiday->until
		};
		if (strcmp(holiday->lock_id, id) == 0) {
			r = sd_bus_message_append(reply, "a{sv}", 4, "id", "s", holiday->id,
				"index", "u", holiday->index, "text", "s",
				schedule_text(&days, text), "mode", "s",
				operating_mode_name(holiday->mode));
		}
	}
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

/* ------------------------------------------------------------------------- methods */

#define AT(member)                                                                                 \
	offsetof(struct learn_request, member), sizeof(((struct learn_request *) NULL)->member)
/* clang-format off */
static const struct option learn_options[] = {
	{ "label",   OPTION_TEXT,   AT(label), 0, NULL },
	{ "seconds", OPTION_NUMBER, AT(seconds), 0, NULL },
};
/* clang-format on */

static int read_learn(
	sd_bus_message *message, struct learn_request *learn, struct fault *ret_fault) {
	const char *user, *type;
	unsigned set;
	if (sd_bus_message_read(message, "ss", &user, &type) < 0 ||
		!text_copy(learn->user, sizeof(learn->user), user) ||
		credential_type_from_name(type, &learn->type) < 0) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
			"LearnCredential(s user, s type, a{sv} options): the type is rfid or "
			"fingerprint");
	}
	return options_read(
		message, learn_options, ARRAY_SIZE(learn_options), learn, &set, ret_fault);
}

static void learn_granted(struct api *api, sd_bus_message *message, const struct asker *asker) {
	struct fault fault = { 0 };
	const struct api_lock *shown = lock_called(api, message);
	if (shown == NULL) {
		return;
	}
	struct request request = request_of(shown->lock, ACT_PUT_CREDENTIAL, asker);
	int r = read_learn(message, &request.learn, &fault);
	request_send(api, message, &request, r, &fault);
}

int lock_method_learn(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	static const struct ask_rule rule = { ROLE_MANAGE, learn_granted, NULL };
	return ask(((struct api_lock *) user)->object.api, message, &rule);
}
