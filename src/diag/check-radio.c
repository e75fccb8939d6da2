/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* bluetoothd, the adapters, and what stands in the way of their waves. */

#include "judge.h"

#include <string.h>

/*
 * habluetooth takes a scanner that has heard nothing for 90 s for stuck, and acts at the second
 * time (docs/bluez-notes.md, "When an adapter does not work"). A barn can be silent: only counts
 * where locks were heard.
 */
#define DEAF_S 180
#define DEAF_SURE_S 900
/* As in radio_quality(): what counts as too many failures to link. */
#define FAILING_PERCENT RADIO_POOR_FAILURE_PERCENT
/* Attempts before a share of them is a number. */
#define ATTEMPTS_LEAST 10
#define ATTEMPTS_ENOUGH 60
#define FAILING_DAYS 7
/* Ends of links by the adapter or bluetoothd: never happens in an order that works. */
#define ENDS_LEAST 4
#define ENDS_ENOUGH 12

static void accuse_in_words(struct judge *judge, const struct fault *fault) {
	proof(judge, EVIDENCE_ANSWERED, (wall_t){ 0 }, "%s%s%s", fault_row(fault->code)->summary,
		fault->detail[0] != '\0' ? ": " : "", fault->detail);
	accuse(judge, fault->code, SURE);
}

static bool is_radio_fault(struct judge *judge, enum fault_code code) {
	if (judge->hub->radio.fault.code != code) {
		return false;
	}
	accuse_in_words(judge, &judge->hub->radio.fault);
	return true;
}

static enum check_result check_bluetooth(struct judge *judge) {
	const struct radio_status *radio = &judge->hub->radio;
	static const enum fault_code faults[] = { FAULT_BUS_LOST, FAULT_BLUEZ_MISSING,
		FAULT_BLUEZ_HUNG, FAULT_BLUEZ_DENIED };

	/* Who asks a bluetoothd that hangs never gets beyond the beginning. */
	if (radio->is_starting && radio->fault.code != FAULT_BLUEZ_HUNG &&
		radio->fault.code != FAULT_BLUEZ_DENIED) {
		return CHECK_UNKNOWN;
	}
	bool is_bad = false;
	for (size_t i = 0; i < ARRAY_SIZE(faults) && !is_bad; i++) {
		is_bad = is_radio_fault(judge, faults[i]);
	}
	/* Beside its reason, or alone when bluetoothd answers and the adapter is what is wrong. */
	if (radio->hindrance.code == FAULT_RESTART_DENIED) {
		accuse_in_words(judge, &radio->hindrance);
		is_bad = true;
	}
	if (is_bad) {
		return CHECK_BAD;
	}
	if (!radio->is_ready && radio->fault.code == FAULT_NONE) {
		return CHECK_UNKNOWN;
	}
	if (radio->bluez_version[0] != '\0') {
		proof(judge, EVIDENCE_ANSWERED, (wall_t){ 0 }, "BlueZ %s answers",
			radio->bluez_version);
	}
	return CHECK_OK;
}

static bool is_all_blocked(const struct hub_facts *hub) {
	for (size_t i = 0; i < hub->n_adapters; i++) {
		if (hub->adapters[i].is_blocked != FLAG_YES) {
			return false;
		}
	}
	return hub->n_adapters > 0;
}

static enum check_result check_adapter(struct judge *judge) {
	const struct hub_facts *hub = judge->hub;
	static const enum fault_code faults[] = { FAULT_ADAPTER_MISSING, FAULT_ADAPTER_BLOCKED,
		FAULT_ADAPTER_OFF, FAULT_ADAPTER_FAILING };
	size_t n_usable = 0;
	size_t n_known = 0;
	enum fault_code why = FAULT_NONE;

