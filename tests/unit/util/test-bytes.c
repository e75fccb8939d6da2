/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/bytes.h"

#include <errno.h>

#include "test.h"

static void reads_every_width_and_order(void **state) {
	(void) state;
	const uint8_t wire[] = {
		0xfe,                                           /* u8 */
		0x80,                                           /* i8 */
		0x34, 0x12,                                     /* u16le */
		0xfe, 0xff,                                     /* i16le */
		0x78, 0x56, 0x34, 0x92,                         /* u32le */
		0xef, 0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 0xf1, /* u64le */
		0x12, 0x34,                                     /* u16be */
		0x92, 0x34, 0x56, 0x78,                         /* u32be */
		0x00, 0x00, 0x48, 0xc1,                         /* f32le: -12.5 */
	};
	struct rd rd = rd_on(wire, sizeof(wire));
	assert_int_equal(rd_u8(&rd), 0xfe);
	assert_int_equal(rd_i8(&rd), -128);
	assert_int_equal(rd_u16le(&rd), 0x1234);
	assert_int_equal(rd_i16le(&rd), -2);
	assert_int_equal(rd_u32le(&rd), 0x92345678);
	assert_true(rd_u64le(&rd) == UINT64_C(0xf123456789abcdef));
	assert_int_equal(rd_u16be(&rd), 0x1234);
	assert_int_equal(rd_u32be(&rd), 0x92345678);
	assert_true(rd_f32le(&rd) == -12.5f);
	assert_int_equal(rd_left(&rd), 0);
	assert_int_equal(rd_end(&rd), 0);
}

static void stays_short_once_short(void **state) {
	(void) state;
	const uint8_t wire[] = { 1, 2, 3 };
	struct rd rd = rd_on(wire, sizeof(wire));
	assert_int_equal(rd_u16le(&rd), 0x0201);
	assert_int_equal(rd_u16le(&rd), 0);
	/* The octet that is left must not be given to a smaller read: fields would shift. */
	assert_int_equal(rd_u8(&rd), 0);
	assert_int_equal(rd_left(&rd), 0);
	assert_null(rd_bytes(&rd, 0));
	assert_int_equal(rd_end(&rd), -EBADMSG);
	assert_int_equal(rd_ok(&rd), -EBADMSG);
}

static void leftovers_fail_end_but_not_ok(void **state) {
	(void) state;
	struct rd rd = rd_on("ab", 2);
	(void) rd_u8(&rd);
	assert_int_equal(rd_end(&rd), -EBADMSG);
	assert_int_equal(rd_ok(&rd), 0);
	rd_skip(&rd, 1);
	assert_int_equal(rd_end(&rd), 0);
}

static void huge_lengths_do_not_wrap(void **state) {
	(void) state;
	struct rd rd = rd_on("abcd", 4);
	(void) rd_u8(&rd);
	assert_null(rd_bytes(&rd, SIZE_MAX));
	assert_int_equal(rd_end(&rd), -EBADMSG);

	uint8_t out[4];
	struct wr wr = wr_on(out, sizeof(out));
	wr_u8(&wr, 1);
	wr_zeros(&wr, SIZE_MAX);
	assert_int_equal(wr_end(&wr), -ENOBUFS);
}

static void empty_input_is_a_good_empty_message(void **state) {
	(void) state;
	struct rd rd = rd_on(NULL, 0);
	assert_int_equal(rd_end(&rd), 0);
	rd_skip(&rd, 0);
	rd_copy(&rd, NULL, 0);
	assert_int_equal(rd_end(&rd), 0);
	assert_int_equal(rd_u8(&rd), 0);
	assert_int_equal(rd_end(&rd), -EBADMSG);
}

static void copy_zeroes_when_short(void **state) {
	(void) state;
	char out[4] = "xyz";
	struct rd rd = rd_on("ab", 2);
	rd_copy(&rd, out, 3);
	assert_memory_equal(out, "\0\0\0", 4);
}

static void text_fields_end_at_their_first_zero(void **state) {
	(void) state;
	char out[6] = "?????";
	struct rd rd = rd_on("ab\0cdVWXYZ", 10);
	rd_text(&rd, 5, out);
	assert_memory_equal(out, "ab\0\0\0\0", 6);
	rd_text(&rd, 5, out); /* a field that is full has no zero of its own */
	assert_string_equal(out, "VWXYZ");
	rd_text(&rd, 5, out);
	assert_string_equal(out, "");
	assert_int_equal(rd_end(&rd), -EBADMSG);
}

