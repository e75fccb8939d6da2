/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* GetRadioStatistics: what is counted for people, of a lock's link and of the adapters. */

#include "room.h"

#include <errno.h>

static int put_counts(sd_bus_message *message, const struct radio_stats *stats) {
	const struct {
		const char *key;
		uint64_t value;
	} rows[] = {
		{ "connects", stats->connects },
		{ "attempts", stats->attempts },
		{ "failures", stats->failures },
		{ "losses", stats->losses },
		{ "link_ms", stats->link_ms },
		{ "writes", stats->writes },
		{ "connects_today", stats->tally.connects_today },
		{ "connects_yesterday", stats->tally.connects_yesterday },
		{ "link_ms_today", stats->tally.link_ms_today },
		{ "link_ms_yesterday", stats->tally.link_ms_yesterday },
	};
	int r = 0;
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(rows); i++) {
		r = put_number(message, rows[i].key, (int64_t) rows[i].value);
	}
	return r;
}

static int put_spread(
	sd_bus_message *message, const char *const keys[3], const struct tally_spread *spread) {
	const int64_t values[] = { spread->least, spread->median, spread->most };
	int r = 0;
	for (size_t i = 0; r >= 0 && spread->n > 0 && i < 3; i++) {
		r = put_number(message, keys[i], values[i]);
	}
	return r;
}

static int put_ends(sd_bus_message *message, const struct tally *tally) {
	int r = sd_bus_message_open_container(message, 'e', "sv");
	if (r >= 0) {
		r = sd_bus_message_append(message, "s", "ends");
	}
	if (r >= 0) {
		r = sd_bus_message_open_container(message, 'v', "a{sx}");
	}
	if (r >= 0) {
		r = sd_bus_message_open_container(message, 'a', "{sx}");
	}
	for (unsigned i = 0; r >= 0 && i < TALLY_END_COUNT_; i++) {
		r = sd_bus_message_append(
			message, "{sx}", tally_end_name(i), (int64_t) tally->ends[i]);
	}
	for (unsigned i = 0; r >= 0 && i < 3; i++) {
		r = sd_bus_message_close_container(message);
	}
	return r;
}

/* Newest first: milliseconds ago, dBm. */
static int put_history(sd_bus_message *message, const struct tally *tally, mono_t now) {
	int r = sd_bus_message_open_container(message, 'e', "sv");
	if (r >= 0) {
		r = sd_bus_message_append(message, "s", "rssi_history");
	}
	if (r >= 0) {
		r = sd_bus_message_open_container(message, 'v', "a(xi)");
	}
	if (r >= 0) {
		r = sd_bus_message_open_container(message, 'a', "(xi)");
	}
	const struct tally_strength *strength;
	for (size_t i = 0; r >= 0 && (strength = tally_strength_at(tally, i)) != NULL; i++) {
		r = sd_bus_message_append(
			message, "(xi)", mono_since(strength->at, now), (int32_t) strength->dbm);
	}
	for (unsigned i = 0; r >= 0 && i < 3; i++) {
		r = sd_bus_message_close_container(message);
	}
	return r;
}

/* A whole dictionary, a{sv}. */
static int put_stats(sd_bus_message *message, const struct radio_stats *stats, mono_t now) {
	static const char *const rssi_keys[] = { "rssi_min", "rssi_median", "rssi_max" };
	static const char *const time_keys[] = { "to_link_ms_best", "to_link_ms_median",
		"to_link_ms_worst" };
	const struct tally *tally = &stats->tally;
	struct tally_spread strengths = tally_strengths(tally), times = tally_times(tally);
	int success = radio_success_percent(stats);
	int r = sd_bus_message_open_container(message, 'a', "{sv}");
	if (r >= 0) {
		r = put_counts(message, stats);
	}
	if (r >= 0 && success >= 0) {
		r = put_number(message, "success_percent", success);
	}
	if (r >= 0) {
		r = put_text(message, "quality", radio_quality(stats));
	}
	if (r >= 0 && stats->rssi != 0) {
		r = put_number(message, "rssi", stats->rssi);
	}
	if (r >= 0) {
		r = put_spread(message, rssi_keys, &strengths);
	}
	if (r >= 0) {
		r = put_spread(message, time_keys, &times);
	}
	if (r >= 0) {
		r = put_ends(message, tally);
	}
	if (r >= 0) {
		r = put_history(message, tally, now);
	}
	if (r >= 0 && stats->heard_ms != INT64_MIN) {
		mono_t heard = { stats->heard_ms };
		r = put_number(message, "heard_ms_ago", mono_since(heard, now));
	}
	if (r >= 0) {
		r = put_text_unless_empty(message, "adapter", stats->adapter);
	}
	if (r >= 0 && stats->state != NULL) {
		r = put_text(message, "state", stats->state);
	}
	return r < 0 ? r : sd_bus_message_close_container(message);
}

/* Takes @reply; @r: how filling it went. */
static void send_reply(sd_bus_message *message, sd_bus_message *reply, int r) {
	if (r >= 0) {
		r = sd_bus_send(NULL, reply, NULL);
	}
	if (r < 0) {
		sd_bus_reply_method_errno(message, r, NULL);
	}
	sd_bus_message_unref(reply);
}

void statistics_of_lock(struct api *api, sd_bus_message *message, const struct lock *lock) {
	struct radio_stats stats = { 0 };
	sd_bus_message *reply = NULL;
	lock_radio_stats(lock, &stats);
	int r = sd_bus_message_new_method_return(message, &reply);
	if (r >= 0) {
		r = put_stats(reply, &stats, clock_mono(hub_clock(api->hub)));
	}
	send_reply(message, reply, r);
}

void statistics_of_adapters(struct api *api, sd_bus_message *message, const struct asker *asker) {
	struct radio_stats stats = { 0 };
	sd_bus_message *reply = NULL;
	int r = sd_bus_message_new_method_return(message, &reply);
	if (r >= 0) {
		r = sd_bus_message_open_container(reply, 'a', "{sa{sv}}");
	}
	for (unsigned i = 0; r >= 0 && hub_adapter_stats(api->hub, i, &stats); i++) {
		r = sd_bus_message_open_container(reply, 'e', "sa{sv}");
		if (r >= 0) {
			r = sd_bus_message_append(reply, "s", stats.adapter);
		}
		if (r >= 0) {
			r = put_stats(reply, &stats, clock_mono(hub_clock(api->hub)));
		}
		if (r >= 0) {
			r = sd_bus_message_close_container(reply);
		}
	}
	if (r >= 0) {
		r = sd_bus_message_close_container(reply);
	}
	send_reply(message, reply, r);
}
