/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "diag/facts.h"

#include <string.h>

#include "judge.h"

const struct model model_unknown = {
	.file = "",
	.name = "",
	.has_mechanical_key = FLAG_UNKNOWN,
	.support = "",
	.battery_kind = "",
	.battery_tools = "",
	.firmware_newest = "",
	.firmware_checked = "",
	.firmware_min = "",
	.firmware_fault = "",
	.install_tools = "",
};

static void adapter_facts_init(struct adapter_facts *facts) {
	facts->is_powered = FLAG_UNKNOWN;
	facts->is_blocked = FLAG_UNKNOWN;
	facts->is_usb = FLAG_UNKNOWN;
	facts->is_onboard = FLAG_UNKNOWN;
	facts->is_usb3_port = FLAG_UNKNOWN;
	facts->is_autosuspending = FLAG_UNKNOWN;
	facts->stats.heard_ms = INT64_MIN;
	facts->stats.state = "";
	facts->deaf_s = -1;
}

void hub_facts_init(struct hub_facts *facts) {
	memset(facts, 0, sizeof(*facts));
	facts->is_clock_trusted = FLAG_UNKNOWN;
	facts->zone_offset_minutes = ZONE_OFFSET_UNKNOWN;
	facts->is_anything_heard = FLAG_UNKNOWN;
	for (size_t i = 0; i < DIAG_ADAPTERS_MAX; i++) {
		adapter_facts_init(&facts->adapters[i]);
	}
	facts->broker.is_wanted = FLAG_UNKNOWN;
	facts->broker.is_connected = FLAG_UNKNOWN;
	facts->broker.is_online = FLAG_UNKNOWN;
	facts->broker.is_tls = FLAG_UNKNOWN;
	facts->broker.is_local = FLAG_UNKNOWN;
	facts->broker.has_password = FLAG_UNKNOWN;
	facts->broker.is_anonymous_ok = FLAG_UNKNOWN;
	facts->host.disk_free = -1;
	facts->host.disk_size = -1;
	facts->host.database_size = -1;
	facts->host.was_clean_stop = FLAG_UNKNOWN;
	facts->host.is_log_whole = FLAG_UNKNOWN;
	facts->host.n_restarts = -1;
	facts->host.is_wifi = FLAG_UNKNOWN;
	facts->host.is_wifi_24ghz = FLAG_UNKNOWN;
	facts->host.is_undervolted = FLAG_UNKNOWN;
	facts->host.backup_at = WALL_UNKNOWN;
}

void lock_facts_init(struct lock_facts *facts) {
	memset(facts, 0, sizeof(*facts));
	facts->model = &model_unknown;
	lock_status_init(&facts->status);
	facts->radio.heard_ms = INT64_MIN;
	facts->radio.state = "";
	facts->unheard_s = -1;
	facts->forecast.reason = "nothing was observed yet";
	facts->forecast.percent_per_move = -1;
	facts->forecast.normal_per_day = -1;
	facts->has_factor = FLAG_UNKNOWN;
	facts->pin_weakness = "";
}
