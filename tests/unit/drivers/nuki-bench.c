/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "nuki-bench.h"

#include "crypto/crypto.h"
#include "util/auto.h"
#include "util/bytes.h"

static uint8_t random_queue[1024];
static size_t n_random, i_random;
static uint8_t random_counter;

void bench_random_push(const uint8_t *octets, size_t n) {
	assert_true(n_random + n <= sizeof(random_queue));
	memcpy(random_queue + n_random, octets, n);
	n_random += n;
}

void bench_random_clear(void) {
	n_random = i_random = 0;
	random_counter = 0;
}

void bench_random(void *out, size_t n) {
	if (i_random < n_random) {
		assert_true(i_random + n <= n_random);
		memcpy(out, random_queue + i_random, n);
		i_random += n;
		return;
	}
	memset(out, ++random_counter, n);
}

/* ---- the host ---- */

static bool changes_something(uint16_t command) {
	return command == NUKI_LOCK_ACTION || command == NUKI_REQUEST_CALIBRATION ||
	       command == NUKI_REMOVE_AUTH || command == NUKI_UPDATE_TIME ||
	       command == NUKI_REQUEST_REBOOT || command == NUKI_ADD_CODE ||
	       command == NUKI_UPDATE_CODE || command == NUKI_REMOVE_CODE ||
	       command == NUKI_UPDATE_AUTH || command == NUKI_ADD_TIME_CONTROL ||
	       command == NUKI_UPDATE_TIME_CONTROL || command == NUKI_REMOVE_TIME_CONTROL;
}

static void host_write(void *host, const char *characteristic, const uint8_t *buf, size_t n) {
	struct bench *bench = host;
	struct nuki_message message;

	assert_false(bench->is_writing); /* one at a time */
	assert_true(n <= sizeof(bench->written.bytes));
	bench->written.characteristic = characteristic;
	memcpy(bench->written.bytes, buf, n);
	bench->written.n = n;
	bench->n_writes++;
	bench->is_writing = true;
	if (strcmp(characteristic, NUKI_USDIO) == 0 &&
		changes_something(bench_command(bench, &message))) {
		bench->is_maybe_sent = true;
	}
}

static void host_arm(void *host, unsigned ms) {
	((struct bench *) host)->timer_ms = ms;
}

static void host_evidence(void *host, const struct evidence *evidence) {
	struct bench *bench = host;

	bench->evidence = *evidence;
	bench->n_evidence++;
}

static void host_log(void *host, const struct log_entry *entries, size_t n) {
	struct bench *bench = host;

	assert_true(bench->n_log + n <= BENCH_LOG_MAX);
	memcpy(bench->log + bench->n_log, entries, n * sizeof(*entries));
	bench->n_log += n;
}

static void host_slots(void *host, const struct slot *slots, size_t n) {
	struct bench *bench = host;

	assert_true(bench->n_slots + n <= SLOTS_PER_LOCK_MAX);
	memcpy(bench->slots + bench->n_slots, slots, n * sizeof(*slots));
	bench->n_slots += n;
}

static void host_timers(void *host, const struct lock_timer *timers, size_t n) {
	struct bench *bench = host;

	assert_true(bench->n_timers + n <= BENCH_ENTRIES_MAX);
	memcpy(bench->timers + bench->n_timers, timers, n * sizeof(*timers));
	bench->n_timers += n;
}

static void host_keys(void *host, const struct secret *keys) {
	struct bench *bench = host;

	bench->keys = *keys;
	bench->n_keys++;
}

static bool host_gate(void *host) {
	struct bench *bench = host;

	bench->n_gates++;
	return !bench->is_gate_shut;
}

static void host_done(void *host, const struct job_result *result) {
	struct bench *bench = host;

	bench->result = *result;
	bench->n_done++;
	assert_int_equal(bench->timer_ms, 0);
}

static void host_trace(void *host, const char *text) {
	struct bench *bench = host;
	const size_t left = sizeof(bench->traces) - bench->n_traces;
	int n = snprintf(bench->traces + bench->n_traces, left, "%s\n", text);

	if (n > 0 && (size_t) n < left) {
		bench->n_traces += (size_t) n;
	}
}

const struct session_host bench_host = {
	.write = host_write,
	.arm = host_arm,
	.evidence = host_evidence,
	.log = host_log,
	.slots = host_slots,
	.timers = host_timers,
	.keys = host_keys,
	.gate = host_gate,
	.done = host_done,
	.trace = host_trace,
};

