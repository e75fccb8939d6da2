/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The vtable: what the rest of the program sees of TTLock.
 */

#include "driver.h"

#include <stdio.h>
#include <string.h>

#include "advert.h"
#include "keys.h"
#include "machine.h"
#include "session.h"
#include "util/auto.h"
#include "util/text.h"

#define ACT_BIT(act) (1u << (act))

/* What is remembered of the last advertisement; the rest of the memory is free. */
struct heard {
	uint8_t is_set;
	uint8_t is_unlocked;
	uint8_t has_log;
};

/* What BlueZ takes for a company: type and version of the protocol. */
static const struct radio_pattern patterns[] = {
	{ .offset = 0, .type = 0xff, .n_bytes = 2, .bytes = { 0x05, 0x03 } },
	{ .n_bytes = 0 },
};

/* "S534_1d22bd": the model stands before the address. */
static void model_of(const char *name, char *out, size_t size) {
	const size_t n = strcspn(name, "_");
	char model[16];

	if (n > 0 && n < sizeof(model) && name[n] == '_') {
		(void) text_copy(model, n + 1, name);
		text_sanitize(model);
		(void) snprintf(out, size, "TTLock %s", model);
	} else {
		(void) text_copy(out, size, "TTLock");
	}
}

static bool ttlock_sight(const struct advert *advert, struct sighting *ret) {
	struct ttlock_advert found;

	if (!ttlock_advert_parse(advert, &found) || !ttlock_advert_is_ours(&found)) {
		return false;
	}
	*ret = (struct sighting){
		.driver = &ttlock_driver,
		.is_random = advert->is_random,
		.rssi = advert->rssi,
		/* Whoever has the numbers of one that is set up may come at any time. */
		.is_pairing = true,
		.needs_key = !found.is_settable,
		.variant = found.scene,
	};
	(void) text_copy(ret->address, sizeof(ret->address), advert->address);
	model_of(advert->name, ret->model, sizeof(ret->model));
	(void) text_copy(
		ret->name, sizeof(ret->name), advert->name[0] != '\0' ? advert->name : ret->model);
	text_sanitize(ret->name);
	return true;
}

static void percent_evidence(uint8_t percent, struct evidence *ret) {
	ret->has |= FACT_BATTERY;
	ret->battery = (struct battery_facts){
		.percent = percent,
		.level = percent <= TTLOCK_CRITICAL_PERCENT  ? BATTERY_CRITICAL
			 : percent <= TTLOCK_WARNING_PERCENT ? BATTERY_WARNING
							     : BATTERY_OK,
	};
}

/*
 * For a minute after each link some firmware says 0 or 100 (ttlock.md 3.2): those two are believed
 * only of a lock that has not said otherwise; a link will tell.
 */
static void hear_battery(const struct lock_status *status, uint8_t percent, struct evidence *ret) {
	const bool is_odd = percent == 0 || percent >= 100;

	if (status->battery_known.how == EVIDENCE_NONE ||
		(!is_odd && percent != status->battery.percent)) {
		percent_evidence(percent, ret);
	}
}

/*
 * There is no counter: what tells news from a repetition is that the state is another one than in
 * the advertisement before. As long as the state is known from the air alone there is something to
 * be read: who it was is in the log. So it is where the air contradicts what was read.
 */
