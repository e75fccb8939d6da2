/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The hub's own face on the broker: a device of its own, by way of which the locks are connected.
 */

#include "hub-face.h"

#include <stdio.h>
#include <string.h>

#include "util/text.h"

#include "payload.h"
#include "room.h"

/* What was counted of an adapter is told so often at most. */
#define ADAPTER_APART_MS (60 * 1000)

static void set(struct leaf *leaf, const char *payload) {
	if (leaf != NULL && payload != NULL) {
		(void) leaf_set(leaf, payload);
	}
}

static struct leaf *config_leaf(struct mqtt *mqtt, enum hub_part part) {
	char topic[TOPIC_MAX];
	char node[UNIQUE_ID_MAX];

	if (mqtt->hub_config[part] == NULL) {
		if (mqtt->config.discovery == MQTT_DISCOVERY_DEVICE) {
			topic_device_config(&mqtt->discovery.topics,
				discovery_hub_node(&mqtt->discovery, node), topic);
		} else {
			discovery_hub_entity_topic(&mqtt->discovery, part, topic);
		}
		mqtt->hub_config[part] = shelf_add(mqtt->shelf, STAGE_HUB_CONFIG, topic, true);
	}
	return mqtt->hub_config[part];
}

static void show_adapter_config(struct mqtt *mqtt, size_t i) {
	const char *address = mqtt->adapters.address[i];
	char topic[TOPIC_MAX];

	if (mqtt->adapter_config[i] == NULL) {
		discovery_adapter_topic(&mqtt->discovery, address, topic);
		mqtt->adapter_config[i] = shelf_add(mqtt->shelf, STAGE_HUB_CONFIG, topic, true);
	}
	AUTO(free) char *text = discovery_adapter(&mqtt->discovery, address);
	set(mqtt->adapter_config[i], text);
}

void hub_face_config(struct mqtt *mqtt) {
	if (mqtt->config.discovery == MQTT_DISCOVERY_DEVICE) {
		AUTO(free)
		char *text = discovery_hub(&mqtt->discovery, &mqtt->adapters, mqtt->hub_gone);
		set(config_leaf(mqtt, HUB_PART_STARTED), text);
	} else if (mqtt->config.discovery == MQTT_DISCOVERY_SINGLE) {
		for (enum hub_part part = 0; part < HUB_PART_COUNT_; part++) {
			AUTO(free) char *text = discovery_hub_entity(&mqtt->discovery, part);
			set(config_leaf(mqtt, part), text);
		}
		for (size_t i = 0; i < mqtt->adapters.n; i++) {
			show_adapter_config(mqtt, i);
		}
	}
}

bool hub_face_new(struct mqtt *mqtt) {
	char topic[TOPIC_MAX];

	mqtt->hub_gone = json_object();
	for (enum hub_part part = 0; part < HUB_PART_COUNT_; part++) {
		/* Events are not retained, and the connection's state is the will's topic. */
		if (part == HUB_PART_ACTIVITY || part == HUB_PART_MQTT) {
			continue;
		}
		topic_of(&mqtt->discovery.topics, "hub", discovery_hub_leaf(part), topic);
		mqtt->hub_state[part] = shelf_add(mqtt->shelf, STAGE_STATE, topic, false);
		if (mqtt->hub_state[part] == NULL) {
			return false;
		}
	}
	return mqtt->hub_gone != NULL;
}

/* Finds the place of an adapter, or makes one. @return ADAPTERS_MAX: there is no room. */
static size_t place_of(struct mqtt *mqtt, const char *address, bool *ret_is_new) {
	size_t i = 0;

	while (i < mqtt->adapters.n && strcmp(mqtt->adapters.address[i], address) != 0) {
		i++;
	}
	*ret_is_new = i == mqtt->adapters.n && i < ADAPTERS_MAX;
	if (*ret_is_new) {
		(void) text_copy(mqtt->adapters.address[i], RADIO_ADDRESS_MAX, address);
		mqtt->adapters.n++;
	}
	return i;
}

static struct leaf *adapter_leaf(struct mqtt *mqtt, const char *address, const char *more) {
	char leaf[UNIQUE_ID_MAX];
	char text[UNIQUE_ID_MAX + 16];
	char topic[TOPIC_MAX];

