/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "message.h"

#include <errno.h>
#include <string.h>

#include "util/auto.h"
#include "util/bytes.h"

#define COMPANY 2409
#define SERVICE "0000fd3d-0000-1000-8000-00805f9b34fb"
#define ADDRESS_LEN 6
#define STATE_AT 7
#define A_LEAST 9
#define B_LEAST 12
#define PERCENT_MAX 100
/* The lock warns by itself; these are for models that only count. Inferred. */
#define WARNING_PERCENT 20
#define CRITICAL_PERCENT 10

/* ---- commands ---- */

static size_t command_move(const struct switchbot_model_row *row, uint8_t action,
	uint8_t out[static SWITCHBOT_COMMAND_MAX]) {
	const uint8_t head[] = { 0x0f, 0x4e, 0x01, 0x01 };
	struct wr wr = wr_on(out, SWITCHBOT_COMMAND_MAX);

	wr_bytes(&wr, head, sizeof(head));
	if (row->has_long_form) {
		wr_u16be(&wr, 0x0000);
	} else {
		wr_u8(&wr, 0x10);
	}
	wr_u8(&wr, action);
	return wr.used;
}

size_t switchbot_command(enum switchbot_model model, enum switchbot_command command,
	uint8_t out[static SWITCHBOT_COMMAND_MAX]) {
	const struct switchbot_model_row *row = switchbot_model_row(model);
	const uint8_t read_basic[] = { 0x02 };
	const uint8_t read_state[] = { 0x0f, 0x4f, 0x81, row->info_code };
	const uint8_t notify[] = { 0x0e, 0x01, 0x00, 0x1e, 0x00, 0x00, 0x81, row->info_code };

	switch (command) {
	case SWITCHBOT_READ_BASIC:
		memcpy(out, read_basic, sizeof(read_basic));
		return sizeof(read_basic);
	case SWITCHBOT_READ_STATE:
		memcpy(out, read_state, sizeof(read_state));
		return sizeof(read_state);
	case SWITCHBOT_NOTIFY:
		memcpy(out, notify, sizeof(notify));
		return sizeof(notify);
	case SWITCHBOT_DO_LOCK:
		return command_move(row, 0x00, out);
	case SWITCHBOT_DO_UNLOCK:
		return command_move(row, 0xa0, out);
	case SWITCHBOT_DO_UNLATCH:
		return command_move(row, 0x80, out);
	}
	return 0;
}

/* ---- answers ---- */

int switchbot_info_parse(
	enum switchbot_model model, const uint8_t *buf, size_t n, struct switchbot_state *ret) {
	const struct switchbot_model_row *row = switchbot_model_row(model);
	struct switchbot_state state = { .percent = -1 };
	struct rd rd = rd_on(buf, n);
	const uint8_t first = rd_u8(&rd);
	const uint8_t second = rd_u8(&rd);

	state.is_calibrated = (first & 0x80) != 0;
	if (row->is_info_b) {
		rd_skip(&rd, 3);
		const uint8_t sixth = rd_u8(&rd);

		state.status = first >> 3 & 0x0f;
		state.is_door_open = row->has_door && (second & 0x10) != 0;
		state.is_left_open = (sixth & 0x80) != 0;
		state.is_left_unlocked = (sixth & 0x40) != 0;
	} else {
		state.status = first >> 4 & 0x07;
		state.is_door_open = row->has_door && (first & 0x04) != 0;
		state.is_left_open = row->has_door && (second & 0x20) != 0;
		state.is_left_unlocked = (second & 0x10) != 0;
	}
	if (rd_ok(&rd) < 0) {
		return -EBADMSG;
	}
	*ret = state;
	return 0;
}

int switchbot_basic_parse(const uint8_t *buf, size_t n, int *ret_percent, int *ret_firmware) {
	if (n == 0 || buf[0] > PERCENT_MAX || (n > 1 && buf[1] == 0)) {
		return -EBADMSG;
	}
	*ret_percent = buf[0];
	*ret_firmware = n > 1 ? buf[1] : 0;
	return 0;
}

/* ---- advertisements ---- */

static void parse_a(struct rd *rd, bool has_door, struct switchbot_state *state) {
	const uint8_t first = rd_u8(rd);
	const uint8_t second = rd_u8(rd);

	state->is_calibrated = (first & 0x80) != 0;
	state->status = first >> 4 & 0x07;
	state->is_secondary = (first & 0x08) != 0;
	state->is_door_open = has_door && (first & 0x04) != 0;
	state->is_left_open = has_door && (second & 0x20) != 0;
	state->is_left_unlocked = (second & 0x10) != 0;
	state->has_night_latch = rd_left(rd) > 0 && (rd_u8(rd) & 0x01) != 0;
}

static void parse_b(struct rd *rd, bool is_plus, struct switchbot_state *state) {
	const uint8_t first = rd_u8(rd);
	const uint8_t second = rd_u8(rd);
	const uint8_t third = rd_u8(rd);

	rd_skip(rd, 1);
	const uint8_t alarms = rd_u8(rd);
	state->is_calibrated = (first & 0x80) != 0;
	state->status = first >> 3 & 0x0f;
	state->is_secondary = (second & 0xc0) != 0;
	state->is_door_open = (second & 0x10) != 0;
	state->percent = third & 0x7f;
	state->is_left_open = (alarms & 0x80) != 0;
	state->is_left_unlocked = (alarms & 0x40) != 0;
	/* B+: the power alarm; else the alarms of the two compartments. */
	state->is_weak = (alarms & (is_plus ? 0x10 : 0x06)) != 0;
}