/* ---- making one ---- */

struct secret bench_pin(const char *digits) {
	struct secret pin = { 0 };

	assert_int_equal(secret_set_text(&pin, digits), 0);
	return pin;
}

struct secret bench_keys(const struct bench *bench, bool has_pin) {
	struct nuki_keys keys = {
		.generation = bench->generation,
		.id_type = bench->generation == NUKI_GENERATION_5 ? NUKI_ID_APP : NUKI_ID_BRIDGE,
		.auth_id = bench->auth_id,
		.app_id = 0x11223344,
		.nuki_id = bench->nuki_id,
		.pin = has_pin ? bench->pin : 0,
		.is_pin_known = has_pin,
		.is_pin_verified = has_pin,
	};
	struct secret blob = { 0 };

	memcpy(keys.shared, bench->key, sizeof(keys.shared));
	nuki_keys_encode(&keys, &blob);
	return blob;
}

void bench_fill(struct bench *bench, size_t n_codes, size_t n_auths) {
	assert_true(n_codes <= BENCH_ENTRIES_MAX && n_auths <= BENCH_ENTRIES_MAX);
	bench->n_codes = n_codes;
	bench->n_auths = n_auths;
	bench->next_code_id = (uint16_t) (3 + n_codes);
	for (size_t i = 0; i < n_codes; i++) {
		struct nuki_code *code = &bench->codes[i];
		*code = (struct nuki_code){
			.code_id = (uint16_t) (3 + i),
			.code = (uint32_t) (345671 + i),
			.enabled = i % 5 != 4,
			.created = { 2026, 5, 1, 10, 0, 0 },
			.lock_count = (uint16_t) i,
			.time_limited = i % 3 == 1,
		};
		snprintf(code->name, sizeof(code->name), "Code %u", code->code_id);
		if (code->time_limited) {
			code->window = (struct nuki_window){
				.from_date = { 2026, 6, 1, 8, 0, 0 },
				.weekdays = 0x40,
				.from_time = { 8, 0 },
				.until_time = { 17, 30 },
			};
		}
	}
	for (size_t i = 0; i < n_auths; i++) {
		struct nuki_auth *auth = &bench->auths[i];
		*auth = (struct nuki_auth){
			.auth_id = (uint32_t) (7 + i),
			.id_type = i == 0 ? NUKI_ID_BRIDGE : NUKI_ID_APP,
			.enabled = 1,
			.remote_allowed = i % 2 == 1,
			.last_active = { 2026, 11, 1, 0, 0, (uint8_t) (i % 60) },
		};
		snprintf(auth->name, sizeof(auth->name), "Phone %u", auth->auth_id);
	}
}

static void bench_reset(struct bench *bench, enum nuki_generation generation) {
	memset(bench, 0, sizeof(*bench));
	bench_random_clear();
	bench->generation = generation;
	memset(bench->key, 0x5a, sizeof(bench->key));
	bench->auth_id = 7;
	bench->pin = generation == NUKI_GENERATION_5 ? 123456 : 4321;
	bench->nuki_id = 0x1a2b3c4d;
	bench->lock_state = NUKI_LOCK_UNLOCKED;
	bench->goal = 0xff;
	bench->log_first = 1;
	bench->log_newest = 20;
	bench->next_code_id = 3;
	bench_fill(bench, 3, 2);
	bench->times[0] = (struct nuki_time_control){ 0, 1, 0x7c, { 22, 30 }, NUKI_ACTION_LOCK };
	bench->times[1] = (struct nuki_time_control){ 1, 0, 0, { 0, 0 }, NUKI_ACTION_FULL_LOCK };
	bench->n_times = bench->next_time_id = 2;
}

void bench_init(struct bench *bench, enum nuki_generation generation) {
	bench_reset(bench, generation);
	struct secret keys = bench_keys(bench, true);
	bench->session = nuki_session_new(&keys, &bench_host, bench);
	assert_non_null(bench->session);
	nuki_session_set_random(bench->session, bench_random);
	bench->session->impl->up(bench->session, 247);
}

