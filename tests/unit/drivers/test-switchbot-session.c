/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The session against the least lock that can answer it. That one uses the codec of the driver,
 * which the vectors have proven by itself.
 */

#include "../../test.h"

#include <errno.h>

#include "session-host.h"
#include "switchbot/cipher.h"
#include "switchbot/driver.h"
#include "switchbot/keys.h"
#include "switchbot/message.h"
#include "switchbot/session.h"
#include "util/auto.h"
#include "util/bytes.h"

#define KEY_TEXT "34 0123456789abcdef0123456789abcdef"

static const uint8_t key_bytes[] = { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x01, 0x23,
	0x45, 0x67, 0x89, 0xab, 0xcd, 0xef };

struct bench {
	struct host host; /* first: it is what the session gets */
	struct session *session;
	struct switchbot_cipher cipher; /* the lock's */
	enum switchbot_mode mode;
	uint8_t state; /* first octet of the state, as told */
	uint8_t result;
	bool is_mute;
	uint8_t written[SWITCHBOT_FRAME_MAX];
	size_t n_written; /* 0: nothing waits to be read */
	unsigned n_moves;
};

static void host_write(void *host, const char *characteristic, const uint8_t *buf, size_t n) {
	struct bench *bench = host;

	assert_string_equal(characteristic, SWITCHBOT_TO_LOCK);
	assert_int_equal(bench->n_written, 0); /* one at a time */
	memcpy(bench->written, buf, n);
	bench->n_written = n;
}

static const struct session_host host_impl = { SESSION_HOST_CALLS, .write = host_write };

/* The key, as text and as it is. */
static const char *const secrets[] = { "0123456789abcdef", "\x01\x23\x45\x67", NULL };

static struct secret paired_keys(enum switchbot_model model) {
	struct switchbot_keys keys = { .model = model, .key_id = 0x34 };
	struct secret blob = { 0 };

	memcpy(keys.key, key_bytes, sizeof(keys.key));
	switchbot_keys_encode(&keys, &blob);
	return blob;
}

static void bench_init(struct bench *bench, const struct secret *keys) {
	*bench = (struct bench){ .host.secrets = secrets,
		.mode = SWITCHBOT_MODE_CTR,
		.state = 0x80,
		.result = SWITCHBOT_DONE };
	bench->cipher.key_id = 0x34;
	memcpy(bench->cipher.key, key_bytes, sizeof(key_bytes));
	bench->session = switchbot_session_new(keys, &host_impl, bench);
	assert_non_null(bench->session);
	bench->session->impl->up(bench->session, 23);
}

static void bench_model(struct bench *bench, enum switchbot_model model) {
	const struct secret keys = paired_keys(model);

	bench_init(bench, &keys);
}

static void bench_free(struct bench *bench) {
	bench->session->impl->free(bench->session);
}

/* From the lock; @n_plain octets behind the result. */
static void lock_says(struct bench *bench, uint8_t result, const uint8_t *plain, size_t n_plain) {
	uint8_t frame[SWITCHBOT_FRAME_MAX];
	const ssize_t n = switchbot_seal(&bench->cipher, plain, n_plain, frame);

	frame[0] = result;
	bench->session->impl->bytes(bench->session, SWITCHBOT_FROM_LOCK, frame, (size_t) n);
}

static void lock_news(struct bench *bench, uint8_t state) {
	const uint8_t plain[] = { state, 0, 0, 0, 0, 0 };

	bench->state = state;
	lock_says(bench, SWITCHBOT_NEWS, plain, sizeof(plain));
}

static void give_start(struct bench *bench) {
	uint8_t answer[20] = { SWITCHBOT_DONE, 0, bench->mode == SWITCHBOT_MODE_GCM, 0 };

	bench->cipher.mode = bench->mode;
	for (uint8_t i = 0; i < 16; i++) {
		bench->cipher.start[i] = (uint8_t) (0x10 + i);
	}
	memcpy(answer + 4, bench->cipher.start, 16);
	bench->session->impl->bytes(bench->session, SWITCHBOT_FROM_LOCK, answer, sizeof(answer));
}

