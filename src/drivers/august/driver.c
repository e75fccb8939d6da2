/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The vtable: what the rest of the program sees of August and Yale.
 */

#include "driver.h"

#include <string.h>

#include "keys.h"
#include "message.h"
#include "session.h"
#include "util/auto.h"
#include "util/text.h"

#define ACT_BIT(act) (1u << (act))

/* Companies 465, 302 and 76 (HomeKit, state and notification), low byte first. */
static const struct radio_pattern patterns[] = {
	{ .offset = 0, .type = 0xff, .n_bytes = 2, .bytes = { 0xd1, 0x01 } },
	{ .offset = 0, .type = 0xff, .n_bytes = 2, .bytes = { 0x2e, 0x01 } },
	{ .offset = 0, .type = 0xff, .n_bytes = 3, .bytes = { 0x4c, 0x00, 0x06 } },
	{ .offset = 0, .type = 0xff, .n_bytes = 3, .bytes = { 0x4c, 0x00, 0x11 } },
	{ .n_bytes = 0 },
};

static bool august_sight(const struct advert *advert, struct sighting *ret) {
	if (!august_advert_is_lock(advert)) {
		return false;
	}
	*ret = (struct sighting){
		.driver = &august_driver,
		.is_random = advert->is_random,
		.rssi = advert->rssi,
		.is_pairing = true, /* whoever has its key may come at any time */
		.needs_key = true,
	};
	text_copy(ret->address, sizeof(ret->address), advert->address);
	text_copy(ret->model, sizeof(ret->model), AUGUST_MODEL_NAME);
	text_copy(
		ret->name, sizeof(ret->name), advert->name[0] != '\0' ? advert->name : ret->model);
	text_sanitize(ret->name);
	return true;
}

/*
 * That something changed stays said until the state has been read: an advertisement may be told
 * once only, and the pause of the radio may be on.
 */
static void august_hear(const struct secret *blob, const struct lock_status *status,
	const struct advert *advert, struct heard_memory *memory, struct evidence *ret) {
	const int64_t read_at = status != NULL ? status->bolt_known.at.ms : 0;
	struct august_heard heard;

	_Static_assert(sizeof(heard) <= sizeof(memory->bytes), "the memory has room");
	memcpy(&heard, memory->bytes, sizeof(heard));
	if (august_advert_take(advert, &heard)) {
		heard.is_pending = true;
		heard.read_at = read_at;
	}
	if (heard.is_pending && heard.read_at != read_at) {
		heard.is_pending = false;
	}
	ret->is_changed = heard.is_pending;
	memcpy(memory->bytes, &heard, sizeof(heard));
}

/* The model is asked for until it is known. Never 2A29: reading it ends the link of newer locks. */
static const struct radio_subscription *august_subscriptions(
	const struct sighting *sighting, const struct secret *blob) {
	AUTO_VALUE(august_keys_wipe) struct august_keys keys = { 0 };
	static const struct radio_subscription always[] = {
		{ NULL, AUGUST_SEC_FROM_LOCK, false, false },
		{ NULL, AUGUST_MCU_FROM_LOCK, false, false },
		{ NULL, NULL, false, false },
	};
	static const struct radio_subscription first[] = {
		{ NULL, AUGUST_SEC_FROM_LOCK, false, false },
		{ NULL, AUGUST_MCU_FROM_LOCK, false, false },
		{ NULL, AUGUST_MODEL_NUMBER, true, true },
		{ NULL, AUGUST_SERIAL_NUMBER, true, true },
		{ NULL, AUGUST_FIRMWARE, true, true },
		{ NULL, NULL, false, false },
	};

	return august_keys_decode(blob, &keys) == 0 && keys.model[0] != '\0' ? always : first;
}

static unsigned august_acts(const struct secret *blob, const struct lock_status *status) {
	AUTO_VALUE(august_keys_wipe) struct august_keys keys = { 0 };
	unsigned acts = ACT_BIT(ACT_LOCK) | ACT_BIT(ACT_UNLOCK) | ACT_BIT(ACT_READ_STATE) |
			ACT_BIT(ACT_READ_CONFIG) | ACT_BIT(ACT_SET_TIME) |
			ACT_BIT(ACT_READ_SETTINGS) | ACT_BIT(ACT_PUT_SETTING);

	if (august_keys_decode(blob, &keys) < 0) {
		return ACT_BIT(ACT_PAIR);
	}
	const struct august_model *model = august_model_of(keys.model);
	if (model->has_latch) {
		acts |= ACT_BIT(ACT_UNLATCH);
	}
	if (model->tells_battery) {
		acts |= ACT_BIT(ACT_READ_BATTERY);
	}
	if ((keys.choices & AUGUST_READ_LOG) != 0) {
		acts |= ACT_BIT(ACT_READ_LOG);
	}
	if ((keys.choices & AUGUST_CODES) != 0) {
		acts |= ACT_BIT(ACT_READ_USERS) | ACT_BIT(ACT_PUT_CREDENTIAL) |
			ACT_BIT(ACT_REMOVE_CREDENTIAL);
	}
	return acts;
}