void bench_init_unpaired(struct bench *bench) {
	bench_reset(bench, NUKI_GENERATION_1_TO_4);
	bench->session = nuki_session_new(NULL, &bench_host, bench);
	assert_non_null(bench->session);
	nuki_session_set_random(bench->session, bench_random);
	bench->session->impl->up(bench->session, 247);
}

void bench_finish(struct bench *bench) {
	bench->session = bench->session->impl->free(bench->session);
	assert_null(bench->session);
}

/* ---- the lock ---- */

uint16_t bench_command(const struct bench *bench, struct nuki_message *ret) {
	uint8_t plain[NUKI_BOX_MAX];
	struct nuki_frame frame;
	int r = nuki_open(bench->key, bench->written.bytes, bench->written.n, plain, &frame);

	assert_int_equal(r, 0);
	assert_int_equal(frame.auth_id, bench->auth_id);
	assert_int_equal(nuki_message_parse(ret, frame.command, bench->generation, frame.payload,
				 frame.n_payload),
		0);
	return frame.command;
}

static struct bench_frame *queue(struct bench *bench) {
	assert_true(bench->n_replies < BENCH_REPLIES_MAX);
	return &bench->replies[bench->n_replies++];
}

static void seal(
	const struct bench *bench, const struct nuki_message *message, struct bench_frame *ret) {
	static const uint8_t nonce[24] = { 0x77 };
	uint8_t payload[NUKI_PAYLOAD_MAX];
	ssize_t n = nuki_message_format(message, bench->generation, payload, sizeof(payload));

	assert_true(n >= 0);
	n = nuki_seal(bench->key, nonce, bench->auth_id, message->kind->command, payload,
		(size_t) n, ret->bytes, sizeof(ret->bytes));
	assert_true(n > 0);
	ret->n = (size_t) n;
	ret->characteristic = NUKI_USDIO;
}

static void reply(struct bench *bench, const struct nuki_message *message) {
	seal(bench, message, queue(bench));
}

static void reply_status(struct bench *bench, uint8_t status) {
	struct nuki_message message;

	nuki_message_init(&message, NUKI_STATUS, bench->generation);
	message.reply.status = status;
	reply(bench, &message);
}

static void reply_error(struct bench *bench, uint8_t error, uint16_t command) {
	struct nuki_message message;

	nuki_message_init(&message, NUKI_ERROR_REPORT, bench->generation);
	message.reply.error = error;
	message.reply.command = command;
	reply(bench, &message);
}

void bench_states(const struct bench *bench, uint8_t lock_state, struct nuki_message *ret) {
	nuki_message_init(ret, NUKI_STATES, bench->generation);
	ret->states.mode = NUKI_MODE_DOOR;
	ret->states.lock_state = lock_state;
	ret->states.time = (struct nuki_date){ 2026, 11, 22, 6, 0, 0 };
	ret->states.tz_offset = 60;
	ret->states.battery = 0xb0;
	ret->states.config_count = 3;
	ret->states.door = 0x02;
	ret->states.last_completion = 0;
	ret->states.remote = bench->remote;
	ret->states.ble_rssi = -61;
}

static void reply_states(struct bench *bench, uint8_t lock_state) {
	struct nuki_message message;

	bench_states(bench, lock_state, &message);
	reply(bench, &message);
}

static void reply_data(struct bench *bench, uint16_t wanted) {
	struct nuki_message message;

	switch (wanted) {
	case NUKI_CHALLENGE:
		nuki_message_init(&message, NUKI_CHALLENGE, bench->generation);
		memset(bench->challenge, ++bench->n_challenge, sizeof(bench->challenge));
		memcpy(message.pairing.nonce, bench->challenge, sizeof(bench->challenge));
		reply(bench, &message);
		break;
	case NUKI_STATES:
		reply_states(bench, bench->lock_state);
		break;
	case NUKI_BATTERY_REPORT:
		nuki_message_init(&message, NUKI_BATTERY_REPORT, bench->generation);
		message.battery.voltage_mv = 4988;
		message.battery.critical = 0x64;
		message.battery.temperature_c = -4;
		reply(bench, &message);
		break;
	default:
		reply_error(bench, NUKI_ERROR_UNKNOWN, NUKI_REQUEST_DATA);
	}
}

