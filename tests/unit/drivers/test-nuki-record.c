/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Transcripts (lockhubctl record): nothing private is in them, and the session, given the same jobs
 * and answers, says the same again. Those replayed here were made by tests/hub/test-record.py.
 */

#include "nuki-bench.h"

#include <ctype.h>
#include <stdio.h>

#include "nuki/driver.h"
#include "util/auto.h"
#include "util/bytes.h"

static struct bench bench;

/* ---- what is blanked ---- */

static bool is_public_octets(const char *name) {
	return strcmp(name, "firmware") == 0 || strcmp(name, "hardware") == 0;
}

static void every_kind_is_blanked_by_its_table(void **state) {
	static const uint8_t zeros[64];
	size_t n;
	const struct nuki_kind *kinds = nuki_kinds(&n);

	for (size_t i = 0; i < n; i++) {
		struct nuki_message message;
		memset(&message, 0x41, sizeof(message));
		message.kind = &kinds[i];
		nuki_message_blank(&message);
		for (size_t k = 0; k < kinds[i].n_fields; k++) {
			const struct nuki_field *field = &kinds[i].fields[k];
			const uint8_t *in = (const uint8_t *) &message + field->at;
			if (field->type == NUKI_TEXT) {
				assert_int_equal(in[0], 'x');
				assert_memory_equal(in + 1, zeros, field->n);
			} else if (field->type == NUKI_OCTETS && !is_public_octets(field->name)) {
				assert_memory_equal(in, zeros, field->n);
			} else if (field->type == NUKI_NONCE) {
				assert_memory_equal(in, zeros, NUKI_CHALLENGE_LEN);
			} else if (field->type == NUKI_PIN || field->type == NUKI_F32 ||
				   strcmp(field->name, "code") == 0 ||
				   strstr(field->name, "auth_id") != NULL ||
				   strcmp(field->name, "app_id") == 0 ||
				   strcmp(field->name, "nuki_id") == 0) {
				assert_memory_equal(in, zeros, 4);
			} else if (field->type == NUKI_REST && (field->flags & NUKI_SECRET) != 0) {
				assert_memory_equal(in, zeros, field->n);
			} else if ((field->flags & (NUKI_SECRET | NUKI_PRIVATE)) != 0) {
				fail_msg("%s of %s is not blanked", field->name, kinds[i].name);
			}
		}
	}
}

struct listener {

	uint8_t octets[64 * 1024];
	size_t n;
	unsigned n_out, n_in;
};

static struct listener heard;

static void on_frame(
	void *host, bool is_out, const char *characteristic, const uint8_t *plain, size_t n) {
	assert_ptr_equal(host, &bench);
	assert_string_equal(characteristic, NUKI_USDIO);
	assert_true(n >= 2 && heard.n + n <= sizeof(heard.octets));
	memcpy(heard.octets + heard.n, plain, n);
	heard.n += n;
	heard.n_out += is_out;
	heard.n_in += !is_out;
}

static bool is_there(const void *octets, size_t n) {
	for (size_t at = 0; at + n <= heard.n; at++) {
		if (memcmp(heard.octets + at, octets, n) == 0) {
			return true;
		}
	}
	return false;
}

static void frames_tell_no_secret(void **state) {
	struct session_host host = bench_host;
	struct nuki_message entry;

	bench_init(&bench, NUKI_GENERATION_5);
	bench_finish(&bench);
	memset(&heard, 0, sizeof(heard));
	host.frame = on_frame;
	struct secret keys = bench_keys(&bench, true);
	bench.session = nuki_session_new(&keys, &host, &bench);
	nuki_session_set_random(bench.session, bench_random);
	bench.session->impl->up(bench.session, 247);
	static const enum act acts[] = { ACT_UNLOCK, ACT_READ_CONFIG, ACT_READ_LOG, ACT_VERIFY_PIN,
		ACT_UNPAIR };
	for (size_t i = 0; i < ARRAY_SIZE(acts); i++) {
		assert_int_equal(bench_start(&bench, acts[i]), 0);
		bench_run(&bench);
		assert_int_equal(bench.result.fault.code, FAULT_NONE);
	}
	nuki_message_init(&entry, NUKI_LOG_ENTRY, NUKI_GENERATION_5);
	strcpy(entry.log_entry.name, "Ottokar");
	bench_send(&bench, &entry);
	assert_true(heard.n_out > 5 && heard.n_in > 5);
	uint8_t pin[4];
	struct wr wr = wr_on(pin, sizeof(pin));
	wr_u32le(&wr, bench.pin);
	assert_false(is_there(pin, sizeof(pin)));
	for (uint8_t i = 1; i <= bench.n_challenge; i++) {
		uint8_t nonce[8];
		memset(nonce, i, sizeof(nonce));
		assert_false(is_there(nonce, sizeof(nonce)));
	}
	assert_false(is_there("Ottokar", 7));
	assert_false(is_there("Front door", 10));
	assert_false(is_there("\x4d\x3c\x2b\x1a", 4)); /* the lock's id, half of its address */
	assert_false(is_there("\x44\x33\x22\x11", 4)); /* our id */
	assert_false(is_there(bench.key, 8));
	secret_wipe(&keys);
	bench_finish(&bench);
}

/* ---- replaying ---- */

static size_t from_hex(const char *text, uint8_t *out, size_t size) {
	size_t n = 0;
	unsigned octet;

	for (; isxdigit((unsigned char) text[0]) && sscanf(text, "%2x", &octet) == 1; text += 2) {
		assert_true(n < size);
		out[n++] = (uint8_t) octet;
	}
	return n;
}