/* Reads what was written and answers. false: nothing was, or it is mute. */
static bool lock_reads(struct bench *bench) {
	uint8_t plain[SWITCHBOT_FRAME_MAX];
	const uint8_t moved[] = { bench->state, 0x35, 0x48, 0x35, 0x00 };
	const uint8_t basic[] = { 88, 23, 0x1b, 0, 0, 0 };
	const uint8_t info[] = { bench->state, 0, 0, 0, 0, 0 };
	const uint8_t notify[] = { 0 };
	const size_t n = bench->n_written;

	if (n == 0) {
		return false;
	}
	bench->n_written = 0;
	bench->session->impl->written(bench->session, 0, RADIO_MAYBE_SENT);
	if (bench->written[1] == 0) {
		if (!bench->is_mute) {
			give_start(bench);
		}
		return !bench->is_mute;
	}
	const ssize_t n_plain = switchbot_open(&bench->cipher, bench->written, n, plain);
	assert_true(n_plain > 0);
	const bool is_move = plain[0] == 0x0f && plain[1] == 0x4e;
	bench->n_moves += is_move;
	if (bench->is_mute) {
		return false;
	}
	if (bench->result != SWITCHBOT_DONE && (is_move || bench->result != SWITCHBOT_DONE_WEAK)) {
		lock_says(bench, bench->result, moved,
			bench->result == SWITCHBOT_DONE_WEAK ? sizeof(moved) : 0);
	} else if (plain[0] == 0x02) {
		lock_says(bench, SWITCHBOT_DONE, basic, sizeof(basic));
	} else if (is_move) {
		lock_says(bench, SWITCHBOT_DONE, moved, sizeof(moved));
	} else if (plain[0] == 0x0f) {
		lock_says(bench, SWITCHBOT_DONE, info, sizeof(info));
	} else {
		lock_says(bench, SWITCHBOT_DONE, notify, sizeof(notify));
	}
	switchbot_cipher_next(&bench->cipher);
	return true;
}

static void run(struct bench *bench) {
	while (lock_reads(bench)) {
	}
}

static void start(struct bench *bench, enum act act) {
	const struct job job = { .act = act };
	struct fault fault = { .code = FAULT_NONE };

	assert_int_equal(bench->session->impl->start(bench->session, &job, &fault), 0);
}

static void timer(struct bench *bench) {
	assert_true(bench->host.timer_ms > 0);
	bench->host.timer_ms = 0;
	bench->session->impl->timer(bench->session);
}

static const struct evidence *last(const struct bench *bench) {
	assert_true(bench->host.n_evidence > 0);
	return &bench->host.evidence[bench->host.n_evidence - 1];
}

static void assert_outcome(const struct bench *bench, enum fault_code code, enum job_sent sent) {
	assert_int_equal(bench->host.n_done, 1);
	assert_int_equal(bench->host.result.fault.code, code);
	if (code != FAULT_NONE) {
		assert_int_equal(bench->host.result.sent, sent);
	}
}

/* ---- cases ---- */

