/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What must not leave the house, in all the forms in which it may stand; and what must stay. */

#include "test.h"

#include <stdlib.h>

#include "redact.h"

static struct redactor *made(void) {
	struct redactor *redactor = redactor_new();
	assert_non_null(redactor);
	assert_int_equal(redactor_add(redactor, REDACT_USER, "Anna Müller-Lüdenscheidt"), 0);
	assert_int_equal(redactor_add(redactor, REDACT_USER, "Bo"), 0);
	assert_int_equal(redactor_add(redactor, REDACT_USER, "Зоя"), 0);
	assert_int_equal(redactor_add(redactor, REDACT_LOCK, "Annas Wohnung"), 0);
	assert_int_equal(redactor_add(redactor, REDACT_HOST, "raspi-flur"), 0);
	assert_int_equal(redactor_add(redactor, REDACT_SERIAL, "1A2B3C4D"), 0);
	assert_int_equal(redactor_add(redactor, REDACT_ADDRESS, "54:D2:72:0A:0B:0C"), 0);
	assert_int_equal(redactor_allow_host(redactor, "support.nuki.io"), 0);
	assert_int_equal(redactor_allow_host(redactor, "nuki.io"), 0);
	return redactor;
}

static void expect_all(const char *const rows[][2], size_t n, unsigned flags) {
	AUTO(redactor_free) struct redactor *redactor = made();
	for (size_t i = 0; i < n; i++) {
		char *text = redact_text(redactor, rows[i][0], flags);
		assert_non_null(text);
		if (strcmp(text, rows[i][1]) != 0) {
			fail_msg("'%s' became '%s', not '%s'", rows[i][0], text, rows[i][1]);
		}
		free(text);
	}
}

static void names_go_in_every_form(void **state) {
	static const char *const rows[][2] = {
		{ "asked by Anna Müller-Lüdenscheidt.", "asked by user 1." },
		{ "ANNA MÜLLER-LÜDENSCHEIDT", "user 1" },
		{ "anna", "user 1" },
		{ "Frau Müller kommt", "Frau user 1 kommt" },
		{ "m\\u00fcller", "user 1" },
		{ "M%C3%BCller", "user 1" },
		{ "anna-mueller-luedenscheidt", "user 1" },
		{ "Bo came", "user 2 came" },
		{ "Bob came, the robot too", "Bob came, the robot too" },
		{ "Bo2", "user 22" }, /* not nice, but nobody is named */
		{ "зоя ЗОЯ", "user 3 user 3" },
		{ "the lock annas-wohnung", "the lock lock 1" },
		{ "Annas Wohnung: jammed", "lock 1: jammed" },
		{ "raspi-flur systemd[1]", "[host] systemd[1]" },
		{ "serial 1A2B3C4D", "serial …3C4D" },
		{ "Hex 4dc3bc6c6c6572", "Hex user 1" },
	};
	expect_all(rows, ARRAY_SIZE(rows), 0);
	AUTO(redactor_free) struct redactor *redactor = made();
	static const char *const base64[] = { "QW5uYSBNw7xsbGVyLUzDvGRlbnNjaGVpZHQ=",
		"eEFubmEgTcO8bGxlci1Mw7xkZW5zY2hlaWR0",
		"eHhBbm5hIE3DvGxsZXItTMO8ZGVuc2NoZWlkdA==" };
	for (size_t i = 0; i < ARRAY_SIZE(base64); i++) {
		char *text = redact_text(redactor, base64[i], 0);
		assert_non_null(text);
		assert_true(strlen(text) < 14);
		free(text);
	}
	assert_true(
		redact_count(redactor, REDACT_USER) + redact_count(redactor, REDACT_SECRET) > 2);
}

static void secrets_go(void **state) {
	static const char *const rows[][2] = {
		{ "password=hunter2 next", "password=[removed] next" },
		{ "\"password\": \"hun,ter 2\", \"a\": 1",
			"\"password\": \"[removed]\", \"a\": 1" },
		{ "passphrase is correct-horse", "passphrase is [removed]" },
		{ "{\\\"token\\\":\\\"ab\\\"}", "{\\\"token\\\":\\\"[removed]\\\"}" },
		{ "PIN 4711 was wrong", "PIN [removed] was wrong" },
		{ "pin=123456", "pin=[removed]" },
		{ "code: 2718281", "code: [removed]" },
		{ "username = hausmeister", "username = [removed]" },
		{ "client_secret=abc", "client_secret=[removed]" },
		{ "secret: h7", "secret: [removed]" },
		{ "ssid=\"Unser Netz\", 2.4 GHz", "ssid=\"[removed]\", 2.4 GHz" },
		{ "SSID: Unser Netz", "SSID: [removed]" },
		{ "key 00112233445566778899aabbccddeeff.", "key [removed]" },
		{ "4f3a00112233445566778899aabbccdd", "[hex 1]" },
		{ "4F3A00112233445566778899AABBCCDD again", "[hex 1] again" },
		{ "4f:3a:00:11:22:33:44:55:66", "[hex 2]" },
		{ "0x4f, 0x3a, 0x00, 0x11, 0x22, 0x33, 0x44, 0x55;", "[hex 3];" },
		{ "Zm9vYmFyMTIzRm9vQmFyIQxyz9==", "[code 4]" },
		{ "JBSWY3DPEHPK3PXP2345", "[code 5]" },
		{ "otpauth://totp/x?secret=JBSWY3DPEHPK3PXP&issuer=y",
			"otpauth://[host]/x?secret=[removed]&issuer=y" },
		{ "mqtts://anna2:pw@broker.example:8883", "mqtts://[removed]@[host]:8883" },
		{ "mqtt://10.1.2.3:1883", "mqtt://[host]:1883" },
		{ "broker.example.org:8883 refuses", "[host]:8883 refuses" },
		{ "nas.fritz.box", "[host]" },
		{ "192.168.178.20", "[address]" },
		{ "fe80::1ff:fe23:4567:890a%wlan0", "[address]%wlan0" },
		{ "2001:db8:1:2:3:4:5:6", "[address]" },
		{ "/home/karl/secret.pem", "/home/[home]/secret.pem" },
		{ "karl@example.org", "[mail]" },
		{ "52.520008, 13.404954", "[number], [number]" },
		{ "54:D2:72:0A:0B:0C", "XX:XX:XX:XX:0B:0C" },
		{ "/org/bluez/hci0/dev_54_D2_72_0A_0B_0C/x",
			"/org/bluez/hci0/dev_XX_XX_XX_XX_0B_0C/x" },
		{ "aa-bb-cc-dd-ee-ff", "XX-XX-XX-XX-ee-ff" },
		{ "54d2720a0b0c", "XX:XX:XX:XX:0B:0C" },
	};
	expect_all(rows, ARRAY_SIZE(rows), 0);
}