	/* bluetoothd of today says only that it is off; the kernel says why. */
	if (hub->radio.fault.code == FAULT_ADAPTER_OFF && is_all_blocked(hub)) {
		proof(judge, EVIDENCE_ANSWERED, (wall_t){ 0 }, "%s is blocked by rfkill",
			hub->adapters[0].name);
		accuse(judge, FAULT_ADAPTER_BLOCKED, SURE);
		return CHECK_BAD;
	}
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		if (is_radio_fault(judge, faults[i])) {
			return CHECK_BAD;
		}
	}
	for (size_t i = 0; i < hub->n_adapters; i++) {
		const struct adapter_facts *adapter = &hub->adapters[i];
		if (adapter->is_powered == FLAG_YES) {
			n_usable++;
			proof(judge, EVIDENCE_ANSWERED, (wall_t){ 0 }, "%s is on%s%s",
				adapter->name, adapter->chip[0] != '\0' ? ": " : "", adapter->chip);
		} else if (adapter->is_powered == FLAG_NO) {
			why = adapter->is_blocked == FLAG_YES ? FAULT_ADAPTER_BLOCKED
							      : FAULT_ADAPTER_OFF;
			proof(judge, EVIDENCE_ANSWERED, (wall_t){ 0 }, "%s is %s", adapter->name,
				adapter->is_blocked == FLAG_YES ? "blocked by rfkill" : "off");
		}
		n_known += adapter->is_powered != FLAG_UNKNOWN;
	}
	if (n_usable > 0 || hub->radio.is_ready) {
		return CHECK_OK;
	}
	if (n_known > 0 && n_known == hub->n_adapters) {
		accuse(judge, why, SURE);
		return CHECK_BAD;
	}
	return CHECK_UNKNOWN;
}

/* The only lock was so weak, by battery or by radio, that its silence is its own. */
static bool is_silence_its_own(const struct judge *judge) {
	const struct lock_facts *lock = judge->lock;
	struct strength strength;

	if (lock == NULL) {
		return false;
	}
	strength_of(judge, &strength);
	return (strength.n > 0 && strength.median < RADIO_POOR_DBM) ||
	       (lock->status.battery_known.how != EVIDENCE_NONE &&
		       (lock->status.battery.level == BATTERY_CRITICAL ||
			       lock->status.battery.level == BATTERY_WARNING));
}

/* Locks that are heard, without the one at hand when it was just looked for in vain. */
static unsigned locks_heard(const struct judge *judge) {
	unsigned n = judge->hub->n_locks_reachable;

	if (n > 0 && judge->lock != NULL && judge->lock->is_reachable &&
		told(judge, FAULT_LOCK_NOT_HEARD) != NULL) {
		n--;
	}
	return n;
}

static enum check_result check_hearing(struct judge *judge) {
	const struct hub_facts *hub = judge->hub;
	int least = -1;

	if (hub->is_anything_heard == FLAG_YES) {
		proof(judge, EVIDENCE_ADVERTISED, (wall_t){ 0 }, "others are heard");
		return CHECK_OK;
	}
	for (size_t i = 0; i < hub->n_adapters; i++) {
		const struct adapter_facts *adapter = &hub->adapters[i];
		if (adapter->is_powered == FLAG_NO) {
			continue;
		}
		if (adapter->deaf_s < 0) {
			return CHECK_UNKNOWN;
		}
		if (least < 0 || adapter->deaf_s < least) {
			least = adapter->deaf_s;
		}
		proof_value(judge, adapter->deaf_s, "s", EVIDENCE_INFERRED, (wall_t){ 0 },
			"%s listens and hears nobody", adapter->name);
	}
	if (least < 0 || hub->n_locks == 0) {
		return CHECK_UNKNOWN;
	}
	if (locks_heard(judge) > 0) {
		return CHECK_OK; /* it works with some: not the radio */
	}
	/* A short while is enough when somebody has listened for anything at all. */
	if (least < DEAF_S && hub->is_anything_heard != FLAG_NO) {
		return CHECK_OK;
	}
	proof_value(judge, hub->n_locks, "", EVIDENCE_INFERRED, (wall_t){ 0 },
		"locks, of which none is heard");
	if (least >= DEAF_S) {
		accuse(judge, FAULT_ADAPTER_DEAF,
			confidence(least - DEAF_S, DEAF_SURE_S, 70, NEARLY_SURE));
	} else if (hub->n_locks > 1) {
		accuse(judge, FAULT_ADAPTER_DEAF, confidence(hub->n_locks - 2, 3, 70, 85));
	} else {
		accuse(judge, FAULT_ADAPTER_DEAF, is_silence_its_own(judge) ? 35 : 60);
	}
	return CHECK_BAD;
}

