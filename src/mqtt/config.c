/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What may be configured, and what may not go together. */

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "mqtt/mqtt.h"
#include "util/text.h"

#include "topics.h"

static const struct name_row discovery_names[] = {
	{ MQTT_DISCOVERY_DEVICE, "device" },
	{ MQTT_DISCOVERY_SINGLE, "single" },
	{ MQTT_DISCOVERY_OFF, "off" },
};

const char *mqtt_discovery_name(enum mqtt_discovery discovery) {
	return name_of(discovery_names, ARRAY_SIZE(discovery_names), (int) discovery);
}

int mqtt_discovery_from_name(const char *name, enum mqtt_discovery *ret) {
	int value = 0;
	int r = name_to(discovery_names, ARRAY_SIZE(discovery_names), name, &value);

	if (r >= 0) {
		*ret = (enum mqtt_discovery) value;
	}
	return r;
}

static const struct name_row protocol_names[] = {
	{ MQTT_PROTOCOL_AUTO, "auto" },
	{ MQTT_PROTOCOL_311, "3.1.1" },
	{ MQTT_PROTOCOL_5, "5" },
};

const char *mqtt_protocol_name(enum mqtt_protocol protocol) {
	return name_of(protocol_names, ARRAY_SIZE(protocol_names), (int) protocol);
}

int mqtt_protocol_from_name(const char *name, enum mqtt_protocol *ret) {
	int value = 0;
	int r = name_to(protocol_names, ARRAY_SIZE(protocol_names), name, &value);

	if (r >= 0) {
		*ret = (enum mqtt_protocol) value;
	}
	return r;
}

static const struct name_row requests_names[] = {
	{ MQTT_REQUESTS_NONE, "none" },
	{ MQTT_REQUESTS_READ, "read" },
	{ MQTT_REQUESTS_MAINTAIN, "maintain" },
	{ MQTT_REQUESTS_ADMIN, "admin" },
};

const char *mqtt_requests_name(enum mqtt_requests requests) {
	return name_of(requests_names, ARRAY_SIZE(requests_names), (int) requests);
}

int mqtt_requests_from_name(const char *name, enum mqtt_requests *ret) {
	int value = 0;
	int r = name_to(requests_names, ARRAY_SIZE(requests_names), name, &value);

	if (r >= 0) {
		*ret = (enum mqtt_requests) value;
	}
	return r;
}

void mqtt_config_defaults(struct mqtt_config *config) {
	*config = (struct mqtt_config){
		.hub_name = "lockhub",
		.base = "lockhub",
		.prefix = "homeassistant",
		.ha_status = "homeassistant/status",
		.discovery = MQTT_DISCOVERY_DEVICE,
		.protocol = MQTT_PROTOCOL_AUTO,
		.keepalive_s = 20,
		.clear_retained = true,
		.show_users = true,
		.allow_commands = true,
		.keep_discovery = true,
		.settings = true,
	};
}

static bool is_set(const char *text) {
	return text != NULL && text[0] != '\0';
}

bool mqtt_is_local(const char *host) {
	struct in_addr v4;
	struct in6_addr v6;

	if (host[0] == '/' || strcasecmp(host, "localhost") == 0) {
		return true;
	}
	if (inet_pton(AF_INET, host, &v4) == 1) {
		return (ntohl(v4.s_addr) >> 24) == 127;
	}
	return inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

static int check_broker(const struct mqtt_config *config, struct fault *ret_fault) {
	if (!is_set(config->host) || strlen(config->host) >= MQTT_HOST_MAX ||
		!text_is_clean(config->host, strlen(config->host))) {
		return fault_set(ret_fault, FAULT_CONFIG_INVALID, "[mqtt] host is missing or bad");
	}
	if (config->port > 65535) {
		return fault_set(ret_fault, FAULT_CONFIG_INVALID, "[mqtt] port %u is above 65535",
			config->port);
	}
	if (config->is_tls && config->host[0] == '/') {
		return fault_set(ret_fault, FAULT_CONFIG_INVALID,
			"[mqtt] tls makes no sense on the UNIX socket %s", config->host);
	}
	if (!config->is_tls && (is_set(config->ca_file) || is_set(config->cert_file))) {
		return fault_set(ret_fault, FAULT_CONFIG_INVALID,
			"[mqtt] ca_file and cert_file need tls = yes");
	}
	if (is_set(config->cert_file) != is_set(config->key_file)) {
		return fault_set(ret_fault, FAULT_CONFIG_INVALID,
			"[mqtt] cert_file and key_file go together");
	}
	if (config->password.len > 0 && !is_set(config->username)) {
		return fault_set(
			ret_fault, FAULT_CONFIG_INVALID, "[mqtt] password needs a username");
	}
	if (!config->is_tls && !config->is_insecure && !mqtt_is_local(config->host)) {
		return fault_set(ret_fault, FAULT_CONFIG_INVALID,
			"[mqtt] commands and codes would go to %s unencrypted: set tls = yes, or "
			"insecure = yes if you accept that",
			config->host);
	}
	return 0;
}

int mqtt_config_check(const struct mqtt_config *config, struct fault *ret_fault) {
	int r = check_broker(config, ret_fault);

	if (r < 0) {
		return r;
	}
	if (!is_set(config->client_id) || strlen(config->client_id) > 64 ||
		!text_is_clean(config->client_id, strlen(config->client_id))) {
		return fault_set(ret_fault, FAULT_CONFIG_INVALID, "[mqtt] client id is bad");
	}
	if (!topic_id_is_valid(config->hub_id)) {
		return fault_set(ret_fault, FAULT_CONFIG_INVALID,
			"[mqtt] hub id: only letters, digits, _ and - are allowed");
	}
	if (!topic_part_is_valid(config->base) || !topic_part_is_valid(config->prefix)) {
		return fault_set(ret_fault, FAULT_CONFIG_INVALID,
			"[mqtt] base and prefix: up to %d characters without + # and empty levels",
			MQTT_TOPIC_PART_MAX - 1);
	}
	if (is_set(config->ha_status) &&
		(strlen(config->ha_status) >= TOPIC_MAX ||
			!text_is_clean(config->ha_status, strlen(config->ha_status)) ||
			strpbrk(config->ha_status, "+#") != NULL)) {
		return fault_set(ret_fault, FAULT_CONFIG_INVALID, "[mqtt] ha_status is no topic");
	}
	if (is_set(config->pin_code_base) &&
		(!topic_part_is_valid(config->pin_code_base) ||
			strcmp(config->pin_code_base, config->base) == 0)) {
		return fault_set(ret_fault, FAULT_CONFIG_INVALID,
			"[mqtt] pin_code_base: a topic of up to %d characters without + # and "
			"empty "
			"levels, and not the same as base",
			MQTT_TOPIC_PART_MAX - 1);
	}
	if (config->protocol == MQTT_PROTOCOL_UNKNOWN) {
		return fault_set(ret_fault, FAULT_CONFIG_INVALID,
			"[mqtt] protocol is one of auto, 3.1.1, 5");
	}
	if (config->keepalive_s < MQTT_KEEPALIVE_MIN || config->keepalive_s > MQTT_KEEPALIVE_MAX) {
		return fault_set(ret_fault, FAULT_CONFIG_INVALID,
			"[mqtt] keepalive_s is %u to %u seconds", MQTT_KEEPALIVE_MIN,
			MQTT_KEEPALIVE_MAX);
	}
	if (config->discovery == MQTT_DISCOVERY_UNKNOWN) {
		return fault_set(ret_fault, FAULT_CONFIG_INVALID,
			"[mqtt] discovery is one of device, single, off");
	}
	return 0;
}
