/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nuki.h"

/* Config and Advanced Config (nuki.md 7.4, 7.5), whose length goes with the firmware. */

#include <string.h>

#include "util/bytes.h"
#include "util/text.h"

/*
 * Lengths by firmware. 7.2, 7.4 and 7.5 give the lengths met and their API versions; which firmware
 * has which is inferred. Newest first.
 */
static const struct nuki_form forms[] = {
	{ 5, 0, 27, 79, 55, 33 },
	{ 4, 0, 27, 78, 55, 31 },
	{ 3, 5, 26, 77, 55, 31 },
	{ 3, 0, 26, 76, 55, 31 },
	{ 2, 8, 21, 74, 55, 31 },
	{ 2, 0, 19, 74, 55, 28 },
	{ 1, 6, 15, 72, 53, 19 },
	{ 0, 0, 15, 63, 51, 10 },
};

const struct nuki_form *nuki_form(const struct nuki *nuki) {
	for (size_t i = 0; i < ARRAY_SIZE(forms) - 1; i++) {
		if (nuki->firmware[0] > forms[i].major ||
			(nuki->firmware[0] == forms[i].major &&
				nuki->firmware[1] >= forms[i].minor)) {
			return &forms[i];
		}
	}
	return &forms[ARRAY_SIZE(forms) - 1];
}

void nuki_config_defaults(struct nuki *nuki) {
	struct nuki_config *config = &nuki->config;
	uint8_t has_keypad = config->has_keypad, has_keypad2 = config->has_keypad2;
	*config = (struct nuki_config){
		.latitude = 47.0667F,
		.longitude = 15.45F,
		.pairing_enabled = 1,
		.button_enabled = 1,
		.led_enabled = 1,
		.led_brightness = 3,
		.tz_offset = 60,
		.dst = 1,
		.fob = { 1, 2, 4 },
		.advertising = 0,
		.tz_id = 37,
		.has_keypad = has_keypad,
		.has_keypad2 = has_keypad2,
		.capabilities = nuki->generation >= 4   ? 3
				: nuki->generation == 3 ? 1
							: 0,
		.matter = nuki->generation >= 4 ? 1 : 0,
		.homekit = nuki->generation >= 2 && nuki->generation < 5 ? 1 : 0,
	};
	text_copy(config->name, sizeof(config->name), nuki->base.name);
	nuki->advanced = (struct nuki_advanced){
		.total_degrees = 810,
		.offsets = { 0, 0, -360, 0 },
		.lock_n_go_s = 20,
		.single_press = 1,
		.double_press = 5,
		.battery_auto = 1,
		.unlatch_s = 3,
		.auto_lock_s = 600,
		.auto_update = 1,
	};
}

static uint8_t device_type(const struct nuki *nuki) {
	return nuki->generation >= 5 ? 5 : nuki->generation >= 3 ? 4 : 0;
}

size_t nuki_config_bytes(struct nuki *nuki, uint8_t *out, size_t size) {
	const struct nuki_config *config = &nuki->config;
	struct wr wr = wr_on(out, size);
	wr_u32le(&wr, nuki->id);
	wr_text(&wr, NUKI_NAME_LEN, config->name);
	wr_f32le(&wr, config->latitude);
	wr_f32le(&wr, config->longitude);
	wr_u8(&wr, config->auto_unlatch);
	wr_u8(&wr, config->pairing_enabled);
	wr_u8(&wr, config->button_enabled);
	wr_u8(&wr, config->led_enabled);
	wr_u8(&wr, config->led_brightness);
	nuki_write_time(&wr, nuki_wall(nuki));
	wr_u16le(&wr, (uint16_t) config->tz_offset);
	wr_u8(&wr, config->dst);
	wr_u8(&wr, config->has_fob);
	wr_bytes(&wr, config->fob, sizeof(config->fob));
	wr_u8(&wr, config->single_lock);
	wr_u8(&wr, config->advertising);
	wr_u8(&wr, config->has_keypad);
	wr_bytes(&wr, nuki->firmware, sizeof(nuki->firmware));
	wr_bytes(&wr, nuki->hardware, sizeof(nuki->hardware));
	wr_u8(&wr, config->homekit);
	wr_u16le(&wr, config->tz_id);
	wr_u8(&wr, device_type(nuki));
	wr_u8(&wr, config->capabilities);
	wr_u8(&wr, config->has_keypad2);
	wr_u8(&wr, config->matter);
	wr_u8(&wr, config->variant);
	return nuki_form(nuki)->config;
}