static enum check_result check_slots(struct judge *judge) {
	bool is_stuck = is_told(judge, FAULT_LINK_STUCK);
	bool is_busy = is_told(judge, FAULT_RADIO_BUSY);

	if (is_stuck) {
		accuse(judge, FAULT_LINK_STUCK, SURE);
	}
	if (is_busy) {
		accuse(judge, FAULT_RADIO_BUSY, 85);
	}
	if (is_stuck || is_busy) {
		return CHECK_BAD;
	}
	return judge->lock->n_probes > 0 ? CHECK_OK : CHECK_UNKNOWN;
}

/* How badly links fail: of this lock, or of all when the hub alone is judged. */
struct failing {
	uint64_t attempts, failures;
	bool is_known, is_bad;
	bool is_weak; /* distance explains it as well */
};

static void failing_of(const struct judge *judge, struct failing *ret) {
	*ret = (struct failing){ 0 };
	if (judge->lock != NULL) {
		struct strength strength;
		ret->attempts = days_sum(judge, FAILING_DAYS, DAY_ATTEMPTS);
		ret->failures = days_sum(judge, FAILING_DAYS, DAY_FAILURES) +
				days_sum(judge, FAILING_DAYS, DAY_ENDS_LOST);
		strength_of(judge, &strength);
		ret->is_weak = strength.n > 0 && strength.median < RADIO_POOR_DBM;
	}
	if (ret->attempts == 0) {
		for (size_t i = 0; i < judge->hub->n_adapters; i++) {
			const struct radio_stats *stats = &judge->hub->adapters[i].stats;
			ret->attempts += stats->attempts;
			ret->failures += stats->failures + stats->losses;
		}
	}
	ret->is_known = ret->attempts >= ATTEMPTS_LEAST;
	ret->is_bad = ret->is_known && ret->failures * 100 >= ret->attempts * FAILING_PERCENT;
}

/*
 * A circumstance that is known to disturb counts only when links do fail; and less where the lock
 * is far away too. @return what the check returns.
 */
static enum check_result judge_circumstance(
	struct judge *judge, enum known_flag is_so, enum fault_code fault, const char *what) {
	struct failing failing;

	if (is_so == FLAG_UNKNOWN) {
		return CHECK_UNKNOWN;
	}
	if (is_so == FLAG_NO) {
		return CHECK_OK;
	}
	proof(judge, EVIDENCE_ANSWERED, (wall_t){ 0 }, "%s", what);
	failing_of(judge, &failing);
	if (!failing.is_known) {
		return CHECK_UNKNOWN;
	}
	proof_value(judge, 100.0 * (double) failing.failures / (double) failing.attempts, "%",
		EVIDENCE_INFERRED, (wall_t){ 0 }, "of %llu attempts to connect failed or were lost",
		(unsigned long long) failing.attempts);
	if (!failing.is_bad) {
		return CHECK_OK;
	}
	accuse(judge, fault,
		failing.is_weak ? confidence((double) failing.attempts, ATTEMPTS_ENOUGH, 45, 55)
				: confidence((double) failing.attempts, ATTEMPTS_ENOUGH, 70, 88));
	return CHECK_BAD;
}

/* The adapter that serves this lock, or the first one that is on. */
static const struct adapter_facts *adapter_in_use(const struct judge *judge) {
	const struct hub_facts *hub = judge->hub;
	const struct adapter_facts *first = NULL;

	for (size_t i = 0; i < hub->n_adapters; i++) {
		const struct adapter_facts *adapter = &hub->adapters[i];
		if (judge->lock != NULL && judge->lock->radio.adapter[0] != '\0' &&
			strcmp(adapter->address, judge->lock->radio.adapter) == 0) {
			return adapter;
		}
		if (first == NULL && adapter->is_powered != FLAG_NO) {
			first = adapter;
		}
	}
	return first;
}

static enum check_result check_usb_port(struct judge *judge) {
	const struct adapter_facts *adapter = adapter_in_use(judge);

