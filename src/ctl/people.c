/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Users, and what belongs to them, as commands want them. */

#include "room.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "util/fault.h"
#include "util/text.h"

int people_find(struct ctl *ctl, const char *word, char *ret_path) {
	AUTO(sd_bus_message_unref) sd_bus_message *reply = NULL;
	const char *path;
	if (!text_is_utf8(word, strlen(word))) {
		complain(ctl, "a user's name is UTF-8 text");
		return -EINVAL;
	}
	int r = talk_call(
		ctl, MANAGER_PATH, MANAGER_INTERFACE, "FindUser", NULL, &reply, "s", word);
	if (r < 0) {
		return r;
	}
	r = sd_bus_message_read(reply, "o", &path);
	if (r < 0 || !text_copy(ret_path, PATH_TEXT_MAX, path)) {
		complain(ctl, "FindUser: the answer cannot be read");
		return -EBADMSG;
	}
	return 0;
}

/* A property that is only told when asked for: an array of dictionaries. */
static json_t *fetch_list(
	struct ctl *ctl, const char *path, const char *interface, const char *property) {
	AUTO(sd_bus_message_unref) sd_bus_message *reply = NULL;
	if (talk_call(ctl, path, "org.freedesktop.DBus.Properties", "Get", NULL, &reply, "ss",
		    interface, property) < 0) {
		return NULL;
	}
	json_t *list = wire_read(reply);
	if (!json_is_array(list)) {
		json_decref(list);
		return facts_unreadable(ctl);
	}
	return facts_of_list(list);
}

/* Puts credentials and schedules to what the other properties said; takes. */
static json_t *complete(struct ctl *ctl, json_t *take_user) {
	AUTO(json_decref) json_t *user = take_user;
	const char *path = facts_text(user, "path");
	json_t *credentials = fetch_list(ctl, path, USER_INTERFACE, "Credentials"), *each;
	json_t *schedules =
		credentials != NULL ? fetch_list(ctl, path, USER_INTERFACE, "Schedules") : NULL;
	size_t i;
	if (schedules == NULL) {
		json_decref(credentials);
		return NULL;
	}
	json_array_foreach(credentials, i, each) {
		json_t *locks = json_object_get(each, "locks");
		json_object_set_new(each, "locks", facts_of_list(json_incref(locks)));
	}
	json_object_set_new(user, "credentials", credentials);
	json_object_set_new(user, "schedules", schedules);
	return STEAL(user);
}

json_t *people_fetch_user(struct ctl *ctl, const char *path) {
	AUTO(sd_bus_message_unref) sd_bus_message *reply = NULL;
	if (talk_call(ctl, path, "org.freedesktop.DBus.Properties", "GetAll", NULL, &reply, "s",
		    USER_INTERFACE) < 0) {
		return NULL;
	}
	json_t *user = facts_of_user(wire_read(reply));
	if (user == NULL) {
		return facts_unreadable(ctl);
	}
	json_object_set_new(user, "path", json_string(path));
	return complete(ctl, user);
}

json_t *people_fetch_users(struct ctl *ctl, const char *word) {
	AUTO(json_decref) json_t *users = json_array();
	size_t i;
	json_t *each;
	if (word != NULL) {
		char path[PATH_TEXT_MAX];
		if (people_find(ctl, word, path) < 0) {
			return NULL;
		}
		json_t *user = people_fetch_user(ctl, path);
		return user == NULL || json_array_append_new(users, user) < 0 ? NULL : STEAL(users);
	}
	AUTO(json_decref) json_t *all = facts_fetch_all(ctl);
	if (all == NULL) {
		return NULL;
	}
	json_array_foreach(json_object_get(all, "users"), i, each) {
		json_t *user = complete(ctl, json_incref(each));
		if (user == NULL || json_array_append_new(users, user) < 0) {
			return NULL;
		}
	}
	return STEAL(users);
}