static void ttlock_hear(const struct secret *blob, const struct lock_status *status,
	const struct advert *advert, struct heard_memory *memory, struct evidence *ret) {
	AUTO_VALUE(ttlock_keys_wipe) struct ttlock_keys keys = { 0 };
	struct ttlock_advert found;
	struct heard heard;

	memcpy(&heard, memory->bytes, sizeof(heard));
	if (ttlock_keys_decode(blob, &keys) < 0 || !ttlock_advert_parse(advert, &found) ||
		!found.has_state || found.is_settable) {
		return; /* one that was reset says nothing of the door */
	}
	const enum lock_state state = found.is_unlocked ? LOCK_STATE_UNLOCKED : LOCK_STATE_LOCKED;
	const bool is_news = heard.is_set == 0 || heard.is_unlocked != found.is_unlocked;
	if (is_news) {
		ret->has |= FACT_BOLT;
		ret->bolt = (struct bolt_facts){ .state = state };
	}
	hear_battery(status, found.percent, ret);
	if (keys.is_stuck) {
		ret->is_changed = is_news; /* a look would tell nothing, but the log does */
	} else {
		ret->is_changed = is_news || status->bolt_known.how != EVIDENCE_ANSWERED ||
				  status->bolt.state != state;
	}
	/*
	 * The log's mark stays until the maker's app has read it; a touch that moved nothing, such
	 * as a wrong code, shows by itself.
	 */
	ret->is_passing =
		found.is_touched || (heard.is_set != 0 && found.has_log && heard.has_log == 0);
	ret->is_changed |= ret->is_passing;
	heard = (struct heard){ 1, found.is_unlocked, found.has_log };
	memcpy(memory->bytes, &heard, sizeof(heard));
}

/* Some firmware tells nothing before something was read on the link (ttlock.md 3.1). */
static const struct radio_subscription *ttlock_subscriptions(
	const struct sighting *sighting, const struct secret *keys) {
	static const struct radio_subscription always[] = {
		{ TTLOCK_DEVICE_SERVICE, TTLOCK_MODEL, true, true },
		{ TTLOCK_SERVICE, TTLOCK_FROM_LOCK, false, false },
		{ NULL, NULL, false, false },
	};

	return always;
}

