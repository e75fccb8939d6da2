/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Who asks, and in which role? All of it asynchronous (L5): sd-bus could tell the sender's
 * credentials itself, but it waits for the bus to do so.
 *
 *	message ─► GetConnectionCredentials ─► root: everything
 *	                                    └► polkit CheckAuthorization ─► its answer
 *	                                                  └► not installed: by user and group
 *
 * (the daemon's own user manages, the group operates, others nothing).
 *
 * Only "there is no polkit" opens the second way. A polkit that is there and fails is a refusal:
 * else whoever can make it fail would get round its rules.
 */

#include "room.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loop/bus.h"
#include "util/log.h"

#define CREDENTIALS_TIMEOUT_US (5 * 1000000ULL)
/* Without a person to be asked for a password polkit is quick, or not well. */
#define POLKIT_TIMEOUT_US (8 * 1000000ULL)
#define POLKIT_INTERACTIVE_TIMEOUT_US (90 * 1000000ULL)
#define PASSWD_LINES_MAX 4096

struct ask {
	struct list link;
	struct api *api;
	const struct ask_rule *rule;
	sd_bus_message *message;
	sd_bus_slot *slot;
	struct asker asker;
	bool has_uid; /* the bus has told it */
	bool is_in_group;
	bool is_interactive; /* polkit may ask a person for a password */
};

static struct ask *ask_free(struct ask *ask) {
	if (ask != NULL) {
		list_remove(&ask->link);
		ask->api->n_asks--;
		sd_bus_slot_unref(ask->slot);
		sd_bus_message_unref(ask->message);
		free(ask);
	}
	return NULL;
}

void ask_drop_all(struct api *api) {
	struct ask *each, *following;
	list_for_each_safe(each, following, &api->asks, link) {
		ask_free(each);
	}
}

static const char *action_of(enum role role) {
	switch (role) {
	case ROLE_NONE:
		break;
	case ROLE_VIEW:
		return API_NAME ".view";
	case ROLE_OPERATE:
		return API_NAME ".operate";
	case ROLE_MANAGE:
		return API_NAME ".manage";
	}
	return API_NAME ".manage";
}

/*
 * "anna (uid 1000)". Only /etc/passwd is read, not NSS: a directory server that does not answer
 * must not hold the loop. Users from elsewhere stay a number.
 */
static void name_asker(struct asker *asker) {
	snprintf(asker->name, sizeof(asker->name), "uid %u", (unsigned) asker->uid);
	FILE *file = fopen("/etc/passwd", "re");
	if (file == NULL) {
		return;
	}
	for (unsigned i = 0; i < PASSWD_LINES_MAX; i++) {
		struct passwd row, *found = NULL;
		char buf[1024];
		if (fgetpwent_r(file, &row, buf, sizeof(buf), &found) != 0) {
			break;
		}
		if (row.pw_uid == asker->uid && text_is_clean(row.pw_name, strlen(row.pw_name))) {
			snprintf(asker->name, sizeof(asker->name), "%.32s (uid %u)", row.pw_name,
				(unsigned) asker->uid);
			break;
		}
	}
	fclose(file);
}

static void grant(struct ask *take_ask) {
	struct ask *ask = take_ask;
	if (ask->is_interactive) {
		ask->asker.received = (mono_t){ 0 }; /* typing a password takes its time */
	}
	ask->rule->granted(ask->api, ask->message, &ask->asker);
	ask_free(ask);
}

static void refuse(struct ask *take_ask, const char *detail) {
	struct ask *ask = take_ask;
	struct fault fault;
	if (ask->rule->refused != NULL) {
		ask->rule->refused(ask->api, ask->message, &ask->asker);
	}
	fault_set(&fault, FAULT_DENIED, "%s", detail);
	reply_fault(ask->message, &fault);
	ask_free(ask);
}

/*
 * A person may take his time to give a password, and go away instead: nobody's door is opened for
 * somebody who has left the bus meanwhile (L2).
 */
static int on_still_there(sd_bus_message *reply, void *user, sd_bus_error *ret_error) {
	struct ask *ask = user;
	if (sd_bus_message_is_method_error(reply, NULL)) {
		refuse(ask, "the caller has left the bus");
		return 1;
	}
	grant(ask);
	return 1;
}

static void grant_if_still_there(struct ask *take_ask) {
	struct ask *ask = take_ask;
	ask->slot = sd_bus_slot_unref(ask->slot);
	int r = sd_bus_call_method_async(bus_sd(ask->api->bus), &ask->slot, "org.freedesktop.DBus",
		"/org/freedesktop/DBus", "org.freedesktop.DBus", "GetNameOwner", on_still_there,
		ask, "s", sd_bus_message_get_sender(ask->message));
	if (r < 0) {
		refuse(ask, "the bus does not say whether the caller is still there");
	}
}

/* Without polkit: who may do what is a matter of uid and group. */
static void judge_by_group(struct ask *take_ask) {
	struct ask *ask = take_ask;
	char detail[FAULT_DETAIL_MAX];
	if (ask->asker.uid == getuid()) {
		ask->asker.role = ROLE_MANAGE;
	} else if (ask->is_in_group) {
		ask->asker.role = ROLE_OPERATE;
	}
	if (ask->asker.role >= ask->rule->role) {
		grant_if_still_there(ask);
		return;
	}
	if (ask->rule->role == ROLE_MANAGE) {
		snprintf(detail, sizeof(detail),
			"%s may not manage locks without polkit; run it with sudo",
			ask->asker.name);
	} else if (ask->api->has_group) {
		snprintf(detail, sizeof(detail),
			"%s is not in group %s, which may view and operate", ask->asker.name,
			ask->api->group_name);
	} else {
		snprintf(detail, sizeof(detail), "the group %s does not exist, so only root may",
			ask->api->group_name);
	}
	refuse(ask, detail);
}

/*
 * Only the bus itself can say that there is no polkit. (polkit's own NameHasNoOwner means that the
 * caller has gone, which must never be taken for a missing polkit.)
 */
static bool is_polkit_missing(sd_bus_message *reply) {
	const char *sender = sd_bus_message_get_sender(reply);
	return sd_bus_message_is_method_error(reply, SD_BUS_ERROR_SERVICE_UNKNOWN) > 0 &&
	       sender != NULL && strcmp(sender, "org.freedesktop.DBus") == 0;
}

static int on_polkit(sd_bus_message *reply, void *user, sd_bus_error *ret_error) {
	struct ask *ask = user;
	char detail[FAULT_DETAIL_MAX];
	int is_authorized = 0, is_challenge = 0;
	const sd_bus_error *error = sd_bus_message_get_error(reply);
	if (is_polkit_missing(reply)) {
		judge_by_group(ask);
		return 1;
	}
	if (error != NULL) {
		log_blame(BLAME_SETUP, NULL, "polkit cannot be asked for %s: %s",
			action_of(ask->rule->role), error->message);
		snprintf(detail, sizeof(detail), "polkit cannot be asked: %s",
			error->message != NULL ? error->message : error->name);
		refuse(ask, detail);
		return 1;
	}
	int r = sd_bus_message_enter_container(reply, 'r', "bba{ss}");
	if (r >= 0) {
		r = sd_bus_message_read(reply, "bb", &is_authorized, &is_challenge);
	}
	if (r >= 0 && is_authorized) {
		ask->asker.role = ask->rule->role;
		if (ask->is_interactive) {
			grant_if_still_there(ask);
		} else {
			grant(ask);
		}
		return 1;
	}
	if (is_challenge) {
		snprintf(detail, sizeof(detail),
			"%s needs a password for %s and nobody could be asked; use sudo",
			ask->asker.name, action_of(ask->rule->role));
	} else {
		snprintf(detail, sizeof(detail), "polkit does not allow %s to %s",
			action_of(ask->rule->role), ask->asker.name);
	}
	refuse(ask, detail);
	return 1;
}

static int call_polkit(struct ask *ask) {
	sd_bus *bus = bus_sd(ask->api->bus);
	ask->is_interactive = sd_bus_message_get_allow_interactive_authorization(ask->message) > 0;
	sd_bus_message *call = NULL;
	int r = sd_bus_message_new_method_call(bus, &call, "org.freedesktop.PolicyKit1",
		"/org/freedesktop/PolicyKit1/Authority", "org.freedesktop.PolicyKit1.Authority",
		"CheckAuthorization");
	if (r >= 0) {
		r = sd_bus_message_append(call, "(sa{sv})s", "system-bus-name", 1, "name", "s",
			sd_bus_message_get_sender(ask->message), action_of(ask->rule->role));
	}
	if (r >= 0) {
		r = sd_bus_message_append(call, "a{ss}us", 0, ask->is_interactive ? 1U : 0U, "");
	}
	if (r >= 0) {
		ask->slot = sd_bus_slot_unref(ask->slot);
		r = sd_bus_call_async(bus, &ask->slot, call, on_polkit, ask,
			ask->is_interactive ? POLKIT_INTERACTIVE_TIMEOUT_US : POLKIT_TIMEOUT_US);
	}
	sd_bus_message_unref(call);
	return r;
}

static int read_groups(struct ask *ask, sd_bus_message *reply) {
	uint32_t gid;
	int r = sd_bus_message_enter_container(reply, 'v', "au");
	if (r >= 0) {
		r = sd_bus_message_enter_container(reply, 'a', "u");
	}
	while (r >= 0 && (r = sd_bus_message_read(reply, "u", &gid)) > 0) {
		ask->is_in_group |= ask->api->has_group && gid == ask->api->group;
	}
	if (r >= 0) {
		r = sd_bus_message_exit_container(reply);
	}
	return r < 0 ? r : sd_bus_message_exit_container(reply);
}

static int read_credential(sd_bus_message *reply, const char *key, void *user) {
	struct ask *ask = user;

	if (strcmp(key, "UnixUserID") == 0) {
		ask->has_uid = true;
		return sd_bus_message_read(reply, "v", "u", &ask->asker.uid);
	}
	return strcmp(key, "UnixGroupIDs") == 0 ? read_groups(ask, reply)
						: sd_bus_message_skip(reply, "v");
}

static int on_credentials(sd_bus_message *reply, void *user, sd_bus_error *ret_error) {
	struct ask *ask = user;
	if (sd_bus_message_is_method_error(reply, NULL) ||
		bus_each_property(reply, read_credential, ask) < 0 || !ask->has_uid) {
		/* Mostly: the asker has left the bus already. */
		refuse(ask, "the bus does not say who asks");
		return 1;
	}
	name_asker(&ask->asker);
	if (ask->asker.uid == 0) {
		ask->asker.role = ROLE_MANAGE;
		grant(ask);
		return 1;
	}
	if (call_polkit(ask) < 0) {
		refuse(ask, "polkit cannot be asked");
	}
	return 1;
}

static bool has_too_many(const struct api *api, const char *sender) {
	unsigned n = 0;
	const struct ask *each;
	list_for_each(each, &api->asks, link) {
		const char *other = sd_bus_message_get_sender(each->message);
		n += other != NULL && strcmp(other, sender) == 0;
	}
	return api->n_asks >= ASKS_MAX || n >= ASKS_PER_SENDER_MAX;
}

int ask(struct api *api, sd_bus_message *message, const struct ask_rule *rule) {
	const char *sender = sd_bus_message_get_sender(message);
	sd_bus *bus = bus_sd(api->bus);
	if (sender == NULL || bus == NULL) {
		return sd_bus_reply_method_errorf(
			message, SD_BUS_ERROR_ACCESS_DENIED, "Only over a message bus");
	}
	if (has_too_many(api, sender)) {
		return sd_bus_reply_method_errorf(message, SD_BUS_ERROR_LIMITS_EXCEEDED,
			"Too many calls are waiting to be allowed");
	}
	struct ask *new_ask = calloc(1, sizeof(*new_ask));
	if (new_ask == NULL) {
		return -ENOMEM;
	}
	new_ask->api = api;
	new_ask->rule = rule;
	new_ask->message = sd_bus_message_ref(message);
	new_ask->asker.uid = (uid_t) -1;
	new_ask->asker.received = clock_mono(hub_clock(api->hub));
	snprintf(new_ask->asker.name, sizeof(new_ask->asker.name), "somebody");
	list_append(&api->asks, &new_ask->link);
	api->n_asks++;

	sd_bus_message *call = NULL;
	int r = sd_bus_message_new_method_call(bus, &call, "org.freedesktop.DBus",
		"/org/freedesktop/DBus", "org.freedesktop.DBus", "GetConnectionCredentials");
	if (r >= 0) {
		r = sd_bus_message_append(call, "s", sender);
	}
	if (r >= 0) {
		r = sd_bus_call_async(
			bus, &new_ask->slot, call, on_credentials, new_ask, CREDENTIALS_TIMEOUT_US);
	}
	sd_bus_message_unref(call);
	if (r < 0) {
		ask_free(new_ask);
		return r;
	}
	return 1;
}