static void pairing_proves_the_key_and_keeps_it(void **state) {
	struct bench bench;
	struct job job = { .act = ACT_PAIR, .variant = SWITCHBOT_LOCK_PRO };
	struct fault fault = { .code = FAULT_NONE };
	const struct secret want = paired_keys(SWITCHBOT_LOCK_PRO);

	bench_init(&bench, NULL);
	assert_int_equal(bench.session->impl->start(bench.session, &job, &fault), -EINVAL);
	assert_int_equal(fault.code, FAULT_BAD_ARGUMENT);
	(void) secret_set_text(&job.key, KEY_TEXT);
	assert_int_equal(bench.session->impl->start(bench.session, &job, &fault), 0);
	run(&bench);
	assert_outcome(&bench, FAULT_NONE, JOB_NOT_SENT);
	assert_true(secret_equal(&bench.host.keys, &want));
	assert_int_equal(bench.host.evidence[0].battery.percent, 88);
	assert_string_equal(bench.host.evidence[1].versions.firmware, "2.3");
	assert_string_equal(bench.host.evidence[1].versions.model, "SwitchBot Lock Pro");
	assert_int_equal(last(&bench)->bolt.state, LOCK_STATE_LOCKED);
	assert_int_equal(last(&bench)->how, EVIDENCE_ANSWERED);
	bench_free(&bench);
}

/* The lock makes nothing of our command, or we nothing of its answer. */
static void wrong_key_is_found_out(void **state) {
	for (unsigned way = 0; way < 2; way++) {
		const uint8_t nonsense[] = { 200, 0, 0x1b, 0, 0, 0 };
		struct bench bench;
		struct job job = { .act = ACT_PAIR, .variant = SWITCHBOT_LOCK_PRO };
		struct fault fault;

		bench_init(&bench, NULL);
		(void) secret_set_text(&job.key, KEY_TEXT);
		assert_int_equal(bench.session->impl->start(bench.session, &job, &fault), 0);
		assert_true(lock_reads(&bench)); /* the start value is in clear */
		lock_says(&bench, way == 0 ? SWITCHBOT_DONE : SWITCHBOT_WRONG_KEY, nonsense,
			way == 0 ? sizeof(nonsense) : 0);
		assert_outcome(&bench, FAULT_NOT_AUTHORIZED, JOB_NOT_SENT);
		assert_int_equal(bench.host.keys.len, 0);
		bench_free(&bench);
	}
}

static void lock_is_watched_until_the_bolt_is_there(void **state) {
	for (enum switchbot_mode mode = SWITCHBOT_MODE_CTR; mode <= SWITCHBOT_MODE_GCM; mode++) {
		struct bench bench;

		bench_model(&bench, SWITCHBOT_LOCK_PRO);
		bench.mode = mode;
		bench.state = 0x88; /* unlocked, not yet moving */
		start(&bench, ACT_LOCK);
		run(&bench);
		assert_int_equal(bench.n_moves, 1);
		assert_int_equal(bench.host.n_done, 0);
		lock_news(&bench, 0x90); /* locking */
		run(&bench);
		assert_int_equal(bench.host.n_done, 0);
		if (mode == SWITCHBOT_MODE_CTR) {
			assert_int_equal(last(&bench)->bolt.motion, LOCK_MOTION_LOCKING);
		}
		lock_news(&bench, 0x80);
		run(&bench);
		assert_outcome(&bench, FAULT_NONE, JOB_NOT_SENT);
		assert_int_equal(last(&bench)->bolt.state, LOCK_STATE_LOCKED);
		bench_free(&bench);
	}
}

static void lock_without_news_is_asked(void **state) {
	struct bench bench;

	bench_model(&bench, SWITCHBOT_LOCK);
	bench.state = 0x80;
	start(&bench, ACT_UNLOCK);
	run(&bench);
	assert_int_equal(bench.host.n_done, 0);
	bench.state = 0x90;
	timer(&bench);
	run(&bench);
	assert_outcome(&bench, FAULT_NONE, JOB_NOT_SENT);
	assert_int_equal(bench.n_moves, 1);
	bench_free(&bench);
}

