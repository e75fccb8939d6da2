/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "topics.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "util/text.h"

/*
 * The longest: prefix (63) + "/binary_sensor/" + "lockhub_hub_" + hub id (< 64) + key (< 32) +
 * "/config" stays far below TOPIC_MAX, so none of these can be cut.
 */
#define TOPIC_PRINT(out, ...) ((void) snprintf((out), TOPIC_MAX, __VA_ARGS__), (out))

char *topic_status(const struct topics *topics, char out[static TOPIC_MAX]) {
	return TOPIC_PRINT(out, "%s/status", topics->base);
}

char *topic_of(
	const struct topics *topics, const char *id, const char *leaf, char out[static TOPIC_MAX]) {
	return TOPIC_PRINT(out, "%s/%.64s/%.64s", topics->base, id, leaf);
}

char *topic_device_config(
	const struct topics *topics, const char *node, char out[static TOPIC_MAX]) {
	return TOPIC_PRINT(out, "%s/device/%.128s/config", topics->prefix, node);
}

char *topic_entity_config(const struct topics *topics, const char *platform, const char *unique_id,
	char out[static TOPIC_MAX]) {
	return TOPIC_PRINT(out, "%s/%.32s/%.128s/config", topics->prefix, platform, unique_id);
}

char *topic_commands(const struct topics *topics, char out[static TOPIC_MAX]) {
	return topic_of(topics, "+", "lock/set", out);
}

char *topic_buttons(const struct topics *topics, char out[static TOPIC_MAX]) {
	return topic_of(topics, "+", "button/+", out);
}

static bool is_lock_id(const char *text, size_t n) {
	if (n != LOCK_ID_MAX - 1) {
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		if (!((text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f'))) {
			return false;
		}
	}
	return true;
}

/* What follows BASE/SOMETHING, from its slash on; NULL: not of this form. */
static const char *leaf_of(
	const struct topics *topics, const char *topic, char ret_id[static LOCK_ID_MAX]) {
	size_t n_base = strlen(topics->base);

	if (strncmp(topic, topics->base, n_base) != 0 || topic[n_base] != '/') {
		return NULL;
	}
	const char *id = topic + n_base + 1;
	const char *slash = strchr(id, '/');
	if (slash == NULL || slash == id) {
		return NULL;
	}
	size_t n_id = (size_t) (slash - id);
	ret_id[0] = '\0';
	if (is_lock_id(id, n_id)) {
		memcpy(ret_id, id, n_id);
		ret_id[n_id] = '\0';
	}
	return slash;
}

bool topic_is_command(
	const struct topics *topics, const char *topic, char ret_id[static LOCK_ID_MAX]) {
	const char *leaf = leaf_of(topics, topic, ret_id);

	return leaf != NULL && strcmp(leaf, "/lock/set") == 0;
}

bool topic_is_button(const struct topics *topics, const char *topic,
	char ret_id[static LOCK_ID_MAX], const char **ret_name) {
	static const char stem[] = "/button/";
	const char *leaf = leaf_of(topics, topic, ret_id);

	if (leaf == NULL || strncmp(leaf, stem, sizeof(stem) - 1) != 0) {
		return false;
	}
	*ret_name = leaf + sizeof(stem) - 1;
	return true;
}

char *topic_settings(const struct topics *topics, char out[static TOPIC_MAX]) {
	return topic_of(topics, "+", "setting/+/set", out);
}

bool topic_is_setting(const struct topics *topics, const char *topic,
	char ret_id[static LOCK_ID_MAX], char *ret_name, size_t size) {
	static const char stem[] = "/setting/";
	const char *leaf = leaf_of(topics, topic, ret_id);

	if (leaf == NULL || strncmp(leaf, stem, sizeof(stem) - 1) != 0) {
		return false;
	}
	const char *name = leaf + sizeof(stem) - 1;
	const char *slash = strchr(name, '/');
	if (slash == NULL || strcmp(slash, "/set") != 0) {
		return false;
	}
	size_t n = (size_t) (slash - name);
	n = n < size ? n : size - 1;
	memcpy(ret_name, name, n);
	ret_name[n] = '\0';
	return true;
}

bool topic_part_is_valid(const char *part) {
	size_t n = part != NULL ? strlen(part) : 0;

	if (n == 0 || n >= MQTT_TOPIC_PART_MAX || !text_is_clean(part, n)) {
		return false;
	}
	return strpbrk(part, "+#") == NULL && part[0] != '$' && part[0] != '/' &&
	       part[n - 1] != '/' && strstr(part, "//") == NULL;
}

bool topic_id_is_valid(const char *id) {
	size_t n = id != NULL ? strlen(id) : 0;

	if (n == 0 || n >= 64) {
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		if (!isalnum((unsigned char) id[i]) && id[i] != '_' && id[i] != '-') {
			return false;
		}
	}
	return true;
}