static void what_helps_stays(void **state) {
	static const char *const rows[] = {
		"Main process exited, code=exited, status=1/FAILURE",
		"BlueZ 5.66, Linux 6.1.0-28-arm64, lockhub 0.1.0",
		"2026-11-22 15:04:05 hci0: link lost after 740 ms (-71 dBm)",
		"2026-11-22T14:50:00Z",
		"https://support.nuki.io/hc/en",
		"http://localhost:8123",
		"lockhubctl care batteries LOCK",
		"org.bluez.Error.Failed: le-connection-abort-by-local",
		"the keypad is weak; the code was refused; the key is missing",
		"/usr/share/lockhub/models/nuki-gen3.ini",
		"0000a92e-0000-1000-8000-00805f9b34fb",
		"the lock 0a1b2c3d answers in 1.25 s",
		"src/core/runner.c:120",
		"127.0.0.1:1883",
		"By mail: contact@nuki.io.",
		"it holds no secret: model, firmware",
		"battery-critical: 6 %",
		"👍 ünïcödé دلت",
	};
	AUTO(redactor_free) struct redactor *redactor = made();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *text = redact_text(redactor, rows[i], 0);
		assert_non_null(text);
		assert_string_equal(text, rows[i]);
		free(text);
	}
}

static void a_transcript_keeps_its_octets(void **state) {
	static const char *const rows[][2] = {
		{ "0000 > 0012 4f3a00112233445566778899aabbccdd",
			"0000 > 0012 4f3a00112233445566778899aabbccdd" },
		{ "# recorded by anna", "# recorded by user 1" },
	};
	expect_all(rows, ARRAY_SIZE(rows), REDACT_KEEP_HEX);
}

static void json_is_redacted_inside(void **state) {
	AUTO(redactor_free) struct redactor *redactor = made();
	json_t *value =
		json_loads("{\"by\": \"anna\", \"pin\": 4711, \"state\": \"locked\", "
			   "\"Anna Müller-Lüdenscheidt\": [\"key=12345\", null, 1.5, true]}",
			0, NULL);
	assert_non_null(value);
	json_t *clean = redact_json(redactor, value);
	char *text = json_dumps(clean, JSON_COMPACT | JSON_SORT_KEYS);
	assert_string_equal(text, "{\"by\":\"user 1\",\"pin\":\"[removed]\",\"state\":\"locked\","
				  "\"user 1\":[\"key=[removed]\",null,1.5,true]}");
	free(text);
	json_decref(clean);
	json_decref(value);
}

static void rubbish_is_survived(void **state) {
	AUTO(redactor_free) struct redactor *redactor = made();
	static const char *const rows[] = { "", "\xff\xfe", "\xc3", "a\xe2\x80", "password=", "pin",
		"://", "://@", "/home/", "::", ":::", "key=\"", "\"pin\": \"", "0x", "%",
		"=@=", "pin=\\", "\xf0\x9f\x98", "ssid=" };
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *text = redact_text(redactor, rows[i], 0);
		assert_non_null(text);
		free(text);
	}
	char *text = redact_text(redactor,
		"Anna\xff"
		"Anna",
		0);
	assert_string_equal(text, "user 1\xef\xbf\xbduser 1");
	free(text);
	/* Every piece of a text: the end may be anywhere. */
	static const char story[] =
		"mqtts://a:b@h.example:1/x pin=\"47 11\" 54:D2:72:0A:0B:0C Müller";
	for (size_t n = 0; n <= strlen(story); n++) {
		char *piece = strndup(story, n);
		text = redact_text(redactor, piece, 0);
		assert_non_null(text);
		free(text);
		free(piece);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_go_in_every_form),
		cmocka_unit_test(secrets_go),
		cmocka_unit_test(what_helps_stays),
		cmocka_unit_test(a_transcript_keeps_its_octets),
		cmocka_unit_test(json_is_redacted_inside),
		cmocka_unit_test(rubbish_is_survived),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
