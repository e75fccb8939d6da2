/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The vtable: what the rest of the program sees of Nuki.
 */

#include "driver.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "advert.h"
#include "facts.h"
#include "keys.h"
#include "session.h"
#include "settings.h"
#include "slots.h"
#include "util/auto.h"
#include "util/bytes.h"
#include "util/text.h"

#define ACT_BIT(act) (1u << (act))

static bool nuki_sight(const struct advert *advert, struct sighting *ret) {
	struct nuki_advert found;

	if (!nuki_advert_parse(advert, &found)) {
		return false;
	}
	*ret = (struct sighting){
		.driver = &nuki_driver,
		.is_random = advert->is_random,
		.rssi = advert->rssi,
		.is_pairing = found.is_pairing,
		.needs_pin = found.generation == NUKI_GENERATION_5,
		.is_changed = found.is_changed,
	};
	text_copy(ret->address, sizeof(ret->address), advert->address);
	nuki_facts_serial(found.nuki_id, ret->serial);
	text_copy(ret->model, sizeof(ret->model),
		found.generation == NUKI_GENERATION_5 ? "Nuki Smart Lock, 5th generation"
		: found.is_uninitialised              ? "Nuki Smart Lock, not set up yet"
						      : "Nuki Smart Lock");
	if (advert->name[0] != '\0') {
		text_copy(ret->name, sizeof(ret->name), advert->name);
		text_sanitize(ret->name);
	} else {
		snprintf(ret->name, sizeof(ret->name), "Nuki_%s", ret->serial);
	}
	return true;
}

/*
 * In use: e202 for everything, e201 for the errors in clear of a lock that does not know us. For
 * pairing: what the advertisement told, or whichever of the two there is.
 */
static const struct radio_subscription *nuki_subscriptions(
	const struct sighting *sighting, const struct secret *keys) {
	static const struct radio_subscription in_use[] = {
		{ NUKI_SERVICE_KEYTURNER, NUKI_USDIO, false },
		{ NUKI_SERVICE_KEYTURNER, NUKI_GDIO, false },
		{ NULL, NULL, false },
	};
	static const struct radio_subscription pairing[] = {
		{ NUKI_SERVICE_PAIRING, NUKI_PAIRING_GDIO, false },
		{ NULL, NULL, false },
	};
	static const struct radio_subscription pairing_5[] = {
		{ NUKI_SERVICE_PAIRING_5, NUKI_PAIRING_GDIO_5, false },
		{ NULL, NULL, false },
	};
	static const struct radio_subscription pairing_any[] = {
		{ NUKI_SERVICE_PAIRING, NUKI_PAIRING_GDIO, true },
		{ NUKI_SERVICE_PAIRING_5, NUKI_PAIRING_GDIO_5, true },
		{ NULL, NULL, false },
	};

	if (keys != NULL && keys->len > 0) {
		return in_use;
	}
	if (sighting == NULL || !sighting->is_pairing) {
		return pairing_any;
	}
	return sighting->needs_pin ? pairing_5 : pairing;
}