bool switchbot_advert_parse(
	const struct advert *advert, enum switchbot_model known, struct switchbot_advert *ret) {
	const struct advert_part *service = advert_service(advert, SERVICE);
	const struct advert_part *maker = advert_manufacturer(advert, COMPANY);
	struct switchbot_advert found = { .state = { .percent = -1 } };

	found.model = service != NULL ? switchbot_model_of(service->bytes, service->n_bytes)
				      : SWITCHBOT_MODEL_UNKNOWN;
	const enum switchbot_model model =
		found.model != SWITCHBOT_MODEL_UNKNOWN ? found.model : known;
	if (model == SWITCHBOT_MODEL_UNKNOWN || (maker == NULL && service == NULL)) {
		return false;
	}
	const struct switchbot_model_row *row = switchbot_model_row(model);
	const bool is_a = row->told == SWITCHBOT_LAYOUT_A;
	if (maker != NULL && maker->n_bytes >= (is_a ? A_LEAST : B_LEAST)) {
		struct rd rd = rd_on(maker->bytes, maker->n_bytes);

		rd_skip(&rd, ADDRESS_LEN);
		found.sequence = rd_u8(&rd);
		if (is_a) {
			parse_a(&rd, row->has_door, &found.state);
		} else {
			parse_b(&rd, row->told == SWITCHBOT_LAYOUT_B_PLUS, &found.state);
		}
		found.has_state = true;
	}
	if (is_a && service != NULL && service->n_bytes > 2) {
		found.state.percent = service->bytes[2] & 0x7f;
	}
	*ret = found;
	return true;
}

/* ---- to our terms ---- */

bool switchbot_is_stopped(uint8_t status) {
	return status == SWITCHBOT_LOCKING_STOPPED || status == SWITCHBOT_UNLOCKING_STOPPED;
}

bool switchbot_is_resting(uint8_t status) {
	return status != SWITCHBOT_LOCKING && status != SWITCHBOT_UNLOCKING;
}

static void bolt_evidence(uint8_t status, struct bolt_facts *ret) {
	static const struct {
		enum lock_state state;
		enum lock_motion motion;
	} rows[] = {
		[SWITCHBOT_LOCKED] = { LOCK_STATE_LOCKED, LOCK_MOTION_NONE },
		[SWITCHBOT_UNLOCKED] = { LOCK_STATE_UNLOCKED, LOCK_MOTION_NONE },
		[SWITCHBOT_LOCKING] = { LOCK_STATE_NOT_FULLY_LOCKED, LOCK_MOTION_LOCKING },
		[SWITCHBOT_UNLOCKING] = { LOCK_STATE_NOT_FULLY_LOCKED, LOCK_MOTION_UNLOCKING },
		[SWITCHBOT_LOCKING_STOPPED] = { LOCK_STATE_NOT_FULLY_LOCKED, LOCK_MOTION_NONE },
		[SWITCHBOT_UNLOCKING_STOPPED] = { LOCK_STATE_NOT_FULLY_LOCKED, LOCK_MOTION_NONE },
		[SWITCHBOT_LATCH_ONLY] = { LOCK_STATE_UNLOCKED, LOCK_MOTION_NONE },
		[SWITCHBOT_HALF_LOCKED] = { LOCK_STATE_NOT_FULLY_LOCKED, LOCK_MOTION_NONE },
	};

	*ret = (struct bolt_facts){ .state = LOCK_STATE_UNKNOWN };
	if (status < ARRAY_SIZE(rows)) {
		ret->state = rows[status].state;
		ret->motion = rows[status].motion;
		ret->is_jammed = switchbot_is_stopped(status);
	}
}

void switchbot_battery_evidence(int percent, bool is_weak, struct evidence *evidence) {
	evidence->has |= FACT_BATTERY;
	evidence->battery = (struct battery_facts){
		.percent = percent,
		.level = percent >= 0 && percent <= CRITICAL_PERCENT ? BATTERY_CRITICAL
			 : is_weak || (percent >= 0 && percent <= WARNING_PERCENT) ? BATTERY_WARNING
			 : percent >= 0                                            ? BATTERY_OK
					: BATTERY_UNKNOWN,
	};
}

void switchbot_state_evidence(enum switchbot_model model, const struct switchbot_state *state,
	struct evidence *evidence) {
	evidence->has |= FACT_ACTUATOR;
	evidence->actuator = (struct actuator_facts){ state->is_calibrated, state->is_calibrated };
	if (state->is_calibrated) {
		evidence->has |= FACT_BOLT;
		bolt_evidence(state->status, &evidence->bolt);
	}
	if (switchbot_model_row(model)->has_door) {
		evidence->has |= FACT_DOOR;
		evidence->door = state->is_door_open ? DOOR_STATE_OPEN : DOOR_STATE_CLOSED;
	}
	if (state->percent >= 0 || state->is_weak) {
		switchbot_battery_evidence(state->percent, state->is_weak, evidence);
	}
}
