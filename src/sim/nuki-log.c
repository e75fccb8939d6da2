/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nuki.h"

/* The lock's own log (nuki.md 7.6): a ring that forgets its oldest entries. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/bytes.h"
#include "util/text.h"

const struct nuki_entry *nuki_log_at(const struct nuki *nuki, size_t i) {
	return &nuki->log[(nuki->log_first + i) % NUKI_LOG_MAX];
}

void nuki_log_add(struct nuki *nuki, uint8_t type, uint32_t auth_id, const char *name,
	const uint8_t *data, size_t n) {
	if (!nuki->is_logging && type != NUKI_LOG_LOGGING) {
		return;
	}
	size_t at = (nuki->log_first + nuki->n_log) % NUKI_LOG_MAX;
	if (nuki->n_log == NUKI_LOG_MAX) {
		nuki->log_first = (nuki->log_first + 1) % NUKI_LOG_MAX;
	} else {
		nuki->n_log++;
	}
	struct nuki_entry *entry = &nuki->log[at];
	*entry = (struct nuki_entry){
		.index = nuki->next_index++,
		.at = nuki_wall(nuki),
		.auth_id = auth_id,
		.type = type,
		.n_data = (uint8_t) (n < sizeof(entry->data) ? n : sizeof(entry->data)),
	};
	text_copy(entry->name, sizeof(entry->name), name);
	memcpy(entry->data, data, entry->n_data);
}

void nuki_log_action(struct nuki *nuki, const struct nuki_run *run, uint8_t status) {
	if (run->log_type == NUKI_LOG_KEYPAD) {
		const uint8_t data[] = { run->action, run->source, status, (uint8_t) run->code_id,
			(uint8_t) (run->code_id >> 8) };
		nuki_log_add(nuki, NUKI_LOG_KEYPAD, 0, run->name, data, sizeof(data));
		return;
	}
	uint8_t action = run->action == NUKI_ACTION_CALIBRATE ? 0 : run->action;
	const uint8_t data[] = { action, run->trigger, run->flags, status };
	nuki_log_add(nuki, run->log_type, run->auth_id, run->name, data, sizeof(data));
}

static void send_count(struct nuki_call *call) {
	const struct nuki *nuki = call->nuki;
	uint8_t payload[5];
	struct wr wr = wr_on(payload, sizeof(payload));
	wr_u8(&wr, nuki->is_logging);
	wr_u16le(&wr, (uint16_t) nuki->n_log);
	wr_u8(&wr, nuki->has_door_sensor);
	wr_u8(&wr, nuki->is_door_logging);
	nuki_send(call->nuki, call->link, call->auth, NUKI_LOG_COUNT, payload, sizeof(payload));
}

static void send_entry(struct nuki_call *call, const struct nuki_entry *entry) {
	/*
	 * 7.6: gen3 pads to 5 octets of data, gen4 those of actions to 8; of others pyNukiBT, which
	 * knows that of real locks, expects no padding.
	 */
	bool is_run = entry->type == NUKI_LOG_ACTION || entry->type == NUKI_LOG_CALIBRATION ||
		      entry->type == NUKI_LOG_INITIALISATION;
	size_t n_padded = call->nuki->generation >= 4   ? (is_run ? 8 : 0)
			  : call->nuki->generation == 3 ? 5
							: 0;
	uint8_t payload[48 + sizeof(entry->data)];
	struct wr wr = wr_on(payload, sizeof(payload));
	wr_u32le(&wr, entry->index);
	nuki_write_time(&wr, entry->at);
	wr_u32le(&wr, entry->auth_id);
	wr_text(&wr, NUKI_NAME_LEN, entry->name);
	wr_u8(&wr, entry->type);
	wr_bytes(&wr, entry->data, entry->n_data);
	if (entry->n_data < n_padded) {
		wr_zeros(&wr, n_padded - entry->n_data);
	}
	nuki_send(
		call->nuki, call->link, call->auth, NUKI_LOG_ENTRY, payload, (size_t) wr_end(&wr));
}

int nuki_do_request_log(struct nuki_call *call) {
	struct nuki *nuki = call->nuki;
	struct rd rd = rd_on(call->args, call->n_args);
	uint32_t start = rd_u32le(&rd);
	uint16_t count = rd_u16le(&rd);
	uint8_t order = rd_u8(&rd);
	uint8_t wants_count = rd_u8(&rd);
	if (order > 1 || wants_count > 1) {
		return NUKI_E_BAD_PARAMETER;
	}
	if (wants_count) {
		send_count(call);
	}
	/* The entry with the given index itself is not among the answers; 0 = from the very end. */
	for (size_t i = 0; i < nuki->n_log && count > 0; i++) {
		const struct nuki_entry *entry =
			nuki_log_at(nuki, order == 0 ? i : nuki->n_log - 1 - i);
		bool is_wanted =
			start == 0 || (order == 0 ? entry->index > start : entry->index < start);
		if (is_wanted) {
			send_entry(call, entry);
			count--;
		}
	}
	nuki_send_status(nuki, call->link, call->auth, NUKI_STATUS_COMPLETE);
	return 0;
}

int nuki_do_enable_logging(struct nuki_call *call) {
	struct nuki *nuki = call->nuki;
	uint8_t on = call->args[0];
	if (on > 1) {
		return NUKI_E_BAD_PARAMETER;
	}
	if (nuki->is_logging != on) {
		nuki->is_logging = on;
		nuki_log_add(nuki, NUKI_LOG_LOGGING, call->auth->id, call->auth->name, &on, 1);
	}
	nuki_send_status(nuki, call->link, call->auth, NUKI_STATUS_COMPLETE);
	return 0;
}

static const struct name_row type_names[] = {
	{ NUKI_LOG_LOGGING, "logging" },
	{ NUKI_LOG_ACTION, "action" },
	{ NUKI_LOG_CALIBRATION, "calibration" },
	{ NUKI_LOG_INITIALISATION, "initialisation" },
	{ NUKI_LOG_KEYPAD, "keypad" },
	{ NUKI_LOG_DOOR, "door" },
	{ NUKI_LOG_DOOR_LOGGING, "door-logging" },
	{ NUKI_LOG_FIRMWARE, "firmware" },
};

json_t *nuki_log_json(struct sim_lock *lock, size_t most) {
	const struct nuki *nuki = nuki_of(lock);
	json_t *list = json_array();
	for (size_t i = 0; i < nuki->n_log && i < most; i++) {
		const struct nuki_entry *entry = nuki_log_at(nuki, nuki->n_log - 1 - i);
		char at[WALL_TEXT_MAX], data[2 * sizeof(entry->data) + 1];
		json_array_append_new(list,
			json_pack("{s:I, s:s, s:s, s:I, s:s, s:s}", "index",
				(json_int_t) entry->index, "at", wall_to_text(entry->at, at),
				"type", name_of(type_names, ARRAY_SIZE(type_names), entry->type),
				"auth-id", (json_int_t) entry->auth_id, "name", entry->name, "data",
				hex_encode(entry->data, entry->n_data, data)));
	}
	return list;
}
