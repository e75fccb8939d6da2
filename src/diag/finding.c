/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "diag/finding.h"

#include "util/auto.h"
#include "util/text.h"

const char *check_result_name(enum check_result result) {
	static const struct name_row rows[] = {
		{ CHECK_OK, "ok" },
		{ CHECK_BAD, "bad" },
		{ CHECK_UNKNOWN, "unknown" },
		{ CHECK_SKIPPED, "skipped" },
	};

	return name_of(rows, ARRAY_SIZE(rows), (int) result);
}

const char *severity_name(enum severity severity) {
	static const struct name_row rows[] = {
		{ SEVERITY_INFO, "info" },
		{ SEVERITY_WARNING, "warning" },
		{ SEVERITY_ERROR, "error" },
		{ SEVERITY_CRITICAL, "critical" },
	};

	return name_of(rows, ARRAY_SIZE(rows), (int) severity);
}

const char *diag_topic_name(enum diag_topic topic) {
	static const struct name_row rows[] = {
		{ TOPIC_HUB, "hub" },
		{ TOPIC_RADIO, "radio" },
		{ TOPIC_NETWORK, "network" },
		{ TOPIC_CONNECTION, "connection" },
		{ TOPIC_BATTERY, "battery" },
		{ TOPIC_MECHANICS, "mechanics" },
		{ TOPIC_SETUP, "setup" },
		{ TOPIC_CODES, "codes" },
		{ TOPIC_FIRMWARE, "firmware" },
		{ TOPIC_SECURITY, "security" },
	};

	return name_of(rows, ARRAY_SIZE(rows), (int) topic);
}
