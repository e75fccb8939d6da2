/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is counted for people. Everything is counted twice, for the device and for the adapter in
 * use, with one exception: the strength is the device's as the adapter that heard it has it.
 */
#include <string.h>

#include "ble.h"
#include "util/text.h"

#define FELL_BEFORE_MS 2000 /* the links fall so long before their adapter at most */

void stats_begin(struct radio_stats *stats, mono_t now) {
	memset(stats, 0, sizeof(*stats));
	stats->heard_ms = INT64_MIN;
	stats->any_ms = INT64_MIN;
	tally_begin(&stats->tally, now);
}

/* The address is what an adapter is: plugged in again as another hciN it goes on counting. */
void stats_adapter_came(struct ble_adapter *adapter) {
	struct central *central = adapter->central;

	if (text_equal(adapter->stats.adapter, adapter->address)) {
		return;
	}
	stats_begin(&adapter->stats, ble_now(central));
	for (unsigned i = 0; i < ADAPTERS_MAX; i++) {
		struct ble_adapter *other = &central->adapters[i];
		if (!other->is_present && text_equal(other->stats.adapter, adapter->address)) {
			adapter->stats = other->stats;
			memset(&other->stats, 0, sizeof(other->stats));
			return;
		}
	}
	(void) text_copy(adapter->stats.adapter, sizeof(adapter->stats.adapter), adapter->address);
}

/* The adapter's; NULL without one. */
static struct radio_stats *of_adapter(const struct radio_link *link) {
	return link->peer != NULL ? &link->peer->adapter->stats : NULL;
}

void stats_attempt(struct radio_link *link) {
	const struct ble_adapter *adapter = link->peer->adapter;

	link->attempt_since = ble_now(link->central);
	link->stats.attempts++;
	(void) text_copy(link->stats.adapter, sizeof(link->stats.adapter), adapter->address);
	of_adapter(link)->attempts++;
}

void stats_up(struct radio_link *link) {
	mono_t now = ble_now(link->central);
	int64_t took = mono_since(link->attempt_since, now);
	struct radio_stats *adapter = of_adapter(link);

	link->stats.connects++;
	tally_up(&link->stats.tally, now, took);
	adapter->connects++;
	tally_up(&adapter->tally, now, took);
}

void stats_failed(struct radio_link *link) {
	struct radio_stats *adapter = of_adapter(link);

	link->stats.failures++;
	if (adapter != NULL) {
		adapter->failures++;
	}
}

void stats_lost(struct radio_link *link) {
	struct radio_stats *adapter = of_adapter(link);

	link->stats.losses++;
	if (adapter != NULL) {
		adapter->losses++;
	}
}

void stats_written(struct radio_link *link) {
	struct radio_stats *adapter = of_adapter(link);

	link->stats.writes++;
	if (adapter != NULL) {
		adapter->writes++;
	}
}

void stats_heard(struct ble_peer *peer) {
	struct radio_link *link = peer->link;
	struct radio_stats *both[] = { &link->stats, &peer->adapter->stats };
	mono_t now = ble_now(link->central);

	for (size_t i = 0; i < ARRAY_SIZE(both); i++) {
		both[i]->heard_ms = now.ms;
		if (link->advert.rssi != 0) {
			both[i]->rssi = link->advert.rssi;
			tally_heard(&both[i]->tally, now, link->advert.rssi);
		}
	}
}

/* The part after the last dot of what Device1.Disconnected of BlueZ 5.83 names. */
static enum tally_end end_of_reason(const char *reason) {
	static const struct {
		const char *reason;
		enum tally_end end;
	} rows[] = {
		{ "Remote", TALLY_END_LOCK },
		{ "Timeout", TALLY_END_LOST },
		{ "Local", TALLY_END_BLUEZ }, /* this computer, and it was not us */
		{ "Suspend", TALLY_END_ADAPTER },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (text_equal(reason, rows[i].reason)) {
			return rows[i].end;
		}
	}
	return TALLY_END_UNKNOWN;
}