	(void) snprintf(text, sizeof(text), "%s%s", discovery_adapter_leaf(address, leaf), more);
	return shelf_add(mqtt->shelf, STAGE_STATE,
		topic_of(&mqtt->discovery.topics, "hub", text, topic), false);
}

static void show_adapters(struct mqtt *mqtt) {
	mono_t now = mqtt_now(mqtt);
	struct radio_stats stats;
	bool is_any_new = false;

	for (unsigned k = 0; hub_adapter_stats(mqtt->hub, k, &stats); k++) {
		bool is_new = false;
		size_t i = place_of(mqtt, stats.adapter, &is_new);
		if (stats.adapter[0] == '\0' || i == ADAPTERS_MAX) {
			continue;
		}
		if (is_new) {
			mqtt->adapter_state[i] = adapter_leaf(mqtt, stats.adapter, "");
			mqtt->adapter_more[i] = adapter_leaf(mqtt, stats.adapter, "/attributes");
			is_any_new = true;
		}
		const char *word = strcmp(stats.state, "on") == 0 ? "OFF" : "ON";
		bool is_other = mqtt->adapter_state[i] != NULL &&
				strcmp(leaf_payload(mqtt->adapter_state[i]), word) != 0;
		set(mqtt->adapter_state[i], word);
		if (is_other || mono_since(mqtt->adapter_told[i], now) >= ADAPTER_APART_MS) {
			mqtt->adapter_told[i] = now;
			AUTO(free) char *text = payload_adapter_attributes(&stats);
			set(mqtt->adapter_more[i], text);
		}
	}
	if (is_any_new) {
		hub_face_config(mqtt);
	}
}

static void show_count(struct leaf *leaf, size_t n) {
	char text[24];

	(void) snprintf(text, sizeof(text), "%zu", n);
	set(leaf, text);
}

static void show_locks(struct mqtt *mqtt) {
	size_t n_troubled = 0;
	struct face *face;

	for (face = face_next(mqtt, NULL); face != NULL; face = face_next(mqtt, face)) {
		n_troubled += face_has_problem(face) ? 1 : 0;
	}
	show_count(mqtt->hub_state[HUB_PART_LOCKS], hub_lock_count(mqtt->hub));
	show_count(mqtt->hub_state[HUB_PART_TROUBLED], n_troubled);
}

void hub_face_show(struct mqtt *mqtt) {
	const struct clock *clock = loop_clock(mqtt->loop);
	struct radio_status radio;
	char text[PAYLOAD_MAX];

	if (mqtt->started.s == 0 && clock_is_trusted(clock)) {
		/* Also when the clock was set only after we had started. */
		mqtt->started.s = clock_wall(clock).s -
				  mono_since(mqtt->started_mono, clock_mono(clock)) / 1000;
	}
	hub_radio_status(mqtt->hub, &radio);
	if (mqtt->started.s != 0 || !mqtt->discovery.is_old_ha) {
		set(mqtt->hub_state[HUB_PART_STARTED], payload_time(mqtt->started, text));
	}
	set(mqtt->hub_state[HUB_PART_BLUETOOTH], radio.is_ready ? "OFF" : "ON");
	set(mqtt->hub_state[HUB_PART_STORAGE],
		hub_ledger_fault(mqtt->hub)->code == FAULT_NONE ? "OFF" : "ON");
	set(mqtt->hub_state[HUB_PART_VERSION],
		mqtt->texts.version != NULL ? mqtt->texts.version : "None");
	set(mqtt->hub_state[HUB_PART_RESTART],
		mqtt->config.restart_reason != NULL ? mqtt->config.restart_reason : "unknown");
	set(mqtt->hub_state[HUB_PART_CLOCK], clock_is_trusted(clock) ? "OFF" : "ON");
	show_locks(mqtt);
	show_adapters(mqtt);
}

void hub_face_settled(struct mqtt *mqtt, const struct leaf *leaf) {
	/* What was to be taken away is: the next message says nothing of it. */
	if (json_object_size(mqtt->hub_gone) > 0 && leaf == mqtt->hub_config[HUB_PART_STARTED]) {
		(void) json_object_clear(mqtt->hub_gone);
		hub_face_config(mqtt);
	}
}