static uint8_t action_goal(uint8_t action) {
	switch (action) {
	case NUKI_ACTION_LOCK:
		return NUKI_LOCK_LOCKED;
	case NUKI_ACTION_UNLATCH:
	case NUKI_ACTION_LOCK_N_GO_UNLATCH:
		return NUKI_LOCK_UNLATCHED;
	case NUKI_ACTION_LOCK_N_GO:
		return NUKI_LOCK_UNLOCKED_LOCK_N_GO;
	}
	return NUKI_LOCK_UNLOCKED;
}

static void reply_action(struct bench *bench, uint8_t goal) {
	const uint8_t motion = goal == NUKI_LOCK_LOCKED      ? NUKI_LOCK_LOCKING
			       : goal == NUKI_LOCK_UNLATCHED ? NUKI_LOCK_UNLATCHING
							     : NUKI_LOCK_UNLOCKING;

	bench->lock_state = bench->goal != 0xff ? bench->goal : goal;
	reply_status(bench, NUKI_STATUS_ACCEPTED);
	if (bench->is_error_late && bench->n_errors > 0) {
		bench->n_errors--;
		reply_states(bench, motion);
		reply_error(bench, bench->error, NUKI_LOCK_ACTION);
		return;
	}
	if (!bench->is_mute_about_states) {
		reply_states(bench, motion);
		reply_states(bench, bench->lock_state);
	}
	reply_status(bench, NUKI_STATUS_COMPLETE);
}

static void reply_config(struct bench *bench) {
	struct nuki_message message;

	nuki_message_init(&message, NUKI_CONFIG, bench->generation);
	message.config.nuki_id = bench->nuki_id;
	strcpy(message.config.name, "Front door");
	message.config.pairing_enabled = 1;
	message.config.has_keypad2 = !bench->has_no_keypad;
	memcpy(message.config.firmware, (uint8_t[]){ 4, 2, 8 }, 3);
	memcpy(message.config.hardware, (uint8_t[]){ 7, 0 }, 2);
	message.config.device_type = 4;
	message.config.capabilities = 3;
	reply(bench, &message);
}

static void reply_advanced(struct bench *bench) {
	struct nuki_message message;

	nuki_message_init(&message, NUKI_ADVANCED_CONFIG, bench->generation);
	message.advanced.auto_lock_timeout = 300;
	message.advanced.auto_lock_enabled = 1;
	reply(bench, &message);
}

static void reply_log(struct bench *bench, const struct nuki_request *request) {
	struct nuki_message message;
	uint32_t index = request->start_index + (bench->is_log_inclusive ? 0 : 1);

	assert_int_equal(request->sort_order, 0);
	if (request->total_count != 0) {
		nuki_message_init(&message, NUKI_LOG_COUNT, bench->generation);
		message.reply.enabled = 1;
		message.reply.count = (uint16_t) (bench->log_newest - bench->log_first + 1);
		reply(bench, &message);
	}
	if (index < bench->log_first) {
		index = bench->log_first; /* the ring has moved on */
	}
	for (unsigned i = 0; i < request->count && index <= bench->log_newest; i++, index++) {
		nuki_message_init(&message, NUKI_LOG_ENTRY, bench->generation);
		message.log_entry.index = index;
		message.log_entry.time = (struct nuki_date){ 2026, 11, 1, 12, 0, 0 };
		message.log_entry.auth_id = index % 2 == 0 ? bench->auth_id : 99;
		message.log_entry.type = NUKI_LOG_LOCK_ACTION;
		message.log_entry.data[0] = NUKI_ACTION_LOCK;
		message.log_entry.n_data = 5;
		reply(bench, &message);
	}
	if (!bench->is_log_endless) {
		reply_status(bench, NUKI_STATUS_COMPLETE);
	}
}

/* ---- its lists ---- */

static void reply_count(struct bench *bench, uint16_t command, size_t n) {
	struct nuki_message message;

	if (!bench->is_list_headless) {
		nuki_message_init(&message, command, bench->generation);
		message.reply.count = (uint16_t) ((int) n + bench->announce_more);
		reply(bench, &message);
	}
}

static void reply_code(struct bench *bench, const struct nuki_code *code) {
	struct nuki_message message;

	nuki_message_init(&message, NUKI_CODE, bench->generation);
	message.code = *code;
	if (!code->time_limited) {
		nuki_message_leave_out(&message, "window");
	}
	reply(bench, &message);
}