/* An adapter went, but perhaps only because bluetoothd did. */
static enum tally_end end_of_adapter(const struct central *central) {
	return central->owner[0] == '\0' ? TALLY_END_BLUEZ : TALLY_END_ADAPTER;
}

void stats_end_begins(struct radio_link *link, enum link_event event) {
	const struct central *central = link->central;

	switch (event) {
	case LINK_EV_CLOSED:
		link->end = end_of_reason(link->reason);
		break;
	case LINK_EV_VANISHED:
		link->end = TALLY_END_BLUEZ;
		break;
	case LINK_EV_RADIO_DOWN:
		link->end = end_of_adapter(central);
		break;
	default: /* RULE R3: all others are ours, by what they do */
		link->end = TALLY_END_US;
		break;
	}
}

static void move_end(struct tally *tally, enum tally_end from, enum tally_end to) {
	if (tally->ends[from] > 0) {
		tally->ends[from]--;
		tally->ends[to]++;
	}
}

/*
 * When an adapter is switched off or pulled out, BlueZ tells of its links first, and without a
 * reason. What fell just now fell for that.
 */
void stats_adapter_went(struct ble_adapter *adapter) {
	struct central *central = adapter->central;
	mono_t now = ble_now(central);
	struct radio_link *link;

	list_for_each(link, &central->links, in_links) {
		if (link->ended_on == adapter && link->end == TALLY_END_UNKNOWN &&
			mono_since(link->ended_at, now) < FELL_BEFORE_MS) {
			link->end = end_of_adapter(central);
			move_end(&link->stats.tally, TALLY_END_UNKNOWN, link->end);
			move_end(&adapter->stats.tally, TALLY_END_UNKNOWN, link->end);
		}
	}
}

static void add_link(struct radio_stats *stats, mono_t from, mono_t to) {
	stats->link_ms += (uint64_t) mono_since(from, to);
	stats->heard_ms = to.ms;
	tally_linked(&stats->tally, from, to);
}

void stats_ended(struct radio_link *link) {
	mono_t now = ble_now(link->central);
	struct radio_stats *adapter = of_adapter(link);

	if (link->linked_since.ms == INT64_MAX) {
		return;
	}
	add_link(&link->stats, link->linked_since, now);
	tally_ended(&link->stats.tally, link->end);
	if (adapter != NULL) {
		add_link(adapter, link->linked_since, now);
		tally_ended(&adapter->tally, link->end);
		link->ended_on = link->peer->adapter;
		link->ended_at = now;
	}
	link->linked_since = MONO_NEVER;
}

void stats_read_link(const struct radio_link *link, struct radio_stats *ret) {
	mono_t now = ble_now(link->central);

	*ret = link->stats;
	ret->state = link_state_name(link->state);
	tally_roll(&ret->tally, now);
	if (link->linked_since.ms != INT64_MAX) {
		add_link(ret, link->linked_since, now);
	}
}

bool stats_read_adapter(const struct central *central, unsigned i, struct radio_stats *ret) {
	const struct ble_adapter *adapter = NULL;
	const struct radio_link *link;
	mono_t now = ble_now(central);
	unsigned n = 0;

	for (unsigned index = 0; index < ADAPTERS_MAX && adapter == NULL; index++) {
		if (central->adapters[index].stats.adapter[0] != '\0' && n++ == i) {
			adapter = &central->adapters[index];
		}
	}
	if (adapter == NULL) {
		return false;
	}
	*ret = adapter->stats;
	if (adapter->is_present) {
		(void) text_copy(ret->name, sizeof(ret->name), strrchr(adapter->path, '/') + 1);
	}
	ret->state = !adapter->is_present ? "absent" : adapter->is_powered ? "on" : "off";
	tally_roll(&ret->tally, now);
	list_for_each(link, &central->links, in_links) {
		if (link->linked_since.ms != INT64_MAX && link->peer != NULL &&
			link->peer->adapter == adapter) {
			add_link(ret, link->linked_since, now);
		}
	}
	return true;
}
