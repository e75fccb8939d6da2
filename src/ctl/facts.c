/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * From D-Bus properties to the form that lockhubctl(1) documents for --json, and from which the
 * texts are made too: names in lower snake case, times in RFC 3339, null for what is not known.
 */

#include "room.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/when.h"

enum mend {
	MEND_TIME,      /* seconds since 1970, 0: not known */
	MEND_ZERO,      /* 0: not known */
	MEND_MINUS_ONE, /* -1: not known */
	MEND_INT64_MIN, /* INT64_MIN: not known */
	MEND_NONE,      /* "none": nothing */
	MEND_EMPTY,     /* "": not known */
};

/* clang-format off */
static const struct {
	const char *key;
	enum mend mend;
} mended[] = {
	{ "time",            MEND_TIME },
	{ "lock_time",       MEND_TIME },
	{ "paired_at",       MEND_TIME },
	{ "previous_time",   MEND_TIME },
	{ "last_seen",       MEND_TIME },
	{ "requested",       MEND_TIME },
	{ "created_at",      MEND_TIME },
	{ "first_used",      MEND_TIME },
	{ "last_used",       MEND_TIME },
	{ "valid_until",     MEND_TIME },
	{ "since",           MEND_TIME },
	{ "confirmed_at",    MEND_TIME },
	{ "read_at",         MEND_TIME },
	{ "next_edge",       MEND_TIME },
	{ "timer",           MEND_ZERO },
	{ "rssi",            MEND_ZERO },
	{ "lock_rssi",       MEND_ZERO },
	{ "battery_percent", MEND_MINUS_ONE },
	{ "latency_ms",      MEND_MINUS_ONE },
	{ "clock_offset",    MEND_INT64_MIN },
	{ "fault",           MEND_NONE },
	{ "model",           MEND_EMPTY },
	{ "serial",          MEND_EMPTY },
	{ "firmware",        MEND_EMPTY },
	{ "hardware",        MEND_EMPTY },
};

/* What is not known while its group is not in Known. */
static const struct {
	const char *group;
	const char *keys[4];
} by_group[] = {
	{ "battery",     { "charging" } },
	{ "actuator",    { "enabled", "calibrated" } },
};
/* clang-format on */

char *facts_key(const char *property, char *out, size_t size) {
	size_t n = 0;
	for (const char *p = property; *p != '\0' && n + 2 < size; p++) {
		if (isupper((unsigned char) *p) && p != property) {
			out[n++] = '_';
		}
		out[n++] = (char) tolower((unsigned char) *p);
	}
	out[n] = '\0';
	return out;
}

const char *facts_text(const json_t *facts, const char *key) {
	const char *text = json_string_value(json_object_get(facts, key));
	return text != NULL ? text : "";
}

bool facts_flag(const json_t *facts, const char *key) {
	return json_is_true(json_object_get(facts, key));
}

int64_t facts_number(const json_t *facts, const char *key, int64_t fallback) {
	const json_t *value = json_object_get(facts, key);
	return json_is_integer(value) ? json_integer_value(value) : fallback;
}

static json_t *time_or_null(int64_t seconds) {
	char text[WALL_TEXT_MAX];
	return seconds == 0 ? json_null() : json_string(wall_to_text((wall_t){ seconds }, text));
}

/* A new reference. */
static json_t *mend(enum mend how, json_t *value) {
	int64_t number = json_integer_value(value);
	const char *text = json_string_value(value);
	switch (how) {
	case MEND_TIME:
		return json_is_integer(value) ? time_or_null(number) : json_incref(value);
	case MEND_ZERO:
		return number == 0 ? json_null() : json_incref(value);
	case MEND_MINUS_ONE:
		return number == -1 ? json_null() : json_incref(value);
	case MEND_INT64_MIN:
		return number == INT64_MIN ? json_null() : json_incref(value);
	case MEND_NONE:
		return text != NULL && strcmp(text, "none") == 0 ? json_null() : json_incref(value);
	case MEND_EMPTY:
		return text != NULL && text[0] == '\0' ? json_null() : json_incref(value);
	}
	return json_incref(value);
}