int nuki_do_request_config(struct nuki_call *call) {
	uint8_t payload[96];
	size_t n = nuki_config_bytes(call->nuki, payload, sizeof(payload));
	nuki_send(call->nuki, call->link, call->auth, NUKI_CONFIG, payload, n);
	return 0;
}

int nuki_do_set_config(struct nuki_call *call) {
	struct nuki *nuki = call->nuki;
	size_t form = nuki_form(nuki)->set_config;
	if (call->n_args != form) {
		return NUKI_E_BAD_LENGTH;
	}
	struct nuki_config next = nuki->config;
	struct rd rd = rd_on(call->args, call->n_args);
	rd_text(&rd, NUKI_NAME_LEN, next.name);
	next.latitude = rd_f32le(&rd);
	next.longitude = rd_f32le(&rd);
	next.auto_unlatch = rd_u8(&rd);
	next.pairing_enabled = rd_u8(&rd);
	next.button_enabled = rd_u8(&rd);
	next.led_enabled = rd_u8(&rd);
	next.led_brightness = rd_u8(&rd);
	next.tz_offset = rd_i16le(&rd);
	next.dst = rd_u8(&rd);
	rd_copy(&rd, next.fob, sizeof(next.fob));
	if (form >= 53) {
		next.single_lock = rd_u8(&rd);
		next.advertising = rd_u8(&rd);
	}
	if (form >= 55) {
		next.tz_id = rd_u16le(&rd);
	}
	if (rd_end(&rd) < 0 || next.auto_unlatch > 1 || next.pairing_enabled > 1 ||
		next.button_enabled > 1 || next.led_enabled > 1 || next.led_brightness > 5 ||
		next.dst > 1 || next.fob[0] > 4 || next.fob[1] > 4 || next.fob[2] > 4 ||
		next.single_lock > 1 || next.advertising > 3 || next.tz_offset < -720 ||
		next.tz_offset > 840) {
		return NUKI_E_BAD_PARAMETER;
	}
	nuki->config = next;
	nuki_config_changed(nuki);
	nuki_send_status(nuki, call->link, call->auth, NUKI_STATUS_COMPLETE);
	return 0;
}

static void write_advanced(struct wr *wr, const struct nuki_advanced *advanced) {
	wr_u16le(wr, advanced->total_degrees);
	for (size_t i = 0; i < ARRAY_SIZE(advanced->offsets); i++) {
		wr_u16le(wr, (uint16_t) advanced->offsets[i]);
	}
	wr_u8(wr, advanced->lock_n_go_s);
	wr_u8(wr, advanced->single_press);
	wr_u8(wr, advanced->double_press);
	wr_u8(wr, advanced->detached);
	wr_u8(wr, advanced->battery_type);
	wr_u8(wr, advanced->battery_auto);
	wr_u8(wr, advanced->unlatch_s);
	wr_u16le(wr, advanced->auto_lock_s);
	wr_u8(wr, advanced->auto_unlock_disabled);
	wr_u8(wr, advanced->night_enabled);
	wr_bytes(wr, advanced->night, sizeof(advanced->night));
	wr_u8(wr, advanced->night_auto_lock);
	wr_u8(wr, advanced->night_auto_unlock_disabled);
	wr_u8(wr, advanced->night_lock);
	wr_u8(wr, advanced->auto_lock_enabled);
	wr_u8(wr, advanced->auto_lock_immediate);
	wr_u8(wr, advanced->auto_update);
	wr_u8(wr, advanced->motor_speed);
	wr_u8(wr, advanced->night_slow);
}

static void read_advanced(struct rd *rd, struct nuki_advanced *advanced) {
	advanced->total_degrees = rd_u16le(rd);
	for (size_t i = 0; i < ARRAY_SIZE(advanced->offsets); i++) {
		advanced->offsets[i] = rd_i16le(rd);
	}
	advanced->lock_n_go_s = rd_u8(rd);
	advanced->single_press = rd_u8(rd);
	advanced->double_press = rd_u8(rd);
	advanced->detached = rd_u8(rd);
	advanced->battery_type = rd_u8(rd);
	advanced->battery_auto = rd_u8(rd);
	advanced->unlatch_s = rd_u8(rd);
	advanced->auto_lock_s = rd_u16le(rd);
	advanced->auto_unlock_disabled = rd_u8(rd);
	advanced->night_enabled = rd_u8(rd);
	rd_copy(rd, advanced->night, sizeof(advanced->night));
	advanced->night_auto_lock = rd_u8(rd);
	advanced->night_auto_unlock_disabled = rd_u8(rd);
	advanced->night_lock = rd_u8(rd);
	advanced->auto_lock_enabled = rd_u8(rd);
	advanced->auto_lock_immediate = rd_u8(rd);
	advanced->auto_update = rd_u8(rd);
	advanced->motor_speed = rd_u8(rd);
	advanced->night_slow = rd_u8(rd);
}

