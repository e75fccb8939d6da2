/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Home Assistant's discovery messages (docs/mqtt.md, "In Home Assistant"). Pure: builds
 * JSON from a view. Both forms give the same unique_ids, which never change once released:
 * tools/ha-validate/unique-ids.txt holds them.
 */

#include <jansson.h>
#include <stdbool.h>

#include "dials.h"
#include "topics.h"
#include "view.h"

#define UNIQUE_ID_MAX 128

struct discovery {
	struct topics topics;
	const char *hub_id;
	const char *hub_name;
	const char *version;
	/* For Home Assistant before 2024.6 and other readers: no OPEN, no newer device keys. */
	bool is_old_ha;
};

enum hub_part {
	HUB_PART_STARTED,
	HUB_PART_BLUETOOTH,
	HUB_PART_STORAGE,
	HUB_PART_ACTIVITY,
	HUB_PART_VERSION,
	HUB_PART_MQTT, /* its state is the will's topic */
	HUB_PART_RESTART,
	HUB_PART_CLOCK,
	HUB_PART_LOCKS,
	HUB_PART_TROUBLED,
	HUB_PART_COUNT_,
};

/* The Bluetooth adapters that the hub has seen, by address. */
#define ADAPTERS_MAX 8
struct adapters {
	size_t n;
	char address[ADAPTERS_MAX][RADIO_ADDRESS_MAX];
};
/* The reasons why the hub was started (struct mqtt_config), "unknown" last; NULL-terminated. */
const char *const *discovery_restart_reasons(void);

/* "lockhub_9f3a71c2", "lockhub_hub_51d0"; return out. */
char *discovery_lock_node(const char *lock_id, char out[static UNIQUE_ID_MAX]);
char *discovery_hub_node(const struct discovery *discovery, char out[static UNIQUE_ID_MAX]);

/* Where the part's state goes, below BASE/LOCK-ID: "battery". Never NULL. */
const char *discovery_leaf(enum part part);
const char *discovery_hub_leaf(enum hub_part part);
/* The topics of the single form. */
char *discovery_entity_topic(const struct discovery *discovery, const char *lock_id, enum part part,
	char out[static TOPIC_MAX]);
char *discovery_hub_entity_topic(
	const struct discovery *discovery, enum hub_part part, char out[static TOPIC_MAX]);

/* The part whose component has this key in the device form; PART_COUNT_: none. */
enum part discovery_part_of(const char *key);
/* Whether a component of the hub has this key; adapters are not among them. */
bool discovery_is_hub_key(const char *key);
const char *discovery_key(enum part part);
const char *discovery_platform(enum part part);

/*
 * The device form. @parts: what it has, besides the view's dials; @gone: what it had and is to be
 * removed there, as an object of component keys and their platforms, or NULL.
 * All return JSON that the caller frees; NULL: no memory.
 */
char *discovery_lock(const struct discovery *discovery, const struct view *view, unsigned parts,
	const json_t *gone);
char *discovery_hub(
	const struct discovery *discovery, const struct adapters *adapters, const json_t *gone);
/* The single form, one entity. */
char *discovery_entity(const struct discovery *discovery, const struct view *view, enum part part);
char *discovery_hub_entity(const struct discovery *discovery, enum hub_part part);
char *discovery_dial_topic(const struct discovery *discovery, const char *lock_id,
	const struct dial *dial, char out[static TOPIC_MAX]);
char *discovery_dial(
	const struct discovery *discovery, const struct view *view, const struct dial *dial);
/* "adapter_aabbccddeeff": its component's key, and where its state goes below BASE/hub. */
char *discovery_adapter_leaf(const char *address, char out[static UNIQUE_ID_MAX]);
char *discovery_adapter_topic(
	const struct discovery *discovery, const char *address, char out[static TOPIC_MAX]);
char *discovery_adapter(const struct discovery *discovery, const char *address);

/*
 * The lock entity of the pin_code dialect (pins.c), always in the single form: it carries the
 * identifier by which the code managers know a zigbee2mqtt device. @topic: the dialect's, not ours.
 */
char *discovery_pins_topic(
	const struct discovery *discovery, const char *lock_id, char out[static TOPIC_MAX]);
char *discovery_pins(const struct discovery *discovery, const struct view *view, const char *topic);

/* A switch of the hub's device that disables a user: its state's topic, its message's, the message.
 */
char *discovery_user_leaf(const char *user_id, char out[static UNIQUE_ID_MAX]);
char *discovery_user_topic(
	const struct discovery *discovery, const char *user_id, char out[static TOPIC_MAX]);
char *discovery_user(const struct discovery *discovery, const char *user_id, const char *name);