static void jam_and_rest_elsewhere_are_told(void **state) {
	struct bench bench;

	bench_model(&bench, SWITCHBOT_LOCK_PRO);
	bench.state = 0x88;
	start(&bench, ACT_LOCK);
	run(&bench);
	lock_news(&bench, 0xa0); /* stopped while locking */
	assert_outcome(&bench, FAULT_JAMMED, JOB_MAYBE_SENT);
	assert_true(last(&bench)->bolt.is_jammed);
	bench_free(&bench);

	bench_model(&bench, SWITCHBOT_LOCK_PRO);
	bench.state = 0x88;
	start(&bench, ACT_LOCK);
	run(&bench);
	for (unsigned i = 0; i < SWITCHBOT_LOOKS_MAX; i++) {
		assert_int_equal(bench.host.n_done, 0);
		timer(&bench);
		run(&bench);
	}
	assert_outcome(&bench, FAULT_MOTOR_TIMEOUT, JOB_MAYBE_SENT);
	assert_int_equal(bench.n_moves, 1);
	bench_free(&bench);
}

static void refusals_have_their_faults(void **state) {
	static const struct {
		uint8_t result;
		enum fault_code code;
	} rows[] = {
		{ SWITCHBOT_FAILED, FAULT_ACTION_REJECTED },
		{ SWITCHBOT_CANNOT, FAULT_ACTION_REJECTED },
		{ SWITCHBOT_BUSY, FAULT_LOCK_BUSY },
		{ SWITCHBOT_VERSION, FAULT_FIRMWARE_UPDATE_NEEDED },
		{ SWITCHBOT_UNSUPPORTED, FAULT_NOT_SUPPORTED },
		{ SWITCHBOT_WRONG_KEY, FAULT_NOT_AUTHORIZED },
		{ 0x77, FAULT_PROTOCOL_ERROR },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bench bench;

		bench_model(&bench, SWITCHBOT_LOCK_PRO);
		bench.result = rows[i].result;
		start(&bench, ACT_READ_STATE);
		run(&bench);
		assert_outcome(&bench, rows[i].code, JOB_NOT_SENT);
		bench_free(&bench);
	}
}

/* The result is in clear: whoever forges "busy" must not have the hub unlock a second time. */
static void refused_move_may_have_been_made(void **state) {
	struct bench bench;

	bench_model(&bench, SWITCHBOT_LOCK_PRO);
	start(&bench, ACT_UNLOCK);
	assert_true(lock_reads(&bench)); /* start value */
	assert_true(lock_reads(&bench)); /* news */
	bench.result = SWITCHBOT_BUSY;
	run(&bench);
	assert_outcome(&bench, FAULT_LOCK_BUSY, JOB_MAYBE_SENT);
	bench_free(&bench);
}

static void weak_cells_show_in_the_answer(void **state) {
	struct bench bench;

	bench_model(&bench, SWITCHBOT_LOCK);
	bench.result = SWITCHBOT_DONE_WEAK;
	bench.state = 0x90;
	start(&bench, ACT_UNLOCK);
	run(&bench);
	assert_outcome(&bench, FAULT_NONE, JOB_NOT_SENT);
	assert_int_equal(bench.host.evidence[0].battery.level, BATTERY_WARNING);
	bench_free(&bench);
}

static void gate_is_asked_before_the_bolt_moves(void **state) {
	struct bench bench;

	bench_model(&bench, SWITCHBOT_LOCK);
	bench.host.is_gate_shut = true;
	start(&bench, ACT_UNLOCK);
	run(&bench);
	assert_int_equal(bench.n_moves, 0);
	bench.session->impl->gate_opened(bench.session);
	bench.state = 0x90;
	run(&bench);
	assert_int_equal(bench.n_moves, 1);
	assert_outcome(&bench, FAULT_NONE, JOB_NOT_SENT);
	bench_free(&bench);
}