static void reply_auth(struct bench *bench, const struct nuki_auth *auth) {
	struct nuki_message message;

	nuki_message_init(&message, NUKI_AUTH_ENTRY, bench->generation);
	message.auth = *auth;
	if (!auth->time_limited) {
		nuki_message_leave_out(&message, "window");
	}
	reply(bench, &message);
}

static void reply_list(struct bench *bench, uint16_t command, const struct nuki_request *request) {
	const bool is_codes = command == NUKI_REQUEST_CODES;
	const size_t n = is_codes ? bench->n_codes : bench->n_auths;
	size_t most = bench->list_most > 0 ? bench->list_most : request->count;

	most = most < request->count ? most : request->count;
	/* Of authorisations the count comes with the first page only, of codes with each. */
	if (is_codes || request->offset == 0) {
		reply_count(bench, is_codes ? NUKI_CODE_COUNT : NUKI_AUTH_COUNT, n);
	}
	for (size_t i = request->offset; i < n && most > 0; i++, most--) {
		for (int k = 0; k < (bench->is_list_repeating ? 2 : 1); k++) {
			if (is_codes) {
				reply_code(bench, &bench->codes[i]);
			} else {
				reply_auth(bench, &bench->auths[i]);
			}
		}
	}
	if (!bench->is_list_endless) {
		reply_status(bench, NUKI_STATUS_COMPLETE);
	}
}

static void reply_times(struct bench *bench) {
	struct nuki_message message;

	if (!bench->is_list_headless) {
		nuki_message_init(&message, NUKI_TIME_CONTROL_COUNT, bench->generation);
		message.reply.count8 = (uint8_t) ((int) bench->n_times + bench->announce_more);
		reply(bench, &message);
	}
	for (size_t i = 0; i < bench->n_times; i++) {
		nuki_message_init(&message, NUKI_TIME_CONTROL_ENTRY, bench->generation);
		message.time_control = bench->times[i];
		reply(bench, &message);
	}
	if (!bench->is_list_endless) {
		reply_status(bench, NUKI_STATUS_COMPLETE);
	}
}

static void do_add_time(struct bench *bench, const struct nuki_time_control *asked) {
	struct nuki_time_control *time = &bench->times[bench->n_times++];
	struct nuki_message message;

	*time = *asked;
	time->entry_id = bench->next_time_id++;
	time->enabled = 1;
	nuki_message_init(&message, NUKI_TIME_CONTROL_ID, bench->generation);
	message.time_control.entry_id = time->entry_id;
	reply(bench, &message);
}

static void do_change_time(
	struct bench *bench, const struct nuki_time_control *asked, bool is_gone) {
	for (size_t i = 0; i < bench->n_times; i++) {
		if (bench->times[i].entry_id == asked->entry_id) {
			bench->times[i] = is_gone ? bench->times[--bench->n_times] : *asked;
			reply_status(bench, NUKI_STATUS_COMPLETE);
			return;
		}
	}
	reply_error(bench, 0x23, is_gone ? NUKI_REMOVE_TIME_CONTROL : NUKI_UPDATE_TIME_CONTROL);
}

static void do_add_code(struct bench *bench, const struct nuki_code *asked) {
	struct nuki_code *code = &bench->codes[bench->n_codes++];
	struct nuki_message message;

	assert_true(bench->n_codes <= BENCH_ENTRIES_MAX);
	*code = *asked;
	code->code_id = bench->next_code_id++;
	code->enabled = 1;
	nuki_message_init(&message, NUKI_CODE_ID, bench->generation);
	message.code.code_id = code->code_id;
	reply(bench, &message);
}

static void do_update_code(struct bench *bench, const struct nuki_code *asked) {
	for (size_t i = 0; i < bench->n_codes; i++) {
		if (bench->codes[i].code_id == asked->code_id) {
			bench->codes[i] = *asked;
			reply_status(bench, NUKI_STATUS_COMPLETE);
			return;
		}
	}
	reply_error(bench, 0x23, NUKI_UPDATE_CODE);
}

static void do_update_auth(struct bench *bench, const struct nuki_auth *asked) {
	for (size_t i = 0; i < bench->n_auths; i++) {
		if (bench->auths[i].auth_id == asked->auth_id) {
			bench->auths[i] = *asked;
			reply_status(bench, NUKI_STATUS_COMPLETE);
			return;
		}
	}
	reply_error(bench, 0x24, NUKI_UPDATE_AUTH);
}