	return adapter == NULL ? CHECK_UNKNOWN
	       : adapter->is_usb == FLAG_NO
		       ? CHECK_SKIPPED
		       : judge_circumstance(judge, adapter->is_usb3_port, FAULT_USB_INTERFERENCE,
				 "the adapter sits at a USB 3 port, or beside one in use");
}

static enum check_result check_power_saving(struct judge *judge) {
	const struct adapter_facts *adapter = adapter_in_use(judge);

	return adapter == NULL ? CHECK_UNKNOWN
	       : adapter->is_usb == FLAG_NO
		       ? CHECK_SKIPPED
		       : judge_circumstance(judge, adapter->is_autosuspending,
				 FAULT_ADAPTER_AUTOSUSPEND,
				 "the adapter's power/control is \"auto\": it may be put to sleep");
}

static enum check_result check_wifi_neighbour(struct judge *judge) {
	const struct adapter_facts *adapter = adapter_in_use(judge);
	enum known_flag is_so = judge->hub->host.is_wifi_24ghz;

	if (adapter == NULL || adapter->is_onboard == FLAG_UNKNOWN) {
		return CHECK_UNKNOWN;
	}
	if (adapter->is_onboard == FLAG_NO) {
		return CHECK_SKIPPED;
	}
	return judge_circumstance(judge, is_so, FAULT_WIFI_INTERFERENCE,
		"the built-in Bluetooth shares its chip with Wi-Fi in use at 2.4 GHz");
}

static enum check_result check_radio_stability(struct judge *judge) {
	uint64_t adapter = days_sum(judge, FAILING_DAYS, DAY_ENDS_ADAPTER);
	uint64_t bluez = days_sum(judge, FAILING_DAYS, DAY_ENDS_BLUEZ);
	uint64_t links = days_sum(judge, FAILING_DAYS, DAY_LINKS);
	enum check_result result = CHECK_OK;

	if (links + adapter + bluez == 0) {
		return CHECK_UNKNOWN;
	}
	if (adapter >= ENDS_LEAST) {
		proof_value(judge, (double) adapter, "", EVIDENCE_INFERRED, (wall_t){ 0 },
			"links ended by the adapter within %d days", FAILING_DAYS);
		accuse(judge, FAULT_ADAPTER_UNSTABLE,
			confidence((double) (adapter - ENDS_LEAST), ENDS_ENOUGH, 70, 92));
		result = CHECK_BAD;
	}
	if (bluez >= ENDS_LEAST) {
		proof_value(judge, (double) bluez, "", EVIDENCE_INFERRED, (wall_t){ 0 },
			"links ended by bluetoothd within %d days", FAILING_DAYS);
		accuse(judge, FAULT_BLUEZ_UNSTABLE,
			confidence((double) (bluez - ENDS_LEAST), ENDS_ENOUGH, 65, 90));
		result = CHECK_BAD;
	}
	return result;
}

/* clang-format off */
const struct check radio_checks[] = {
	{ "bluetooth", "Bluetooth of this computer (bluetoothd)", TOPIC_RADIO, .is_vital = true, .run = check_bluetooth },
	{ "adapter", "A Bluetooth adapter is there and on", TOPIC_RADIO, .is_vital = true, .after = { "bluetooth" }, .run = check_adapter },
	{ "hearing", "The adapter hears others", TOPIC_RADIO, .after = { "adapter" }, .run = check_hearing },
	{ "slots", "Places for connections", TOPIC_RADIO, .is_of_lock = true, .after = { "adapter" }, .run = check_slots },
	{ "power-saving", "Power saving of the adapter", TOPIC_RADIO, .after = { "adapter" }, .run = check_power_saving },
	{ "usb-port", "The adapter's USB port", TOPIC_RADIO, .after = { "adapter" }, .run = check_usb_port },
	{ "wifi-neighbour", "The hub's own Wi-Fi beside its Bluetooth", TOPIC_RADIO, .after = { "adapter" }, .run = check_wifi_neighbour },
	{ "radio-stability", "Adapter and bluetoothd stay up", TOPIC_RADIO, .is_of_lock = true, .run = check_radio_stability },
	{ .name = NULL },
};
/* clang-format on */
