/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The ATT server by scripts of PDUs, both ways (Core specification 3.F.3.4). */

#include <errno.h>

#include "../../test.h"
#include "att.h"
#include "radio-bench.h"
#include "util/bytes.h"

struct script {
	struct att att;
	uint8_t said[8][ATT_MTU_MAX];
	size_t n_said[8], n, n_read;
	uint8_t written[ATT_VALUE_MAX];
	size_t n_written;
	int chr;
	unsigned n_writes, n_confirmed, mtu;
	bool is_on, closes;
};

static void on_send(void *user, const uint8_t *pdu, size_t n) {
	struct script *script = user;
	assert_true(n <= script->att.mtu && script->n < ARRAY_SIZE(script->said));
	memcpy(script->said[script->n], pdu, n);
	script->n_said[script->n++] = n;
}

static int on_write(void *user, int chr, const uint8_t *value, size_t n) {
	struct script *script = user;
	if (script->closes) {
		att_close(&script->att);
	}
	memcpy(script->written, value, n);
	script->n_written = n;
	script->chr = chr;
	script->n_writes++;
	return n == 1 && value[0] == 'E' ? SIM_ATT(0x85) : 0;
}

static ssize_t on_read(void *user, int chr, uint8_t *out, size_t size) {
	size_t n = chr == 2 ? 300 : 4;
	for (size_t i = 0; i < n; i++) {
		out[i] = (uint8_t) (i + 0x30);
	}
	return (ssize_t) n;
}

static int on_subscribe(void *user, int chr, bool on) {
	struct script *script = user;
	script->is_on = on;
	script->chr = chr;
	return 0;
}

static void on_mtu(void *user, unsigned mtu) {
	struct script *script = user;
	script->mtu = mtu;
}

static void on_confirmed(void *user) {
	struct script *script = user;
	script->n_confirmed++;
}

static const struct att_user att_user = {
	.send = on_send,
	.write = on_write,
	.read = on_read,
	.subscribe = on_subscribe,
	.mtu_agreed = on_mtu,
	.confirmed = on_confirmed,
};

static struct script *begin(unsigned mtu, unsigned shift) {
	struct script *script = calloc(1, sizeof(*script));
	assert_non_null(script);
	assert_int_equal(att_open(&script->att, &echo_gatt, shift, mtu, &att_user, script), 0);
	return script;
}

static void end(struct script *script) {
	assert_int_equal(script->n, script->n_read);
	att_finish(&script->att);
	free(script);
}

static void expect(struct script *script, const char *hex) {
	uint8_t wanted[ATT_MTU_MAX];
	size_t n = radio_octets(hex, wanted, sizeof(wanted));
	assert_true(script->n_read < script->n);
	assert_int_equal(script->n_said[script->n_read], n);
	assert_memory_equal(script->said[script->n_read], wanted, n);
	if (++script->n_read == script->n) {
		script->n_read = script->n = 0;
	}
}

static void tell(struct script *script, const char *hex) {
	uint8_t pdu[ATT_MTU_MAX + 8];
	att_input(&script->att, pdu, radio_octets(hex, pdu, sizeof(pdu)));
}

static void ask(struct script *script, const char *request, const char *response) {
	tell(script, request);
	expect(script, response);
	assert_int_equal(script->n, 0);
}

/* ---- discovery ---- */

static void services_are_found(void **state) {
	struct script *script = begin(517, 0);
	ask(script, "10 0100 ffff 0028", "11 06 0100 0500 0018 0600 0900 0118 0a00 1200 f0ff");
	ask(script, "10 1300 ffff 0028", "01 10 1300 0a");
	/* Secondary services: none. Anything else is no group. */
	ask(script, "10 0100 ffff 0128", "01 10 0100 0a");
	ask(script, "10 0100 ffff 0228", "01 10 0100 10");
	/* The long form of the same type. */
	ask(script, "10 0100 0500 fb349b5f80000080 0010000000280000", "11 06 0100 0500 0018");
	ask(script, "06 0100 ffff 0028 f0ff", "07 0a00 1200");
	ask(script, "06 0100 ffff 0028 f1ff", "01 06 0100 0a");
	ask(script, "08 0100 ffff 0228", "01 08 0100 0a"); /* Include */
	end(script);
}