static unsigned ttlock_acts(const struct secret *blob, const struct lock_status *status) {
	static const enum act always[] = { ACT_UNLOCK, ACT_READ_STATE, ACT_READ_BATTERY,
		ACT_READ_CONFIG, ACT_READ_LOG };
	static const enum act of_admin[] = { ACT_SET_TIME, ACT_READ_SETTINGS, ACT_PUT_SETTING };
	static const enum act with_codes[] = { ACT_READ_USERS, ACT_PUT_CREDENTIAL,
		ACT_REMOVE_CREDENTIAL };
	AUTO_VALUE(ttlock_keys_wipe) struct ttlock_keys keys = { 0 };
	unsigned acts = 0;

	if (ttlock_keys_decode(blob, &keys) < 0) {
		return ACT_BIT(ACT_PAIR);
	}
	for (size_t i = 0; i < ARRAY_SIZE(always); i++) {
		acts |= ACT_BIT(always[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(of_admin) && keys.is_admin; i++) {
		acts |= ACT_BIT(of_admin[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(with_codes) && ttlock_limits(&keys) != NULL; i++) {
		acts |= ACT_BIT(with_codes[i]);
	}
	if (ttlock_has(&keys, TTLOCK_HAS_LOCK)) {
		acts |= ACT_BIT(ACT_LOCK);
	}
	if (ttlock_has(&keys, TTLOCK_HAS_NO_CLOCK)) {
		acts &= ~ACT_BIT(ACT_SET_TIME);
	}
	/* Whose keys are the hub's alone is of no use to anybody after it is forgotten. */
	if (keys.is_ours) {
		acts |= ACT_BIT(ACT_UNPAIR);
	}
	return acts;
}

/* There is no PIN: what it would allow, the administrator may. */
static bool ttlock_has_pin(const struct secret *blob) {
	AUTO_VALUE(ttlock_keys_wipe) struct ttlock_keys keys = { 0 };

	return ttlock_keys_decode(blob, &keys) == 0 && keys.is_admin;
}

static bool ttlock_is_announcing(const struct secret *blob, const struct lock_status *status) {
	return true;
}

static int ttlock_set_pin(struct secret *blob, const struct secret *pin, struct fault *ret_fault) {
	return fault_set(ret_fault, FAULT_NOT_SUPPORTED, "locks of TTLock have no PIN");
}

/*
 * The key is the start value of each message, so equal messages are equal on the air, and nothing
 * proves that one is whole. The lock's challenge is in what moves the bolt; its answers and
 * advertisements have nothing of the kind. (docs/protocols/ttlock.md 6)
 */
static const struct protocol protocol_row = {
	.name = "TTLock V3",
	.cipher = "AES-128-CBC with its key as start value, CRC-8",
	.is_mutual = PROTOCOL_NO,
	.is_tamper_proof = PROTOCOL_NO,
	.is_replay_safe = PROTOCOL_YES,
	.has_fresh_nonces = PROTOCOL_NO,
	.weakness = "no message has a proof that it is genuine, advertisements and answers can be "
		    "forged or repeated, and whoever hears the pairing has the key",
	.source = "public clients (ttlock-sdk-js, ttlock-ble); docs/protocols/ttlock.md",
};

static const struct protocol *ttlock_protocol(
	const struct secret *blob, const struct lock_status *status) {
	return &protocol_row;
}

static const struct credential_limits *ttlock_credentials(
	const struct secret *blob, const struct lock_status *status) {
	AUTO_VALUE(ttlock_keys_wipe) struct ttlock_keys keys = { 0 };

	return ttlock_keys_decode(blob, &keys) == 0 ? ttlock_limits(&keys) : NULL;
}

static const struct lock_setting *ttlock_settings_of(
	const struct secret *blob, const struct lock_status *status, size_t *ret_n) {
	AUTO_VALUE(ttlock_keys_wipe) struct ttlock_keys keys = { 0 };

	*ret_n = 0;
	return ttlock_keys_decode(blob, &keys) == 0 && keys.is_admin ? ttlock_settings(ret_n)
								     : NULL;
}

/* Each lock has a bitmap of what it can do; one of these has all of it. */
static const char *ttlock_example(
	unsigned i, struct secret *ret_keys, struct lock_status *ret_status) {
	static const struct {
		const char *name;
		bool is_admin;
		uint64_t features;
	} rows[] = {
		{ "V3 with every feature, set up by the hub", true,
			UINT64_MAX & ~(UINT64_C(1) << TTLOCK_HAS_NO_CLOCK) },
		{ "V3 with a key that can only open", false, 0 },
	};
	const struct known known = { .how = EVIDENCE_ANSWERED };

	if (i >= ARRAY_SIZE(rows)) {
		return NULL;
	}
	const struct ttlock_keys keys = { .is_admin = rows[i].is_admin,
		.is_ours = rows[i].is_admin,
		.features = rows[i].features };
	ttlock_keys_encode(&keys, ret_keys);
	ret_status->battery = (struct battery_facts){ .level = BATTERY_OK, .percent = 90 };
	ret_status->battery_known = known;
	if (ttlock_has(&keys, TTLOCK_HAS_DOOR_SENSOR)) {
		ret_status->door = DOOR_STATE_CLOSED; /* of its log */
		ret_status->door_known = (struct known){ .how = EVIDENCE_LOGGED };
	}
	return rows[i].name;
}

const struct driver ttlock_driver = {
	.name = "ttlock",
	.brand = "TTLock",
	.sight = ttlock_sight,
	.hear = ttlock_hear,
	.is_telling = true,
	.subscriptions = ttlock_subscriptions,
	.session_new = ttlock_session_new,
	.acts = ttlock_acts,
	.has_pin = ttlock_has_pin,
	.is_announcing = ttlock_is_announcing,
	.set_pin = ttlock_set_pin,
	.protocol = ttlock_protocol,
	.credentials = ttlock_credentials,
	.settings = ttlock_settings_of,
	.patterns = patterns,
	.example = ttlock_example,
	.key_form = TTLOCK_KEY_FORM,
	.key_source =
		"A lock that was reset needs none. Of one in use it is in the maker's account, "
		"or in lockData.json of ttlock-sdk-js: docs/keys.md says how to get it",
	.key_members = TTLOCK_KEY_MEMBERS,
};