/* Keys to snake case, values mended. Takes; NULL for NULL. */
static json_t *mend_object(json_t *take_object) {
	AUTO(json_decref) json_t *object = take_object;
	const char *property;
	json_t *value;
	if (!json_is_object(object)) {
		return NULL;
	}
	AUTO(json_decref) json_t *facts = json_object();
	json_object_foreach(object, property, value) {
		char key[64];
		json_t *better = NULL;
		facts_key(property, key, sizeof(key));
		for (size_t i = 0; i < ARRAY_SIZE(mended) && better == NULL; i++) {
			if (strcmp(mended[i].key, key) == 0) {
				better = mend(mended[i].mend, value);
			}
		}
		if (better == NULL) {
			better = json_incref(value);
		}
		if (json_object_set_new(facts, key, better) < 0) {
			return NULL;
		}
	}
	return STEAL(facts);
}

/* {"state": ["answered", wall, boot]} -> {"state": {"how": ..., "time": ..., "age_ms": ...}} */
static json_t *mend_known(const json_t *known) {
	const char *group;
	json_t *triple;
	json_t *result = json_object();
	int64_t now_wall = moment_now(), now_boot = moment_boot_ms();
	json_object_foreach((json_t *) known, group, triple) {
		int64_t wall = json_integer_value(json_array_get(triple, 1));
		int64_t boot = json_integer_value(json_array_get(triple, 2));
		/* What is remembered from a former life has no place on this boot's clock. */
		int64_t age = boot != 0   ? now_boot - boot
			      : wall != 0 ? (now_wall - wall) * 1000
					  : -1;
		json_object_set_new(result, group,
			json_pack("{s:O, s:o, s:o}", "how", json_array_get(triple, 0), "time",
				time_or_null(wall), "age_ms",
				age >= 0 ? json_integer(age) : json_null()));
	}
	return result;
}

json_t *facts_of_event(json_t *event) {
	return mend_object(event);
}

json_t *facts_of_sighting(json_t *sighting) {
	return mend_object(sighting);
}

json_t *facts_of_operation(json_t *properties) {
	return mend_object(properties);
}

json_t *facts_of_status(json_t *status) {
	return mend_object(status);
}

json_t *facts_of_user(json_t *properties) {
	return mend_object(properties);
}

json_t *facts_of_list(json_t *take_list) {
	AUTO(json_decref) json_t *list = take_list;
	json_t *facts = json_array(), *each;
	size_t i;
	json_array_foreach(list, i, each) {
		json_array_append_new(facts, mend_object(json_incref(each)));
	}
	return facts;
}

json_t *facts_of_lock(json_t *properties) {
	AUTO(json_decref) json_t *facts = mend_object(properties);
	if (facts == NULL) {
		return NULL;
	}
	const json_t *known = json_object_get(facts, "known");
	for (size_t i = 0; known != NULL && i < ARRAY_SIZE(by_group); i++) {
		for (size_t k = 0; by_group[i].keys[k] != NULL; k++) {
			if (json_object_get(known, by_group[i].group) == NULL &&
				json_object_get(facts, by_group[i].keys[k]) != NULL) {
				json_object_set_new(facts, by_group[i].keys[k], json_null());
			}
		}
	}
	if (known != NULL) {
		json_object_set_new(facts, "known", mend_known(known));
	}
	json_t *event = json_object_get(facts, "last_event");
	if (event != NULL) {
		json_object_set_new(facts, "last_event",
			json_object_size(event) == 0 ? json_null()
						     : facts_of_event(json_incref(event)));
	}
	json_t *sync = json_object_get(facts, "sync");
	if (sync != NULL) {
		json_object_set_new(facts, "sync", mend_object(json_incref(sync)));
	}
	json_t *offset = json_object_get(facts, "clock_offset");
	if (offset != NULL) {
		json_object_set(facts, "clock_offset_s", offset);
		json_object_del(facts, "clock_offset");
	}
	return STEAL(facts);
}

json_t *facts_unreadable(struct ctl *ctl) {
	complain(ctl, "the answer of lockhubd cannot be read");
	advise(ctl, "Are both of the same version? lockhubctl version");
	return NULL;
}

static int compare_names(const void *a, const void *b) {
	const json_t *left = *(json_t *const *) a, *right = *(json_t *const *) b;
	int order = strcasecmp(facts_text(left, "name"), facts_text(right, "name"));
	return order != 0 ? order : strcmp(facts_text(left, "slug"), facts_text(right, "slug"));
}