/* In each phase: no answer; the link ends; the write fails. Never two moves. */
static void silence_and_loss_end_the_job(void **state) {
	for (unsigned n_answers = 0; n_answers < 3; n_answers++) {
		for (unsigned way = 0; way < 3; way++) {
			const enum job_sent sent = n_answers == 2 ? JOB_MAYBE_SENT : JOB_NOT_SENT;
			struct bench bench;

			bench_model(&bench, SWITCHBOT_LOCK);
			start(&bench, ACT_UNLOCK);
			for (unsigned i = 0; i < n_answers; i++) {
				assert_true(lock_reads(&bench));
			}
			bench.is_mute = true;
			if (way == 0) {
				(void) lock_reads(&bench);
				timer(&bench);
				assert_outcome(&bench, FAULT_LOCK_SILENT, sent);
			} else if (way == 1) {
				bench.session->impl->down(bench.session);
				assert_outcome(&bench, FAULT_LINK_LOST, sent);
			} else {
				bench.session->impl->written(bench.session, -EIO, RADIO_NOT_SENT);
				assert_outcome(&bench, FAULT_LINK_LOST, JOB_NOT_SENT);
			}
			assert_true(bench.n_moves <= 1);
			bench_free(&bench);
		}
	}
}

/* Each link has a start value of its own. */
static void start_value_is_asked_once_per_link(void **state) {
	struct bench bench;

	bench_model(&bench, SWITCHBOT_LOCK_ULTRA);
	bench.mode = SWITCHBOT_MODE_GCM;
	for (unsigned i = 0; i < 3; i++) {
		start(&bench, ACT_READ_STATE);
		assert_int_equal(bench.written[1], i == 0 ? 0 : 0x34);
		run(&bench);
		assert_int_equal(bench.host.n_done, i + 1);
		assert_int_equal(bench.host.result.fault.code, FAULT_NONE);
	}
	bench.session->impl->down(bench.session);
	bench.session->impl->up(bench.session, 23);
	start(&bench, ACT_READ_STATE);
	assert_int_equal(bench.written[1], 0);
	bench_free(&bench);
}

static void nonsense_is_survived(void **state) {
	static const uint8_t junk[300] = { SWITCHBOT_DONE };
	struct bench bench;

	bench_model(&bench, SWITCHBOT_LOCK);
	for (size_t n = 0; n < sizeof(junk); n += 7) {
		bench.session->impl->bytes(bench.session, SWITCHBOT_FROM_LOCK, junk, n);
		bench.session->impl->bytes(bench.session, "other", junk, n);
	}
	lock_news(&bench, 0x80);
	assert_int_equal(bench.host.n_evidence, 0);
	start(&bench, ACT_READ_STATE);
	assert_true(lock_reads(&bench));
	bench.session->impl->bytes(bench.session, SWITCHBOT_FROM_LOCK, junk, sizeof(junk));
	assert_outcome(&bench, FAULT_PROTOCOL_ERROR, JOB_NOT_SENT);
	bench_free(&bench);
}

/* ---- the driver ---- */

static struct advert advert_of(const char *maker, const char *service) {
	struct advert advert = { .address = "B0:E9:FE:00:00:01", .rssi = -60, .n_parts = 1 };

	advert.parts[0].company = 2409;
	assert_int_equal(hex_decode_any(maker, advert.parts[0].bytes, sizeof(advert.parts[0].bytes),
				 &advert.parts[0].n_bytes),
		0);
	if (service != NULL) {
		struct advert_part *part = &advert.parts[advert.n_parts++];

		part->is_service = true;
		(void) snprintf(
			part->uuid, sizeof(part->uuid), "0000fd3d-0000-1000-8000-00805f9b34fb");
		assert_int_equal(
			hex_decode_any(service, part->bytes, sizeof(part->bytes), &part->n_bytes),
			0);
	}
	return advert;
}