static void characteristics_are_found(void **state) {
	struct script *script = begin(517, 0);
	/* Entries are of one length: the short ones, then the long one alone. */
	ask(script, "08 0100 0a00 0328",
		"09 07 0200 02 0300 002a 0400 02 0500 012a 0700 20 0800 052a");
	ask(script, "08 0a00 1200 0328", "09 15 0b00 2a 0c00 669a0c2000086c91 e4110155 02e22ea9");
	ask(script, "08 0c00 1200 0328", "09 07 0e00 14 0f00 f1ff 1100 02 1200 f2ff");
	ask(script, "04 0900 0b00", "05 01 0900 0229 0a00 0028 0b00 0328");
	ask(script, "04 0c00 0d00", "05 02 0c00 669a0c2000086c91 e4110155 02e22ea9");
	ask(script, "04 0d00 0d00", "05 01 0d00 0229");
	ask(script, "04 1300 ffff", "01 04 1300 0a");
	ask(script, "04 0000 ffff", "01 04 0000 01");
	ask(script, "04 0200 0100", "01 04 0200 01");
	end(script);
}

static void a_small_mtu_takes_more_rounds(void **state) {
	struct script *script = begin(517, 0);
	ask(script, "08 0100 ffff 0328",
		"09 07 0200 02 0300 002a 0400 02 0500 012a 0700 20 0800 052a");
	ask(script, "04 0100 ffff", "05 01 0100 0028 0200 0328 0300 002a 0400 0328 0500 012a");
	/* 2 + 21 octets of the long declaration: just the least MTU. */
	ask(script, "08 0b00 ffff 0328", "09 15 0b00 2a 0c00 669a0c2000086c91 e4110155 02e22ea9");
	end(script);
}

static void a_table_can_move(void **state) {
	struct script *script = begin(517, 0x10);
	ask(script, "10 0100 ffff 0028", "11 06 0100 0500 0018 1600 1900 0118 1a00 2200 f0ff");
	ask(script, "0a 0c00", "01 0a 0c00 01");
	ask(script, "0a 1c00", "0b 30313233");
	end(script);
}

static void an_empty_table_has_nothing(void **state) {
	struct script *script = begin(517, 0);
	script->att.is_empty = true;
	ask(script, "10 0100 ffff 0028", "01 10 0100 0a");
	ask(script, "08 0100 ffff 0328", "01 08 0100 0a");
	end(script);
}

/* ---- MTU ---- */