static void do_remove_code(struct bench *bench, uint16_t code_id) {
	for (size_t i = 0; i < bench->n_codes; i++) {
		if (bench->codes[i].code_id == code_id) {
			bench->codes[i] = bench->codes[--bench->n_codes];
			reply_status(bench, NUKI_STATUS_COMPLETE);
			return;
		}
	}
	reply_error(bench, 0x23, NUKI_REMOVE_CODE);
}

static void do_remove_auth(struct bench *bench, uint32_t auth_id) {
	for (size_t i = 0; i < bench->n_auths; i++) {
		if (bench->auths[i].auth_id == auth_id) {
			bench->auths[i] = bench->auths[--bench->n_auths];
			reply_status(bench, NUKI_STATUS_COMPLETE);
			return;
		}
	}
	reply_error(bench, 0x24, NUKI_REMOVE_AUTH);
}

/* Challenge and PIN as the lock checks them: a wrong one spends the challenge too. */
static uint8_t check_signature(struct bench *bench, const struct nuki_message *message) {
	uint8_t error = 0;

	for (size_t i = 0; i < message->kind->n_fields; i++) {
		const struct nuki_field *field = &message->kind->fields[i];
		const uint8_t *value = (const uint8_t *) message + field->at;
		uint32_t pin;
		if (field->type == NUKI_NONCE && memcmp(value, bench->challenge, 32) != 0) {
			return NUKI_ERROR_BAD_NONCE;
		}
		memcpy(&pin, value, sizeof(pin));
		if (field->type == NUKI_PIN && strcmp(field->name, "pin") == 0 &&
			pin != bench->pin) {
			error = NUKI_ERROR_BAD_PIN;
		}
	}
	return error;
}

void bench_lock_reads(struct bench *bench) {
	struct nuki_message message;
	const uint16_t command = bench_command(bench, &message);

	if (command == NUKI_REQUEST_DATA) {
		reply_data(bench, message.request.command);
		return;
	}
	const uint8_t error = check_signature(bench, &message);
	memset(bench->challenge, 0xff, sizeof(bench->challenge));
	if (bench->n_errors > 0 && !bench->is_error_late &&
		(bench->error_command == 0 || bench->error_command == command)) {
		bench->n_errors--;
		reply_error(bench, bench->error, command);
		return;
	}
	if (error != 0) {
		reply_error(bench, error, command);
		return;
	}
	bench->n_changes += changes_something(command);
	switch (command) {
	case NUKI_LOCK_ACTION:
		assert_int_equal(message.lock_action.app_id, 0x11223344);
		reply_action(bench, action_goal(message.lock_action.action));
		break;
	case NUKI_REQUEST_CALIBRATION:
		reply_status(bench, NUKI_STATUS_ACCEPTED);
		reply_states(bench, NUKI_LOCK_CALIBRATION);
		reply_states(bench, NUKI_LOCK_UNLOCKED);
		reply_status(bench, NUKI_STATUS_COMPLETE);
		break;
	case NUKI_REQUEST_CONFIG:
		reply_config(bench);
		break;
	case NUKI_REQUEST_ADVANCED_CONFIG:
		reply_advanced(bench);
		break;
	case NUKI_REQUEST_LOG:
		reply_log(bench, &message.request);
		break;
	case NUKI_REMOVE_AUTH:
		do_remove_auth(bench, message.auth.auth_id);
		break;
	case NUKI_UPDATE_AUTH:
		do_update_auth(bench, &message.auth);
		break;
	case NUKI_REQUEST_CODES:
	case NUKI_REQUEST_AUTHS:
		reply_list(bench, command, &message.request);
		break;
	case NUKI_ADD_CODE:
		do_add_code(bench, &message.code);
		break;
	case NUKI_UPDATE_CODE:
		do_update_code(bench, &message.code);
		break;
	case NUKI_REQUEST_TIME_CONTROLS:
		reply_times(bench);
		break;
	case NUKI_ADD_TIME_CONTROL:
		do_add_time(bench, &message.time_control);
		break;
	case NUKI_UPDATE_TIME_CONTROL:
		do_change_time(bench, &message.time_control, false);
		break;
	case NUKI_REMOVE_TIME_CONTROL:
		do_change_time(bench, &message.time_control, true);
		break;
	case NUKI_REMOVE_CODE:
		do_remove_code(bench, message.code.code_id);
		break;
	default:
		reply_status(bench, NUKI_STATUS_COMPLETE);
	}
}

