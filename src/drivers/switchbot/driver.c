/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The vtable: what the rest of the program sees of SwitchBot.
 */

#include "driver.h"

#include <stdio.h>
#include <string.h>

#include "keys.h"
#include "message.h"
#include "session.h"
#include "util/auto.h"
#include "util/text.h"

#define ACT_BIT(act) (1u << (act))

/* What is remembered of the last advertisement; the rest of the memory is free. */
struct heard {
	uint8_t is_set;
	uint8_t sequence;
	uint8_t percent; /* of a model that tells it beside its state; 0xff: not told */
};

/* Company 0x0969, low byte first. */
static const struct radio_pattern patterns[] = {
	{ .offset = 0, .type = 0xff, .n_bytes = 2, .bytes = { 0x69, 0x09 } },
	{ .n_bytes = 0 },
};

static bool switchbot_sight(const struct advert *advert, struct sighting *ret) {
	struct switchbot_advert found;

	if (!switchbot_advert_parse(advert, SWITCHBOT_MODEL_UNKNOWN, &found)) {
		return false;
	}
	*ret = (struct sighting){
		.driver = &switchbot_driver,
		.is_random = advert->is_random,
		.rssi = advert->rssi,
		.is_pairing = true, /* whoever has its key may come at any time */
		.needs_key = true,
		.variant = (uint8_t) found.model,
	};
	text_copy(ret->address, sizeof(ret->address), advert->address);
	text_copy(ret->model, sizeof(ret->model), switchbot_model_row(found.model)->name);
	text_copy(
		ret->name, sizeof(ret->name), advert->name[0] != '\0' ? advert->name : ret->model);
	text_sanitize(ret->name);
	return true;
}

/*
 * BlueZ tells of an advertisement whenever any part of it changes, so the same state comes again
 * and again, and what came before a command may come once more after it: only another sequence
 * number is news.
 */
static void switchbot_hear(const struct secret *blob, const struct lock_status *status,
	const struct advert *advert, struct heard_memory *memory, struct evidence *ret) {
	AUTO_VALUE(switchbot_keys_wipe) struct switchbot_keys keys = { 0 };
	struct switchbot_advert found;
	struct heard heard;

	memcpy(&heard, memory->bytes, sizeof(heard));
	if (switchbot_keys_decode(blob, &keys) < 0 ||
		!switchbot_advert_parse(advert, keys.model, &found) || !found.has_state) {
		return;
	}
	const uint8_t percent = found.state.percent < 0 ? 0xff : (uint8_t) found.state.percent;
	if (heard.is_set == 0 || heard.sequence != found.sequence) {
		switchbot_state_evidence(keys.model, &found.state, ret);
	} else if (percent != 0xff && percent != heard.percent) {
		switchbot_battery_evidence(found.state.percent, found.state.is_weak, ret);
	}
	heard = (struct heard){ 1, found.sequence, percent };
	memcpy(memory->bytes, &heard, sizeof(heard));
}

static const struct radio_subscription *switchbot_subscriptions(
	const struct sighting *sighting, const struct secret *keys) {
	static const struct radio_subscription always[] = {
		{ SWITCHBOT_SERVICE, SWITCHBOT_FROM_LOCK, false },
		{ NULL, NULL, false },
	};

	return always;
}

static unsigned switchbot_acts(const struct secret *blob, const struct lock_status *status) {
	AUTO_VALUE(switchbot_keys_wipe) struct switchbot_keys keys = { 0 };

	if (switchbot_keys_decode(blob, &keys) < 0) {
		return ACT_BIT(ACT_PAIR);
	}
	return ACT_BIT(ACT_LOCK) | ACT_BIT(ACT_UNLOCK) | ACT_BIT(ACT_UNLATCH) |
	       ACT_BIT(ACT_READ_STATE) | ACT_BIT(ACT_READ_BATTERY);
}

static bool switchbot_has_pin(const struct secret *blob) {
	return false;
}

static bool switchbot_is_announcing(const struct secret *blob, const struct lock_status *status) {
	return true;
}

static int switchbot_set_pin(
	struct secret *blob, const struct secret *pin, struct fault *ret_fault) {
	return fault_set(ret_fault, FAULT_NOT_SUPPORTED, "locks of SwitchBot have no PIN");
}

/*
 * Nobody proves anything: one key stream for all messages of a link, or two octets of a tag. The
 * start value is the lock's alone. (docs/protocols/switchbot-lock.md 5)
 */
static const struct protocol protocol_row = {
	.name = "SwitchBot lock protocol",
	.cipher = "AES-128-CTR or GCM without its proof",
	.is_mutual = PROTOCOL_NO,
	.is_tamper_proof = PROTOCOL_NO,
	.is_replay_safe = PROTOCOL_NO,
	.has_fresh_nonces = PROTOCOL_NO,
	.weakness = "advertisements and answers can be forged, and whoever hears a known command "
		    "of a link can make others in it",
	.source = "the public client pySwitchbot; docs/protocols/switchbot-lock.md",
};

static const struct protocol *switchbot_protocol(
	const struct secret *blob, const struct lock_status *status) {
	return &protocol_row;
}

static const char *switchbot_example(
	unsigned i, struct secret *ret_keys, struct lock_status *ret_status) {
	const struct switchbot_keys keys = { .model = (enum switchbot_model)(i + 1) };
	const struct known known = { .how = EVIDENCE_ADVERTISED };

	if (i + 1 >= SWITCHBOT_MODEL_COUNT_) {
		return NULL;
	}
	switchbot_keys_encode(&keys, ret_keys);
	if (switchbot_model_row(keys.model)->has_door) {
		ret_status->door = DOOR_STATE_CLOSED;
		ret_status->door_known = known;
	}
	ret_status->battery = (struct battery_facts){ .level = BATTERY_OK, .percent = 100 };
	ret_status->battery_known = known;
	return switchbot_model_row(keys.model)->name;
}

const struct driver switchbot_driver = {
	.name = "switchbot",
	.brand = "SwitchBot",
	.sight = switchbot_sight,
	.hear = switchbot_hear,
	.is_telling = true,
	.subscriptions = switchbot_subscriptions,
	.session_new = switchbot_session_new,
	.acts = switchbot_acts,
	.has_pin = switchbot_has_pin,
	.is_announcing = switchbot_is_announcing,
	.set_pin = switchbot_set_pin,
	.protocol = switchbot_protocol,
	/* docs/protocols/switchbot-lock.md 9 */
	.no_codes = "its keypad keeps them and cannot be read; use the SwitchBot app",
	.patterns = patterns,
	.key_form = SWITCHBOT_KEY_FORM,
	.example = switchbot_example,
	.key_source = "It is in the account of the SwitchBot app: docs/keys.md says how to get it",
};