/* There is none: the key gives all the rights that a PIN gives elsewhere. */
static bool august_has_pin(const struct secret *blob) {
	AUTO_VALUE(august_keys_wipe) struct august_keys keys = { 0 };

	return august_keys_decode(blob, &keys) == 0;
}

static bool august_is_announcing(const struct secret *blob, const struct lock_status *status) {
	return true;
}

static int august_set_pin(struct secret *blob, const struct secret *pin, struct fault *ret_fault) {
	return fault_set(ret_fault, FAULT_NOT_SUPPORTED, "locks of August and Yale have no PIN");
}

/*
 * Both sides put octets into the key of a session and show in it that they have the lock's key; a
 * frame of another session, or of another place in this one, decrypts to nonsense. But whether a
 * frame was changed only a sum tells, which whoever changes it can keep right.
 * (docs/protocols/august-yale.md 5)
 */
static const struct protocol protocol_row = {
	.name = "August and Yale Bluetooth protocol",
	.cipher = "AES-128-CBC with a sum of 8 bits",
	.is_mutual = PROTOCOL_YES,
	.is_tamper_proof = PROTOCOL_NO,
	.is_replay_safe = PROTOCOL_YES,
	.has_fresh_nonces = PROTOCOL_YES,
	.weakness = "what is sent can be changed on its way without being noticed: answers forged, "
		    "commands turned into others",
	.source = "the public client yalexs-ble; docs/protocols/august-yale.md",
};

static const struct protocol *august_protocol(
	const struct secret *blob, const struct lock_status *status) {
	return &protocol_row;
}

static int check_pin(const struct secret *pin, struct fault *ret_fault) {
	bool is_fine = pin->len >= AUGUST_PIN_LEAST && pin->len <= AUGUST_PIN_MOST;

	for (size_t i = 0; is_fine && i < pin->len; i++) {
		is_fine = pin->bytes[i] >= '0' && pin->bytes[i] <= '9';
	}
	return is_fine ? 0
		       : fault_set(ret_fault, FAULT_BAD_ARGUMENT,
				 "a code of this lock has %d to %d digits", AUGUST_PIN_LEAST,
				 AUGUST_PIN_MOST);
}

/* Windows that a lock keeps by itself are known, but not by whose clock: the hub enforces them. */
static const struct credential_limits *august_credentials(
	const struct secret *blob, const struct lock_status *status) {
	static const struct credential_limits limits = {
		.types = 1U << CREDENTIAL_PIN,
		.n_max = AUGUST_CODE_LAST - AUGUST_CODE_FIRST + 1,
		.pin_least = AUGUST_PIN_LEAST,
		.pin_most = AUGUST_PIN_MOST,
		.tells_pins = true,
		.check_pin = check_pin,
	};
	AUTO_VALUE(august_keys_wipe) struct august_keys keys = { 0 };

	return august_keys_decode(blob, &keys) == 0 && (keys.choices & AUGUST_CODES) != 0 ? &limits
											  : NULL;
}

static const struct lock_setting *august_settings_of(
	const struct secret *blob, const struct lock_status *status, size_t *ret_n) {
	AUTO_VALUE(august_keys_wipe) struct august_keys keys = { 0 };

	(void) august_keys_decode(blob, &keys);
	return august_settings(august_model_of(keys.model)->has_door, ret_n);
}

static const char *august_example(
	unsigned i, struct secret *ret_keys, struct lock_status *ret_status) {
	static const struct {
		const char *name;
		const char *model;
	} rows[] = {
		{ "August ASL-01, -02", "ASL-01" },
		{ "August ASL-03, -06", "ASL-03" },
		{ "Yale Assure", "YRD256" },
		{ "Yale Linus", "SL-103" },
	};
	struct august_keys keys = { .slot = 1, .choices = AUGUST_CHOICES_ALL };
	const struct known known = { .how = EVIDENCE_ANSWERED };

	if (i >= ARRAY_SIZE(rows)) {
		return NULL;
	}
	text_copy(keys.model, sizeof(keys.model), rows[i].model);
	august_keys_encode(&keys, ret_keys);
	if (august_model_of(keys.model)->has_door) {
		ret_status->door = DOOR_STATE_CLOSED;
		ret_status->door_known = known;
	}
	if (august_model_of(keys.model)->tells_battery) {
		ret_status->battery = (struct battery_facts){ .level = BATTERY_OK, .percent = 100 };
		ret_status->battery_known = known;
		ret_status->report.millivolts = 6250;
		ret_status->report_known = known;
	}
	return rows[i].name;
}

const struct driver august_driver = {
	.name = "august",
	.brand = "August and Yale",
	.sight = august_sight,
	.hear = august_hear,
	.subscriptions = august_subscriptions,
	.session_new = august_session_new,
	.acts = august_acts,
	.has_pin = august_has_pin,
	.is_announcing = august_is_announcing,
	.set_pin = august_set_pin,
	.protocol = august_protocol,
	.credentials = august_credentials,
	.settings = august_settings_of,
	.patterns = patterns,
	.key_form = AUGUST_KEY_FORM,
	.example = august_example,
	.key_source =
		"It is in the account of the August or Yale app: docs/keys.md says how to get it",
};