int people_find_code(struct ctl *ctl, const char *id, char *ret_path) {
	AUTO(json_decref) json_t *users = people_fetch_users(ctl, NULL);
	size_t i, k;
	json_t *user, *each;
	if (users == NULL) {
		return -EIO;
	}
	json_array_foreach(users, i, user) {
		json_array_foreach(json_object_get(user, "credentials"), k, each) {
			if (strcmp(facts_text(each, "id"), id) == 0) {
				text_copy(ret_path, PATH_TEXT_MAX, facts_text(user, "path"));
				return 0;
			}
		}
	}
	char hint[FAULT_TEXT_MAX];
	complain(ctl, "%s", fault_row(FAULT_NO_SUCH_CODE)->summary);
	advise(ctl, "%s", fault_hint(FAULT_NO_SUCH_CODE, NULL, hint));
	return -ENOENT;
}

json_t *people_fetch_slots(struct ctl *ctl, const char *lock_path) {
	return fetch_list(ctl, lock_path, LOCK_INTERFACE, "Users");
}

int people_call(struct ctl *ctl, const char *path, const char *interface, const char *member,
	const char *types, ...) {
	AUTO(sd_bus_message_unref) sd_bus_message *call = NULL, *reply = NULL;
	if (talk_new(ctl, path, interface, member, &call) < 0) {
		return CTL_FAILED;
	}
	va_list args;
	va_start(args, types);
	int r = sd_bus_message_appendv(call, types, args);
	va_end(args);
	if (r < 0) {
		complain(ctl, "the question cannot be made; is all of it UTF-8 text?");
		return CTL_FAILED;
	}
	return talk_send(ctl, call, NULL, &reply) < 0 ? CTL_FAILED : CTL_DONE;
}

char *people_join(const json_t *texts, char *out, size_t size) {
	size_t i, n = 0;
	const json_t *each;
	out[0] = '\0';
	json_array_foreach((json_t *) texts, i, each) {
		if (n < size) {
			n += (size_t) snprintf(out + n, size - n, "%s%s", n > 0 ? ", " : "",
				json_string_value(each));
		}
	}
	return out;
}

char *people_when(const json_t *user, const char *lock, char *out, size_t size) {
	size_t i, n = 0;
	const json_t *each;
	out[0] = '\0';
	json_array_foreach(json_object_get(user, "schedules"), i, each) {
		const char *at = facts_text(each, "lock");
		if (n >= size || (lock != NULL && at[0] != '\0' && strcmp(at, lock) != 0)) {
			continue;
		}
		n += (size_t) snprintf(
			out + n, size - n, "%s%s", n > 0 ? "; " : "", facts_text(each, "text"));
	}
	return out;
}

char *people_sync_text(const json_t *sync, char *out, size_t size) {
	static const char *const keys[] = { "present", "pending", "leaving", "refused", "foreign" };
	size_t n = 0;
	if (!facts_flag(sync, "supported")) {
		snprintf(out, size, "none that the hub can manage");
		return out;
	}
	n = (size_t) snprintf(out, size, "%jd present", (intmax_t) facts_number(sync, keys[0], 0));
	for (size_t i = 1; i < ARRAY_SIZE(keys) && n < size; i++) {
		int64_t count = facts_number(sync, keys[i], 0);
		if (count > 0) {
			n += (size_t) snprintf(
				out + n, size - n, ", %jd %s", (intmax_t) count, keys[i]);
		}
	}
	if (n < size && facts_text(sync, "fault_text")[0] != '\0') {
		snprintf(out + n, size - n, "; %s", facts_text(sync, "fault_text"));
	}
	return out;
}

enum tone tone_of_placement(const char *state) {
	if (strcmp(state, "present") == 0) {
		return TONE_GOOD;
	}
	if (strcmp(state, "refused") == 0 || strcmp(state, "leaving") == 0) {
		return TONE_BAD;
	}
	return strcmp(state, "absent") == 0 || strcmp(state, "unsupported") == 0 ? TONE_FAINT
										 : TONE_WARN;
}

char *people_placement_text(const json_t *at, char *out, size_t size) {
	const char *state = facts_text(at, "state"), *why = facts_text(at, "fault_text");
	bool is_troubled = why[0] != '\0' && strcmp(state, "present") != 0;
	if (strcmp(state, "absent") == 0) {
		snprintf(out, size, "absent: it is not its time");
	} else if (strcmp(state, "unsupported") == 0) {
		snprintf(out, size, "unsupported: the lock keeps no codes that the hub can manage");
	} else {
		snprintf(out, size, "%s%s%s", state, is_troubled ? ": " : "",
			is_troubled ? why : "");
	}
	return out;
}