static unsigned nuki_acts(const struct secret *blob, const struct lock_status *status) {
	static const enum act always[] = { ACT_LOCK, ACT_UNLOCK, ACT_UNLATCH, ACT_LOCK_N_GO,
		ACT_LOCK_N_GO_UNLATCH, ACT_READ_STATE, ACT_READ_CONFIG, ACT_READ_BATTERY,
		ACT_READ_SETTINGS, ACT_VERIFY_PIN };
	static const enum act with_pin[] = { ACT_CALIBRATE, ACT_UNPAIR, ACT_READ_LOG, ACT_SET_TIME,
		ACT_REBOOT, ACT_READ_USERS, ACT_PUT_CREDENTIAL, ACT_REMOVE_CREDENTIAL,
		ACT_READ_TIMERS, ACT_PUT_TIMER, ACT_REMOVE_TIMER, ACT_PUT_SETTING };
	AUTO_VALUE(nuki_keys_wipe) struct nuki_keys keys = { 0 };
	unsigned acts = 0;

	if (nuki_keys_decode(blob, &keys) < 0) {
		return ACT_BIT(ACT_PAIR);
	}
	for (size_t i = 0; i < ARRAY_SIZE(always); i++) {
		acts |= ACT_BIT(always[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(with_pin) && nuki_keys_has_pin(&keys); i++) {
		acts |= ACT_BIT(with_pin[i]);
	}
	return acts;
}

static bool nuki_has_pin(const struct secret *blob) {
	AUTO_VALUE(nuki_keys_wipe) struct nuki_keys keys = { 0 };

	return nuki_keys_decode(blob, &keys) == 0 && nuki_keys_has_pin(&keys);
}

/*
 * The mark is cleared only when a bridge reads the states, and a lock with its own Wi-Fi or Thread
 * keeps no mark for a bridge. 5G has no bridge role. (docs/protocols/nuki.md 2)
 */
static bool nuki_is_announcing(const struct secret *blob, const struct lock_status *status) {
	AUTO_VALUE(nuki_keys_wipe) struct nuki_keys keys = { 0 };

	return nuki_keys_decode(blob, &keys) == 0 && keys.generation == NUKI_GENERATION_1_TO_4 &&
	       keys.id_type == NUKI_ID_BRIDGE && !keys.is_remote_on;
}

static int nuki_set_pin(struct secret *blob, const struct secret *pin, struct fault *ret_fault) {
	AUTO_VALUE(nuki_keys_wipe) struct nuki_keys keys = { 0 };

	if (nuki_keys_decode(blob, &keys) < 0) {
		return fault_set(ret_fault, FAULT_NOT_AUTHORIZED, "the lock is not paired");
	}
	if (nuki_pin_parse(pin, keys.generation, &keys.pin) < 0) {
		(void) fault_set(ret_fault, FAULT_BAD_ARGUMENT, "the PIN of this lock has %s",
			keys.generation == NUKI_GENERATION_5 ? "six digits" : "up to four digits");
		return -EINVAL;
	}
	keys.is_pin_known = true;
	keys.is_pin_refused = false;
	keys.is_pin_verified = false;
	nuki_keys_encode(&keys, blob);
	return 0;
}

static bool nuki_pin(const struct secret *blob, struct secret *ret) {
	AUTO_VALUE(nuki_keys_wipe) struct nuki_keys keys = { 0 };
	char digits[12];
	int n;

	secret_wipe(ret);
	if (nuki_keys_decode(blob, &keys) < 0 || !nuki_keys_has_pin(&keys)) {
		return false;
	}
	n = snprintf(digits, sizeof(digits), "%0*lu", keys.generation == NUKI_GENERATION_5 ? 6 : 4,
		(unsigned long) keys.pin);
	if (n > 0 && (size_t) n < sizeof(digits)) {
		memcpy(ret->bytes, digits, (size_t) n);
		ret->len = (size_t) n;
	}
	wipe(digits, sizeof(digits));
	return ret->len > 0;
}

/* A PIN that was never set is the number 0 (docs/protocols/nuki.md 10). */
static const char *const nuki_pins_default[] = { "0000", "000000", NULL };

/*
 * Each trait with its source: docs/protocols/nuki.md 10. A command carries a challenge of the lock,
 * which takes it once; an answer carries nothing of the hub's.
 */
#define NUKI_WEAKNESS                                                                              \
	"an answer of the lock that was overheard can be played to the hub again, and who stands " \
	"unseen between the two while they pair has the key"

static const struct protocol nuki_protocol_1_to_4 = {
	.name = "Nuki Bluetooth API, 1st to 4th generation",
	.cipher = "Curve25519, XSalsa20-Poly1305, a challenge for each command",
	.is_mutual = PROTOCOL_YES,
	.is_tamper_proof = PROTOCOL_YES,
	.is_replay_safe = PROTOCOL_YES,
	.has_fresh_nonces = PROTOCOL_NO,
	.weakness = NUKI_WEAKNESS,
	.source = "the maker's Smart Lock API V2.1; docs/protocols/nuki.md",
};

static const struct protocol nuki_protocol_5 = {
	.name = "Nuki Bluetooth API, 5th generation",
	.cipher = "Curve25519, XSalsa20-Poly1305, a challenge for each command, PIN at pairing",
	.is_mutual = PROTOCOL_YES,
	.is_tamper_proof = PROTOCOL_YES,
	.is_replay_safe = PROTOCOL_YES,
	.has_fresh_nonces = PROTOCOL_NO,
	.weakness = NUKI_WEAKNESS,
	.source = "the maker's nuki-cli and other public clients; docs/protocols/nuki.md",
};

static const struct protocol *nuki_protocol(
	const struct secret *blob, const struct lock_status *status) {
	AUTO_VALUE(nuki_keys_wipe) struct nuki_keys keys = { 0 };

	(void) status;
	if (nuki_keys_decode(blob, &keys) < 0) {
		return NULL;
	}
	return keys.generation == NUKI_GENERATION_5 ? &nuki_protocol_5 : &nuki_protocol_1_to_4;
}

/* Codes need a keypad, and the lock lets nobody at its lists without the PIN. */
static const struct credential_limits *nuki_credentials(
	const struct secret *blob, const struct lock_status *status) {
	const bool has_keypad =
		status->config_known.how != EVIDENCE_NONE && status->config.has_keypad;

	return has_keypad && nuki_has_pin(blob) ? &nuki_credential_limits : NULL;
}

static const struct lock_setting *nuki_settings_of(
	const struct secret *blob, const struct lock_status *status, size_t *ret_n) {
	AUTO_VALUE(nuki_keys_wipe) struct nuki_keys keys = { 0 };

	*ret_n = 0;
	return nuki_keys_decode(blob, &keys) == 0 ? nuki_settings(keys.generation, ret_n) : NULL;
}

/* With all that can be had for it: keypad, door sensor, PIN (docs/protocols/nuki.md 10). */
static const char *nuki_example(
	unsigned i, struct secret *ret_keys, struct lock_status *ret_status) {
	static const char *const names[] = { "1st to 4th generation", "5th generation" };
	const struct nuki_keys keys = {
		.generation = i == 0 ? NUKI_GENERATION_1_TO_4 : NUKI_GENERATION_5,
		.id_type = i == 0 ? NUKI_ID_BRIDGE : NUKI_ID_APP,
		.pin = 1,
		.is_pin_known = true,
		.is_pin_verified = true,
	};
	const struct known known = { .how = EVIDENCE_ANSWERED };

	if (i >= ARRAY_SIZE(names)) {
		return NULL;
	}
	nuki_keys_encode(&keys, ret_keys);
	ret_status->config_known = ret_status->battery_known = ret_status->report_known = known;
	ret_status->config.has_keypad = ret_status->config.has_door_sensor = true;
	ret_status->battery = (struct battery_facts){ .level = BATTERY_OK, .percent = 100 };
	ret_status->report.millivolts = 6000;
	return names[i];
}

const struct driver nuki_driver = {
	.name = "nuki",
	.brand = "Nuki",
	.sight = nuki_sight,
	.subscriptions = nuki_subscriptions,
	.session_new = nuki_session_new,
	.acts = nuki_acts,
	.has_pin = nuki_has_pin,
	.is_announcing = nuki_is_announcing,
	.set_pin = nuki_set_pin,
	.pin = nuki_pin,
	.pins_default = nuki_pins_default,
	.protocol = nuki_protocol,
	.credentials = nuki_credentials,
	.settings = nuki_settings_of,
	.patterns = nuki_beacon_patterns,
	.example = nuki_example,
	.pin_form = "4 digits (6 for the 5th generation)",
};
