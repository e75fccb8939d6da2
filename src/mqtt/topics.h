/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Names of topics (docs/mqtt.md, "Topics"). Pure. */

#include <stdbool.h>
#include <stddef.h>

#include "core/event.h"
#include "mqtt/mqtt.h"

#define TOPIC_MAX 256

struct topics {
	char base[MQTT_TOPIC_PART_MAX];
	char prefix[MQTT_TOPIC_PART_MAX];
};

/* All return out. */
char *topic_status(const struct topics *topics, char out[static TOPIC_MAX]);
/* "lockhub/9f3a71c2/lock/state" for leaf "lock/state"; the hub's own with id "hub". */
char *topic_of(
	const struct topics *topics, const char *id, const char *leaf, char out[static TOPIC_MAX]);
/* "homeassistant/device/NODE/config" */
char *topic_device_config(
	const struct topics *topics, const char *node, char out[static TOPIC_MAX]);
/* "homeassistant/lock/UNIQUE_ID/config" */
char *topic_entity_config(const struct topics *topics, const char *platform, const char *unique_id,
	char out[static TOPIC_MAX]);
/* What to subscribe for all locks' commands. */
char *topic_commands(const struct topics *topics, char out[static TOPIC_MAX]);
/* And for all their buttons. */
char *topic_buttons(const struct topics *topics, char out[static TOPIC_MAX]);
/* Whether @topic is BASE/SOMETHING/button/NAME: *ret_name points into it. @ret_id: as below. */
bool topic_is_button(const struct topics *topics, const char *topic,
	char ret_id[static LOCK_ID_MAX], const char **ret_name);
/* And for all their settings. */
char *topic_settings(const struct topics *topics, char out[static TOPIC_MAX]);
/* Whether @topic is BASE/SOMETHING/setting/NAME/set: NAME, cut to @size, goes to ret_name. */
bool topic_is_setting(const struct topics *topics, const char *topic,
	char ret_id[static LOCK_ID_MAX], char *ret_name, size_t size);
/*
 * Whether @topic is BASE/SOMETHING/lock/set. SOMETHING goes to ret_id; "" when it has not the form
 * of a lock's id.
 */
bool topic_is_command(
	const struct topics *topics, const char *topic, char ret_id[static LOCK_ID_MAX]);
/* Usable as base or prefix: 1..63 octets of clean UTF-8, no wildcard, no empty level, no '$'. */
bool topic_part_is_valid(const char *part);
/* Letters, digits, '_' and '-' (what Home Assistant lets through in ids). */
bool topic_id_is_valid(const char *id);