size_t nuki_advanced_bytes(struct nuki *nuki, uint8_t *out, size_t size) {
	struct wr wr = wr_on(out, size);
	write_advanced(&wr, &nuki->advanced);
	return nuki_form(nuki)->advanced;
}

int nuki_do_request_advanced(struct nuki_call *call) {
	uint8_t payload[NUKI_ADVANCED_MAX];
	size_t n = nuki_advanced_bytes(call->nuki, payload, sizeof(payload));
	nuki_send(call->nuki, call->link, call->auth, NUKI_ADVANCED_CONFIG, payload, n);
	return 0;
}

static bool is_plausible(const struct nuki_advanced *advanced) {
	return advanced->lock_n_go_s >= 5 && advanced->lock_n_go_s <= 60 &&
	       advanced->single_press <= 6 && advanced->double_press <= 6 &&
	       advanced->battery_type <= 2 && advanced->unlatch_s >= 1 &&
	       advanced->unlatch_s <= 30 &&
	       (advanced->auto_lock_s == 0 ||
		       (advanced->auto_lock_s >= 30 && advanced->auto_lock_s <= 1800)) &&
	       advanced->motor_speed <= 2;
}

int nuki_do_set_advanced(struct nuki_call *call) {
	struct nuki *nuki = call->nuki;
	/* The Set form is the same without the first two octets and with the tail that we sent. */
	if (call->n_args + 2 != nuki_form(nuki)->advanced) {
		return NUKI_E_BAD_LENGTH;
	}
	uint8_t whole[NUKI_ADVANCED_MAX];
	nuki_advanced_bytes(nuki, whole, sizeof(whole));
	memcpy(whole + 2, call->args, call->n_args);
	struct nuki_advanced next;
	struct rd rd = rd_on(whole, sizeof(whole));
	read_advanced(&rd, &next);
	if (!is_plausible(&next)) {
		return NUKI_E_BAD_PARAMETER;
	}
	nuki->advanced = next;
	nuki_arm_auto_lock(nuki);
	nuki_config_changed(nuki);
	nuki_send_status(nuki, call->link, call->auth, NUKI_STATUS_COMPLETE);
	return 0;
}

void nuki_config_restore(struct nuki *nuki, const uint8_t config[static NUKI_CONFIG_MAX],
	const uint8_t advanced[static NUKI_ADVANCED_MAX]) {
	struct nuki_config *next = &nuki->config;
	struct rd rd = rd_on(config, NUKI_CONFIG_MAX);
	rd_skip(&rd, 4); /* Nuki ID */
	rd_text(&rd, NUKI_NAME_LEN, next->name);
	next->latitude = rd_f32le(&rd);
	next->longitude = rd_f32le(&rd);
	next->auto_unlatch = rd_u8(&rd);
	next->pairing_enabled = rd_u8(&rd);
	next->button_enabled = rd_u8(&rd);
	next->led_enabled = rd_u8(&rd);
	next->led_brightness = rd_u8(&rd);
	rd_skip(&rd, 7); /* time */
	next->tz_offset = rd_i16le(&rd);
	next->dst = rd_u8(&rd);
	next->has_fob = rd_u8(&rd);
	rd_copy(&rd, next->fob, sizeof(next->fob));
	next->single_lock = rd_u8(&rd);
	next->advertising = rd_u8(&rd);
	next->has_keypad = rd_u8(&rd);
	rd_skip(&rd, 5); /* versions */
	next->homekit = rd_u8(&rd);
	next->tz_id = rd_u16le(&rd);
	rd_skip(&rd, 1); /* device type */
	next->capabilities = rd_u8(&rd);
	next->has_keypad2 = rd_u8(&rd);
	next->matter = rd_u8(&rd);
	next->variant = rd_u8(&rd);
	struct rd rest = rd_on(advanced, NUKI_ADVANCED_MAX);
	read_advanced(&rest, &nuki->advanced);
}