static void the_smaller_mtu_is_agreed_upon(void **state) {
	static const struct {
		unsigned own;
		const char *request, *response;
		unsigned agreed;
	} rows[] = {
		{ 517, "02 0502", "03 0502", 517 },
		{ 517, "02 4000", "03 0502", 64 },
		{ 100, "02 0502", "03 6400", 100 },
		{ 517, "02 0100", "03 0502", 23 },
		{ 1, "02 0502", "03 1700", 23 },
		{ 9999, "02 ffff", "03 0502", 517 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct script *script = begin(rows[i].own, 0);
		ask(script, rows[i].request, rows[i].response);
		assert_int_equal(script->mtu, rows[i].agreed);
		assert_int_equal(script->att.mtu, rows[i].agreed);
		end(script);
	}
}

/* ---- reading ---- */

static void values_are_read(void **state) {
	struct script *script = begin(23, 0);
	ask(script, "0a 0c00", "0b 30313233");
	ask(script, "0a 0100", "0b 0018");
	ask(script, "0a 0f00", "01 0a 0f00 02"); /* not readable */
	ask(script, "0a 0000", "01 0a 0000 01");
	ask(script, "0a 0d00", "0b 0000"); /* CCC */
	ask(script, "08 0100 ffff f1ff", "01 08 0f00 02");
	/* MTU - 1 octets at a time. */
	ask(script, "0a 1200", "0b 303132333435363738393a3b3c3d3e3f404142434445");
	ask(script, "0c 1200 1600", "0d 464748494a4b4c4d4e4f505152535455565758595a5b");
	ask(script, "0c 1200 2a01", "0d 5a5b");
	ask(script, "0c 1200 2c01", "0d");
	ask(script, "0c 1200 2d01", "01 0c 1200 07");
	/* By type: MTU - 4. */
	ask(script, "08 0100 ffff f2ff", "09 15 1200 303132333435363738393a3b3c3d3e3f404142");
	end(script);
}

/* Read By Type tells the length of an entry in one octet, however large the MTU. */
static void an_entry_has_255_octets_at_most(void **state) {
	struct script *script = begin(517, 0);
	ask(script, "02 0502", "03 0502");
	tell(script, "08 0100 ffff f2ff");
	assert_int_equal(script->n_said[0], 257);
	assert_memory_equal(script->said[0], "\x09\xff\x12\x00\x30\x31", 6);
	tell(script, "0a 1200");
	assert_int_equal(script->n_said[1], 301);
	script->n_read = script->n;
	end(script);
}

/* ---- writing ---- */

static void values_are_written(void **state) {
	struct script *script = begin(517, 0);
	ask(script, "12 0c00 0102", "13");
	assert_int_equal(script->chr, 0);
	assert_int_equal(script->n_written, 2);
	ask(script, "12 0c00", "13"); /* an empty value is one */
	assert_int_equal(script->n_written, 0);
	ask(script, "12 0c00 45", "01 12 0c00 85");
	ask(script, "12 0f00 01", "01 12 0f00 03"); /* takes commands only */
	ask(script, "12 0b00 01", "01 12 0b00 03"); /* a declaration */
	ask(script, "12 9900 01", "01 12 9900 01");
	script->n_writes = 0;
	tell(script, "52 0f00 0909");
	assert_int_equal(script->n_writes, 1);
	assert_int_equal(script->chr, 1);
	assert_int_equal(script->n_written, 2);
	tell(script, "52 0c00 09"); /* not for commands: passed over */
	tell(script, "52 9900 09");
	assert_int_equal(script->n_writes, 1);
	end(script);
}

static void long_writes_are_put_together(void **state) {
	struct script *script = begin(23, 0);
	ask(script, "16 0c00 0000 0102030405", "17 0c00 0000 0102030405");
	ask(script, "16 0c00 0500 06", "17 0c00 0500 06");
	assert_int_equal(script->n_writes, 0);
	ask(script, "18 01", "19");
	assert_int_equal(script->n_writes, 1);
	assert_memory_equal(script->written, "\1\2\3\4\5\6", 6);
	/* Cancelled. */
	ask(script, "16 0c00 0000 0102", "17 0c00 0000 0102");
	ask(script, "18 00", "19");
	ask(script, "18 01", "19");
	assert_int_equal(script->n_writes, 1);
	/* A hole; the queue is empty after the error. */
	ask(script, "16 0c00 0100 01", "17 0c00 0100 01");
	ask(script, "18 01", "01 18 0c00 07");
	ask(script, "18 01", "19");
	/* Two attributes in one go. */
	ask(script, "16 0c00 0000 07", "17 0c00 0000 07");
	ask(script, "16 0d00 0000 0200", "17 0d00 0000 0200");
	ask(script, "18 01", "19");
	assert_int_equal(script->n_writes, 2);
	assert_true(script->is_on);
	/* Longer than a value can be. */
	ask(script, "16 0c00 0000 01", "17 0c00 0000 01");
	ask(script, "16 0c00 0002 01", "17 0c00 0002 01");
	ask(script, "18 01", "01 18 0c00 07");
	ask(script, "16 0f00 0000 01", "01 16 0f00 03");
	ask(script, "16 9900 0000 01", "01 16 9900 01");
	end(script);
}

static void the_prepare_queue_is_bounded(void **state) {
	struct script *script = begin(23, 0);
	for (int i = 0; i < ATT_PARTS_MAX; i++) {
		ask(script, "16 0c00 0000 01", "17 0c00 0000 01");
	}
	ask(script, "16 0c00 0000 01", "01 16 0c00 09");
	ask(script, "18 00", "19");
	for (int i = 0; i < ATT_PREPARED_MAX / 18; i++) {
		ask(script, "16 0c00 0000 010203040506070809101112131415161718",
			"17 0c00 0000 010203040506070809101112131415161718");
	}
	ask(script, "16 0c00 0000 010203040506070809101112131415161718", "01 16 0c00 09");
	end(script);
}

static void closing_within_a_write_sends_nothing_more(void **state) {
	struct script *script = begin(23, 0);
	script->closes = true;
	tell(script, "12 0c00 01");
	assert_int_equal(script->n_writes, 1);
	tell(script, "0a 0c00");
	end(script);
}

/* ---- what the lock says ---- */

static void a_client_chooses_what_it_hears(void **state) {
	struct script *script = begin(23, 0);
	assert_int_equal(att_send_value(&script->att, 0, (const uint8_t *) "a", 1), -ENOENT);
	ask(script, "12 0d00 0100", "01 12 0d00 13"); /* it cannot notify */
	ask(script, "12 0d00 02", "01 12 0d00 0d");
	ask(script, "12 0d00 0200", "13");
	assert_true(script->is_on);
	ask(script, "12 0d00 0200", "13");
	assert_int_equal(att_send_value(&script->att, 0, (const uint8_t *) "a", 1), 0);
	expect(script, "1d 0c00 61");
	/* One at a time (3.F.3.3.2). */
	assert_int_equal(att_send_value(&script->att, 0, (const uint8_t *) "b", 1), -EBUSY);
	tell(script, "1e");
	assert_int_equal(script->n_confirmed, 1);
	tell(script, "1e"); /* of nothing */
	assert_int_equal(script->n_confirmed, 1);
	assert_int_equal(att_send_value(&script->att, 0, (const uint8_t *) "b", 1), 0);
	expect(script, "1d 0c00 62");
	ask(script, "12 0d00 0000", "13");
	assert_false(script->is_on);
	ask(script, "12 1000 0100", "13");
	for (int i = 0; i < 3; i++) { /* no confirmation is waited for */
		assert_int_equal(att_send_value(&script->att, 1, (const uint8_t *) "c", 1), 0);
		expect(script, "1b 0f00 63");
	}
	static const uint8_t wide[30] = { 1 };
	assert_int_equal(att_send_value(&script->att, 1, wide, sizeof(wide)), 0);
	expect(script, "1b 0f00 01000000000000000000 00000000000000000000");
	end(script);
}

/* ---- nonsense ---- */

static void nonsense_gets_an_error_or_nothing(void **state) {
	struct script *script = begin(23, 0);
	tell(script, "");
	ask(script, "02 17", "01 02 0000 04");
	ask(script, "0a 0c0000", "01 0a 0000 04");
	ask(script, "12 0c", "01 12 0000 04");
	ask(script, "0e 0c00 0d00", "01 0e 0000 06"); /* Read Multiple */
	ask(script, "20 0c00 0d00", "01 20 0000 06");
	ask(script, "08 0100 ffff 000028", "01 08 0100 04");
	/* More than the MTU. */
	ask(script, "12 0c00 0102030405060708091011121314151617181920 21", "01 12 0000 04");
	tell(script, "52 0c");   /* commands have no errors */
	tell(script, "d2 0c00"); /* Signed Write */
	tell(script, "13");      /* a server's word */
	tell(script, "1e 00");
	tell(script, "1b 0c00 01");
	assert_int_equal(script->n_writes, 0);
	end(script);
}

static void a_stalled_server_is_silent(void **state) {
	struct script *script = begin(23, 0);
	script->att.is_stalled = true;
	tell(script, "0a 0c00");
	tell(script, "12 0c00 01");
	tell(script, "02 1700");
	assert_int_equal(script->n_writes, 0);
	end(script);
}

static void uuids_are_shortened(void **state) {
	uint8_t out[16];
	assert_int_equal(att_uuid("0000180a-0000-1000-8000-00805f9b34fb", out), 2);
	assert_memory_equal(out, "\x0a\x18", 2);
	assert_int_equal(att_uuid("0001180a-0000-1000-8000-00805f9b34fb", out), 16);
	assert_int_equal(att_uuid("a92ee202-5501-11e4-916c-0800200c9a66", out), 16);
	assert_int_equal(att_uuid("180a", out), 0);
	assert_int_equal(att_uuid("zz00180a-0000-1000-8000-00805f9b34fb", out), 0);
	assert_int_equal(att_uuid("0000180a-0000-1000-8000-00805f9b34fb0", out), 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(services_are_found),
		cmocka_unit_test(characteristics_are_found),
		cmocka_unit_test(a_small_mtu_takes_more_rounds),
		cmocka_unit_test(a_table_can_move),
		cmocka_unit_test(an_empty_table_has_nothing),
		cmocka_unit_test(the_smaller_mtu_is_agreed_upon),
		cmocka_unit_test(values_are_read),
		cmocka_unit_test(an_entry_has_255_octets_at_most),
		cmocka_unit_test(values_are_written),
		cmocka_unit_test(long_writes_are_put_together),
		cmocka_unit_test(the_prepare_queue_is_bounded),
		cmocka_unit_test(closing_within_a_write_sends_nothing_more),
		cmocka_unit_test(a_client_chooses_what_it_hears),
		cmocka_unit_test(nonsense_gets_an_error_or_nothing),
		cmocka_unit_test(a_stalled_server_is_silent),
		cmocka_unit_test(uuids_are_shortened),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