static void sighting_wants_the_key(void **state) {
	const struct advert pro = advert_of("b0e9fe000050508010500000", "248050");
	const struct advert keypad = advert_of("eb1302e6230f8f6400000000", "790064");
	const struct advert nameless = advert_of("b0e9fe000050508010500000", NULL);
	struct sighting sighting;

	assert_true(switchbot_driver.sight(&pro, &sighting));
	assert_true(sighting.needs_key && sighting.is_pairing);
	assert_string_equal(sighting.model, "SwitchBot Lock Pro");
	assert_int_equal(sighting.variant, SWITCHBOT_LOCK_PRO);
	assert_false(switchbot_driver.sight(&keypad, &sighting));
	/* Nobody knows what it is: SwitchBot makes more than locks. */
	assert_false(switchbot_driver.sight(&nameless, &sighting));
}

static void state_is_heard_once_per_change(void **state) {
	const struct secret keys = paired_keys(SWITCHBOT_LOCK_PRO);
	const struct advert locked = advert_of("b0e9fe000050508010500000", NULL);
	const struct advert unlocked = advert_of("b0e9fe0000505188100f0004", NULL);
	struct heard_memory memory = { 0 };
	struct evidence evidence = { .has = FACT_HEARD };

	switchbot_driver.hear(&keys, NULL, &locked, &memory, &evidence);
	assert_true((evidence.has & FACT_BOLT) != 0);
	assert_int_equal(evidence.bolt.state, LOCK_STATE_LOCKED);
	assert_int_equal(evidence.door, DOOR_STATE_OPEN);
	assert_int_equal(evidence.battery.percent, 80);
	evidence = (struct evidence){ .has = FACT_HEARD };
	switchbot_driver.hear(&keys, NULL, &locked, &memory, &evidence);
	assert_int_equal(evidence.has, FACT_HEARD);
	switchbot_driver.hear(&keys, NULL, &unlocked, &memory, &evidence);
	assert_int_equal(evidence.bolt.state, LOCK_STATE_UNLOCKED);
	assert_int_equal(evidence.battery.level, BATTERY_WARNING);
	assert_false(evidence.is_changed);
}

/* A forged flood must cost nothing but time: any octets, any model. */
static void any_advertisement_is_survived(void **state) {
	for (unsigned model = SWITCHBOT_LOCK; model < SWITCHBOT_MODEL_COUNT_; model++) {
		const struct secret keys = paired_keys((enum switchbot_model) model);
		struct heard_memory memory = { 0 };

		for (size_t n = 0; n <= 24; n++) {
			struct advert advert = advert_of("", NULL);
			struct evidence evidence = { .has = FACT_HEARD };

			memset(advert.parts[0].bytes, 0xff, n);
			advert.parts[0].n_bytes = n;
			switchbot_driver.hear(&keys, NULL, &advert, &memory, &evidence);
			assert_true((evidence.has & FACT_BATTERY) == 0 ||
				    evidence.battery.percent <= 127);
		}
	}
}

static void protocol_is_weak(void **state) {
	assert_int_equal(protocol_class(switchbot_driver.protocol(NULL, NULL)), PROTOCOL_CLASS_C);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pairing_proves_the_key_and_keeps_it),
		cmocka_unit_test(wrong_key_is_found_out),
		cmocka_unit_test(lock_is_watched_until_the_bolt_is_there),
		cmocka_unit_test(lock_without_news_is_asked),
		cmocka_unit_test(jam_and_rest_elsewhere_are_told),
		cmocka_unit_test(refusals_have_their_faults),
		cmocka_unit_test(refused_move_may_have_been_made),
		cmocka_unit_test(weak_cells_show_in_the_answer),
		cmocka_unit_test(gate_is_asked_before_the_bolt_moves),
		cmocka_unit_test(silence_and_loss_end_the_job),
		cmocka_unit_test(start_value_is_asked_once_per_link),
		cmocka_unit_test(nonsense_is_survived),
		cmocka_unit_test(sighting_wants_the_key),
		cmocka_unit_test(state_is_heard_once_per_change),
		cmocka_unit_test(any_advertisement_is_survived),
		cmocka_unit_test(protocol_is_weak),
	};

	return cmocka_run_group_tests_name("switchbot-session", tests, NULL, NULL);
}