static void writer_mirrors_the_reader(void **state) {
	(void) state;
	uint8_t wire[64];
	struct wr wr = wr_on(wire, sizeof(wire));
	wr_u8(&wr, 0xfe);
	wr_u16le(&wr, 0x1234);
	wr_u32le(&wr, 0x92345678);
	wr_u64le(&wr, UINT64_C(0xf123456789abcdef));
	wr_u16be(&wr, 0x1234);
	wr_u32be(&wr, 0x92345678);
	wr_f32le(&wr, -12.5f);
	wr_bytes(&wr, "xy", 2);
	wr_zeros(&wr, 1);
	ssize_t n = wr_end(&wr);
	assert_int_equal(n, 28);
	const uint8_t expected[] = { 0xfe, 0x34, 0x12, 0x78, 0x56, 0x34, 0x92, 0xef, 0xcd, 0xab,
		0x89, 0x67, 0x45, 0x23, 0xf1, 0x12, 0x34, 0x92, 0x34, 0x56, 0x78, 0x00, 0x00, 0x48,
		0xc1, 'x', 'y', 0 };
	assert_memory_equal(wire, expected, sizeof(expected));
}

static void full_writer_stays_full_and_writes_nothing_behind(void **state) {
	(void) state;
	uint8_t wire[4] = { 0, 0, 0, 0x77 };
	struct wr wr = wr_on(wire, 3);
	wr_u16le(&wr, 0x0201);
	wr_u16le(&wr, 0x0403);
	wr_u8(&wr, 5); /* would fit, but something is missing before it */
	assert_int_equal(wr_end(&wr), -ENOBUFS);
	const uint8_t expected[] = { 1, 2, 0, 0x77 };
	assert_memory_equal(wire, expected, 4);

	wr = wr_on(wire, 2);
	wr_u16le(&wr, 0x0201); /* exactly full is not too full */
	assert_int_equal(wr_end(&wr), 2);
}

static void written_text_is_padded_or_cut_between_characters(void **state) {
	(void) state;
	char wire[6];
	struct wr wr = wr_on(wire, sizeof(wire));
	wr_text(&wr, 6, "ab");
	assert_int_equal(wr_end(&wr), 6);
	assert_memory_equal(wire, "ab\0\0\0\0", 6);

	/* The euro sign has three octets, of which only two would fit. */
	wr = wr_on(wire, sizeof(wire));
	wr_text(&wr, 6, "abcd\xe2\x82\xac");
	assert_int_equal(wr_end(&wr), 6);
	assert_memory_equal(wire, "abcd\0\0", 6);

	wr = wr_on(wire, sizeof(wire));
	wr_text(&wr, 6, "abc\xe2\x82\xac!");
	assert_memory_equal(wire, "abc\xe2\x82\xac", 6);
}

static void hex_goes_both_ways(void **state) {
	(void) state;
	const uint8_t bytes[] = { 0x00, 0x9f, 0xA0, 0xff };
	char text[9];
	assert_string_equal(hex_encode(bytes, 4, text), "009fa0ff");
	assert_string_equal(hex_encode(bytes, 0, text), "");

	uint8_t out[4];
	assert_int_equal(hex_decode("009fA0Ff", out, 4), 0);
	assert_memory_equal(out, bytes, 4);
	assert_int_equal(hex_decode("", out, 0), 0);
}

static void bad_hex_is_refused(void **state) {
	(void) state;
	uint8_t out[4];
	size_t n = 99;
	static const char *const bad[] = { "0", "0g", "g0", "00 1", " 00", "0x00", "00\n", "001" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(hex_decode_any(bad[i], out, sizeof(out), &n), -EINVAL);
	}
	assert_int_equal(n, 99);
	assert_int_equal(hex_decode_any("0011223344", out, sizeof(out), &n), -ENOBUFS);
	assert_int_equal(hex_decode("0011", out, 3), -EINVAL);
	assert_int_equal(hex_decode("00112233", out, 3), -EINVAL);
	assert_int_equal(hex_decode_any("0011", out, sizeof(out), &n), 0);
	assert_int_equal(n, 2);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_width_and_order),
		cmocka_unit_test(stays_short_once_short),
		cmocka_unit_test(leftovers_fail_end_but_not_ok),
		cmocka_unit_test(huge_lengths_do_not_wrap),
		cmocka_unit_test(empty_input_is_a_good_empty_message),
		cmocka_unit_test(copy_zeroes_when_short),
		cmocka_unit_test(text_fields_end_at_their_first_zero),
		cmocka_unit_test(writer_mirrors_the_reader),
		cmocka_unit_test(full_writer_stays_full_and_writes_nothing_behind),
		cmocka_unit_test(written_text_is_padded_or_cut_between_characters),
		cmocka_unit_test(hex_goes_both_ways),
		cmocka_unit_test(bad_hex_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