/* The session must have written this, but for what is blanked. */
static void expect_written(const uint8_t *plain, size_t n, const char *line) {
	uint8_t own[2 + NUKI_PAYLOAD_MAX];
	struct nuki_message message;

	for (int i = 0; i < 8 && !bench.is_writing && bench.timer_ms > 0; i++) {
		bench.timer_ms = 0;
		bench.session->impl->timer(bench.session);
	}
	if (!bench.is_writing) {
		fail_msg("nothing was written for %s%s", line, bench.traces);
	}
	struct wr wr = wr_on(own, 2);
	wr_u16le(&wr, bench_command(&bench, &message));
	nuki_message_blank(&message);
	ssize_t n_own = nuki_message_format(&message, bench.generation, own + 2, sizeof(own) - 2);
	assert_true(n_own >= 0);
	if ((size_t) n_own + 2 != n || memcmp(own, plain, n) != 0) {
		fail_msg("something else was written for %s%s", line, bench.traces);
	}
	bench.is_writing = false;
	bench.session->impl->written(bench.session, 0, RADIO_NOT_SENT);
}

static uint32_t n_auths;

static void deliver(const uint8_t *plain, size_t n) {
	struct nuki_message message;
	struct rd rd = rd_on(plain, n);
	uint16_t command = rd_u16le(&rd);

	assert_int_equal(
		nuki_message_parse(&message, command, bench.generation, plain + 2, n - 2), 0);
	if (command == NUKI_CONFIG) {
		message.config.nuki_id = bench.nuki_id; /* blanked, and looked at */
	} else if (command == NUKI_AUTH_ENTRY) {
		message.auth.auth_id = ++n_auths; /* blanked, but no two are alike */
	}
	bench_send(&bench, &message);
}

static void start(const char *words) {
	struct job job = { .now = { 1795327200 }, .is_now_trusted = true };
	char act[32];
	long long cursor = 0;

	assert_true(sscanf(words, "%31s %lld %u", act, &cursor, &job.log_max) >= 1);
	assert_int_equal(act_from_name(act, &job.act), 0);
	job.log_cursor = cursor;
	if (job.act == ACT_VERIFY_PIN) {
		job.pin = bench_pin(bench.generation == NUKI_GENERATION_5 ? "123456" : "4321");
	}
	bench.n_done = 0;
	assert_int_equal(bench_start_job(&bench, &job), 0);
}

static unsigned replay_line(const char *line) {
	uint8_t plain[1024];
	int at = 0;

	if (line[0] == '#' || sscanf(line, "%*d %n", &at) < 0 || at == 0) {
		return 0;
	}
	const char *what = line + at;
	size_t n = 0;
	if (what[0] == '>' || what[0] == '<') {
		assert_int_equal(strncmp(what + 2, NUKI_USDIO, 8), 0);
		n = from_hex(what + 11, plain, sizeof(plain));
		assert_true(n >= 2);
	}
	if (what[0] == '>') {
		expect_written(plain, n, line);
	} else if (what[0] == '<') {
		deliver(plain, n);
	} else if (strncmp(what, "= start ", 8) == 0) {
		start(what + 8);
	} else if (strncmp(what, "= done ", 7) == 0) {
		if (bench.n_done != 1) {
			fail_msg("not done at %s%s", line, bench.traces);
		}
		const char *fault = fault_name(bench.result.fault.code);
		assert_int_equal(strncmp(what + 7, fault, strlen(fault)), 0);
		return 1;
	} else if (strncmp(what, "= down", 6) == 0) {
		bench.session->impl->down(bench.session);
	} else if (strncmp(what, "= up", 4) == 0) {
		bench.session->impl->up(bench.session, 247);
		if (strncmp(what, "= up 0", 6) == 0) {
			/* It was up before the recording began, and had told its state. */
			bench_send_states(&bench, NUKI_LOCK_LOCKED);
		}
	}
	return 0;
}

static void replay(const char *name, enum nuki_generation generation) {
	const char *root = getenv("LOCKHUB_SOURCE_ROOT");
	char path[512], line[4096];
	unsigned n_jobs = 0;

	snprintf(path, sizeof(path), "%s/tests/transcripts/nuki/%s.txt", root != NULL ? root : ".",
		name);
	FILE *file = fopen(path, "r");
	if (file == NULL) {
		fail_msg("%s cannot be read", path);
	}
	bench_init(&bench, generation);
	while (fgets(line, sizeof(line), file) != NULL) {
		n_jobs += replay_line(line);
	}
	fclose(file);
	assert_true(n_jobs >= 6);
	assert_true(bench.n_evidence > 0 && bench.n_log > 0);
	bench_finish(&bench);
}

static void a_gen4_says_the_same_again(void **state) {
	replay("gen4", NUKI_GENERATION_1_TO_4);
}

static void a_5g_says_the_same_again(void **state) {
	replay("5g", NUKI_GENERATION_5);
}

/* Written by test-nuki-far.c. */
static void users_say_the_same_again(void **state) {
	n_auths = 0;
	replay("users", NUKI_GENERATION_1_TO_4);
	assert_int_equal(n_auths, 4); /* two, twice */
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_is_blanked_by_its_table),
		cmocka_unit_test(frames_tell_no_secret),
		cmocka_unit_test(a_gen4_says_the_same_again),
		cmocka_unit_test(a_5g_says_the_same_again),
		cmocka_unit_test(users_say_the_same_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
