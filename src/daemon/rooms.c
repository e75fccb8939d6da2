/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "rooms.h"

#include "util/text.h"

void rooms_hub(const struct conf *conf, struct hub_config *ret) {
	hub_config_defaults(ret);
	ret->unreachable_ms = (int64_t) conf->hub.unreachable_min * 60000;
	ret->poll_ms = (int64_t) conf->hub.poll_min * 60000;
	ret->battery_ms = (int64_t) conf->hub.battery_h * 3600000;
	ret->import_log = conf->hub.import_log;
	ret->set_clocks = conf->hub.set_clocks;
	ret->policy.allow_mqtt_unlock = conf->policy.mqtt_unlock;
	ret->policy.max_age_ms = (int64_t) conf->policy.max_age_s * 1000;
	(void) text_copy(ret->client_name, sizeof(ret->client_name), conf->hub.name);
}

struct central_config rooms_central(const struct conf *conf) {
	return (struct central_config){
		.adapter = conf->ble.adapter,
		.slots = conf->ble.slots,
		.linger_ms = conf->ble.linger_ms,
		.watch_ms = conf->ble.watch_ms,
		.watch_every_ms = conf->ble.watch_every_ms,
		.is_sole_user = conf->ble.sole_user,
		.may_restart = conf->ble.restart_service,
		.time_percent = conf->ble.time_percent,
	};
}

void rooms_mqtt(const struct conf *conf, struct mqtt_config *ret) {
	mqtt_config_defaults(ret);
	ret->host = conf->mqtt.host;
	ret->port = conf->mqtt.port;
	ret->is_tls = conf->mqtt.tls;
	ret->is_insecure = conf->mqtt.insecure;
	ret->username = conf->mqtt.username;
	ret->ca_file = conf->mqtt.ca_file;
	ret->cert_file = conf->mqtt.cert_file;
	ret->key_file = conf->mqtt.key_file;
	ret->hub_name = conf->hub.name;
	ret->base = conf->mqtt.base;
	ret->prefix = conf->mqtt.discovery_prefix;
	ret->ha_status = conf->mqtt.ha_status_topic;
	(void) mqtt_discovery_from_name(conf->mqtt.discovery, &ret->discovery);
	(void) mqtt_protocol_from_name(conf->mqtt.protocol, &ret->protocol);
	ret->keepalive_s = conf->mqtt.keepalive_s;
	ret->clear_retained = conf->mqtt.clear_retained;
	ret->show_users = conf->mqtt.publish_users;
	ret->allow_commands = conf->mqtt.commands;
	ret->keep_discovery = conf->mqtt.keep_discovery;
	ret->user_switches = conf->mqtt.user_switches;
	ret->maintenance = conf->mqtt.maintenance;
	ret->settings = conf->mqtt.settings;
	ret->pin_code_base = conf->mqtt.pin_code_base;
	(void) mqtt_requests_from_name(conf->mqtt.requests, &ret->requests);
}

int rooms_check(const struct conf *conf, struct fault *ret_fault) {
	struct mqtt_config mqtt;

	if (conf->mqtt.host[0] == '\0') {
		return 0;
	}
	rooms_mqtt(conf, &mqtt);
	/* Both are made at the first start. */
	mqtt.client_id = "check";
	mqtt.hub_id = "check";
	return mqtt_config_check(&mqtt, ret_fault);
}