/* ---- what happens ---- */

static void deliver(struct bench *bench, const struct bench_frame *frame) {
	const size_t piece = bench->piece > 0 ? bench->piece : frame->n;

	for (size_t at = 0; at < frame->n; at += piece) {
		const size_t n = frame->n - at < piece ? frame->n - at : piece;
		bench->session->impl->bytes(
			bench->session, frame->characteristic, frame->bytes + at, n);
	}
}

void bench_send(struct bench *bench, const struct nuki_message *message) {
	struct bench_frame frame;

	seal(bench, message, &frame);
	deliver(bench, &frame);
}

void bench_send_status(struct bench *bench, uint8_t status) {
	struct nuki_message message;

	nuki_message_init(&message, NUKI_STATUS, bench->generation);
	message.reply.status = status;
	bench_send(bench, &message);
}

void bench_send_error(struct bench *bench, uint8_t error, uint16_t command) {
	struct nuki_message message;

	nuki_message_init(&message, NUKI_ERROR_REPORT, bench->generation);
	message.reply.error = error;
	message.reply.command = command;
	bench_send(bench, &message);
}

void bench_send_states(struct bench *bench, uint8_t lock_state) {
	struct nuki_message message;

	bench_states(bench, lock_state, &message);
	bench_send(bench, &message);
}

void bench_send_plain(struct bench *bench, const char *characteristic, uint16_t command,
	const uint8_t *payload, size_t n) {
	struct bench_frame frame = { .characteristic = characteristic };
	ssize_t n_frame = nuki_plain_build(command, payload, n, frame.bytes, sizeof(frame.bytes));

	assert_true(n_frame > 0);
	frame.n = (size_t) n_frame;
	deliver(bench, &frame);
}

struct slot bench_slot(enum act act) {
	struct slot slot = { .type = CREDENTIAL_PIN, .is_enabled = true };

	if (act == ACT_REMOVE_CREDENTIAL) {
		slot.ref = 3;
	} else {
		slot.pin = bench_pin("345678");
		strcpy(slot.name, "Anna");
	}
	return slot;
}

struct lock_timer bench_timer(enum act act) {
	return (struct lock_timer){
		.ref = act == ACT_REMOVE_TIMER ? 256 : 0,
		.is_enabled = true,
		.days = DAY_SUNDAY << 1,
		.minute = 22 * 60 + 30,
		.act = ACT_LOCK,
	};
}

void bench_clear(struct bench *bench) {
	bench->n_done = 0;
	bench->n_writes = 0;
	bench->is_maybe_sent = false;
	bench->n_replies = bench->i_reply = 0;
}

int bench_start_job(struct bench *bench, const struct job *job) {
	struct fault fault = { 0 };

	bench->n_slots = 0;
	bench->n_timers = 0;
	int r = bench->session->impl->start(bench->session, job, &fault);

	if (r < 0) {
		bench->result = (struct job_result){ .fault = fault };
	}
	return r;
}

int bench_start(struct bench *bench, enum act act) {
	const struct job job = {
		.act = act,
		.log_max = 50,
		.now = { 1795327200 },
		.is_now_trusted = true,
		.slot = bench_slot(act),
		.timer = bench_timer(act),
	};

	bench_clear(bench);
	return bench_start_job(bench, &job);
}

bool bench_step(struct bench *bench) {
	if (bench->is_writing) {
		bench->is_writing = false;
		bench->n_replies = bench->i_reply = 0;
		bench_lock_reads(bench);
		bench->session->impl->written(bench->session, 0, RADIO_NOT_SENT);
		return true;
	}
	if (bench->i_reply < bench->n_replies) {
		deliver(bench, &bench->replies[bench->i_reply++]);
		return true;
	}
	return false;
}

void bench_run(struct bench *bench) {
	while (bench->n_done == 0 && bench_step(bench)) {
	}
}

void bench_run_with_timer(struct bench *bench, unsigned n) {
	bench_run(bench);
	for (unsigned i = 0; i < n && bench->n_done == 0 && bench->timer_ms > 0; i++) {
		bench->timer_ms = 0;
		bench->session->impl->timer(bench->session);
		bench_run(bench);
	}
}