static int compare_numbers(const void *a, const void *b) {
	const json_t *left = *(json_t *const *) a, *right = *(json_t *const *) b;
	int64_t difference = facts_number(left, "number", 0) - facts_number(right, "number", 0);
	return difference < 0 ? -1 : difference > 0;
}

static int compare_requests(const void *a, const void *b) {
	const json_t *left = *(json_t *const *) a, *right = *(json_t *const *) b;
	int order = strcmp(facts_text(left, "requested"), facts_text(right, "requested"));
	return order != 0 ? order : strcmp(facts_text(left, "id"), facts_text(right, "id"));
}

/* Takes; the hub's own order is that of a hash table. */
static json_t *sorted(json_t *take_array, int (*compare)(const void *a, const void *b)) {
	AUTO(json_decref) json_t *array = take_array;
	size_t n = json_array_size(array);
	AUTO(free) json_t **items = calloc(n + 1, sizeof(json_t *));
	json_t *result = json_array();
	if (items == NULL || result == NULL) {
		return result;
	}
	for (size_t i = 0; i < n; i++) {
		items[i] = json_array_get(array, i);
	}
	qsort(items, n, sizeof(json_t *), compare);
	for (size_t i = 0; i < n; i++) {
		json_array_append(result, items[i]);
	}
	return result;
}

json_t *facts_fetch_all(struct ctl *ctl) {
	AUTO(sd_bus_message_unref) sd_bus_message *reply = NULL;
	if (talk_call(ctl, HUB_ROOT, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects",
		    NULL, &reply, "") < 0) {
		return NULL;
	}
	AUTO(json_decref) json_t *objects = wire_read(reply);
	if (!json_is_object(objects)) {
		return facts_unreadable(ctl);
	}
	json_t *locks = json_array(), *operations = json_array(), *users = json_array();
	json_t *interfaces;
	const char *path;
	json_object_foreach(objects, path, interfaces) {
		json_t *lock = json_object_get(interfaces, LOCK_INTERFACE);
		json_t *operation = json_object_get(interfaces, OPERATION_INTERFACE);
		json_t *user = json_object_get(interfaces, USER_INTERFACE);
		if (lock != NULL) {
			json_t *facts = facts_of_lock(json_incref(lock));
			json_object_set_new(facts, "path", json_string(path));
			json_array_append_new(locks, facts);
		} else if (user != NULL) {
			json_t *facts = facts_of_user(json_incref(user));
			json_object_set_new(facts, "path", json_string(path));
			json_array_append_new(users, facts);
		} else if (operation != NULL) {
			json_array_append_new(
				operations, facts_of_operation(json_incref(operation)));
		}
	}
	return json_pack("{s:o, s:o, s:o}", "locks", sorted(locks, compare_names), "operations",
		sorted(operations, compare_requests), "users", sorted(users, compare_numbers));
}

json_t *facts_fetch_lock(struct ctl *ctl, const char *path) {
	AUTO(sd_bus_message_unref) sd_bus_message *reply = NULL;
	if (talk_call(ctl, path, "org.freedesktop.DBus.Properties", "GetAll", NULL, &reply, "s",
		    LOCK_INTERFACE) < 0) {
		return NULL;
	}
	json_t *lock = facts_of_lock(wire_read(reply));
	if (lock == NULL) {
		return facts_unreadable(ctl);
	}
	json_object_set_new(lock, "path", json_string(path));
	return lock;
}

json_t *facts_fetch_locks(struct ctl *ctl, char **words, int n_words) {
	if (n_words == 0) {
		AUTO(json_decref) json_t *all = facts_fetch_all(ctl);
		return all != NULL ? json_incref(json_object_get(all, "locks")) : NULL;
	}
	AUTO(json_decref) json_t *locks = json_array();
	for (int i = 0; i < n_words; i++) {
		char path[PATH_TEXT_MAX];
		if (talk_find_lock(ctl, words[i], path) < 0) {
			return NULL;
		}
		json_t *lock = facts_fetch_lock(ctl, path);
		if (lock == NULL) {
			return NULL;
		}
		json_array_append_new(locks, lock);
	}
	return STEAL(locks);
}
