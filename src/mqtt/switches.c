/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "switches.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/people.h"
#include "util/log.h"
#include "util/text.h"

#include "room.h"

struct user_switch {
	struct list link;
	char user_id[ROW_ID_MAX];
	char name[LOCK_NAME_MAX];
	struct leaf *state;
	struct leaf *config;
	bool is_seen; /* of the present pass over the book */
};

static const struct people_by by_mqtt = { .actor = "mqtt", .role = ROLE_MANAGE };

static struct user_switch *find(const struct mqtt *mqtt, const char *user_id, size_t n) {
	struct user_switch *one;

	list_for_each(one, &mqtt->switches, link) {
		if (strlen(one->user_id) == n && memcmp(one->user_id, user_id, n) == 0) {
			return one;
		}
	}
	return NULL;
}

bool switches_has(const struct mqtt *mqtt, const char *user_id) {
	return find(mqtt, user_id, strlen(user_id)) != NULL;
}

static struct user_switch *add(struct mqtt *mqtt, const struct user *user) {
	struct user_switch *one = calloc(1, sizeof(*one));
	char leaf[UNIQUE_ID_MAX];
	char topic[TOPIC_MAX];

	if (one == NULL) {
		return NULL;
	}
	list_init(&one->link);
	(void) text_copy(one->user_id, sizeof(one->user_id), user->id);
	one->state = shelf_add(mqtt->shelf, STAGE_STATE,
		topic_of(
			&mqtt->discovery.topics, "hub", discovery_user_leaf(user->id, leaf), topic),
		false);
	if (mqtt->config.discovery != MQTT_DISCOVERY_OFF) {
		one->config = shelf_add(mqtt->shelf, STAGE_CONFIG,
			discovery_user_topic(&mqtt->discovery, user->id, topic), true);
	}
	if (one->state == NULL) {
		leaf_remove(one->config);
		free(one);
		return NULL;
	}
	list_append(&mqtt->switches, &one->link);
	return one;
}

static void drop(struct user_switch *one) {
	leaf_remove(one->config);
	leaf_remove(one->state);
	list_remove(&one->link);
	free(one);
}

static void show(struct mqtt *mqtt, const struct user *user) {
	struct user_switch *one = find(mqtt, user->id, strlen(user->id));
	char name[LOCK_NAME_MAX];

	one = one != NULL ? one : add(mqtt, user);
	if (one == NULL) {
		return;
	}
	one->is_seen = true;
	(void) leaf_set(one->state, user->status == USER_STATUS_OCCUPIED_ENABLED ? "ON" : "OFF");
	(void) text_copy(name, sizeof(name), user->name);
	text_sanitize(name);
	if (one->config != NULL && strcmp(one->name, name) != 0) {
		(void) text_copy(one->name, sizeof(one->name), name);
		AUTO(free) char *text = discovery_user(&mqtt->discovery, user->id, name);
		if (text != NULL) {
			(void) leaf_set(one->config, text);
		}
	}
}

void switches_show(struct mqtt *mqtt) {
	const struct book *book = hub_book(mqtt->hub);
	struct user_switch *one;
	struct user_switch *next;

	if (!mqtt->config.user_switches || !mqtt->config.show_users) {
		return;
	}
	list_for_each(one, &mqtt->switches, link) {
		one->is_seen = false;
	}
	for (size_t i = 0; i < book_user_count(book); i++) {
		show(mqtt, book_user_at(book, i));
	}
	list_for_each_safe(one, next, &mqtt->switches, link) {
		if (!one->is_seen) {
			drop(one);
		}
	}
}

/* "BASE/hub/user_0a1b2c3d/set" */
static struct user_switch *of_topic(const struct mqtt *mqtt, const char *topic, bool *ret_is_ours) {
	static const char stem[] = "/hub/user_";
	size_t n_base = strlen(mqtt->discovery.topics.base);

	*ret_is_ours = false;
	if (strncmp(topic, mqtt->discovery.topics.base, n_base) != 0 ||
		strncmp(topic + n_base, stem, sizeof(stem) - 1) != 0) {
		return NULL;
	}
	const char *id = topic + n_base + sizeof(stem) - 1;
	const char *slash = strchr(id, '/');
	if (slash == NULL || strcmp(slash, "/set") != 0) {
		return NULL;
	}
	*ret_is_ours = true;
	return find(mqtt, id, (size_t) (slash - id));
}

static void edit(struct mqtt *mqtt, const struct user_switch *one, const uint8_t *payload, size_t n,
	bool is_retained) {
	bool is_on = n == 2 && memcmp(payload, "ON", n) == 0;
	bool is_off = n == 3 && memcmp(payload, "OFF", n) == 0;
	struct user_edit change = {
		.set = USER_EDIT_STATUS,
		.status = is_on ? USER_STATUS_OCCUPIED_ENABLED : USER_STATUS_OCCUPIED_DISABLED,
	};
	struct fault fault;
	int r = 0;

	if (is_retained) {
		r = fault_set(&fault, FAULT_RETAINED_COMMAND, "on a user's switch; clear it there");
	} else if (!is_on && !is_off) {
		r = fault_set(&fault, FAULT_BAD_COMMAND, "a user's switch takes ON and OFF");
	} else if (r = mqtt_may_command(mqtt, &fault), r >= 0) {
		/* What became of it shows by the book's signal; the journal has a refusal. */
		r = hub_user_edit(mqtt->hub, one->user_id, &change, &by_mqtt, NULL, NULL, &fault);
	}
	if (r < 0) {
		mqtt_refuse_aloud(mqtt, NULL, NULL, &fault);
	}
}

bool switches_message(
	struct mqtt *mqtt, const char *topic, const uint8_t *payload, size_t n, bool is_retained) {
	bool is_ours = false;
	const struct user_switch *one = of_topic(mqtt, topic, &is_ours);
	struct fault fault;

	if (!is_ours) {
		return false;
	}
	if (n == 0) {
		return true; /* somebody clears a retained command */
	}
	mqtt->status.commands++;
	if (!bucket_take(&mqtt->strangers, mqtt_now(mqtt))) {
		mqtt->status.refused++;
		log_blame(BLAME_SETUP, NULL, "too many commands on users' switches by MQTT");
	} else if (one == NULL) {
		(void) fault_set(&fault, FAULT_NO_SUCH_USER, "of the switch that was pressed");
		mqtt_refuse_aloud(mqtt, NULL, NULL, &fault);
	} else {
		edit(mqtt, one, payload, n, is_retained);
	}
	return true;
}

void switches_free(struct mqtt *mqtt) {
	struct user_switch *one;
	struct user_switch *next;

	list_for_each_safe(one, next, &mqtt->switches, link) {
		list_remove(&one->link);
		free(one);
	}
}
