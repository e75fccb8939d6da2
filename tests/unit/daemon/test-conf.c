/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conf.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

static char folder[] = "/tmp/lockhub-conf-XXXXXX";
static char path[128];

static int setup(void **state) {
	(void) state;
	if (mkdtemp(folder) == NULL) {
		return -1;
	}
	(void) snprintf(path, sizeof(path), "%s/lockhubd.conf", folder);
	return 0;
}

static int teardown(void **state) {
	char command[160];

	(void) state;
	(void) snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

static void write_file(const char *name, const char *text) {
	FILE *file = fopen(name, "w");

	assert_non_null(file);
	(void) fputs(text, file);
	(void) fclose(file);
}

/* Reads @text as the configuration; @return its first error, "" for none. */
static const char *first_error(const char *text, struct conf *conf) {
	static struct fault fault;

	fault = (struct fault){ .code = FAULT_NONE };
	write_file(path, text);
	conf_defaults(conf);
	if (conf_read(conf, path, false, NULL, &fault) >= 0) {
		assert_int_equal(fault.code, FAULT_NONE);
		return "";
	}
	assert_int_equal(fault.code, FAULT_CONFIG_INVALID);
	return fault.detail;
}

static void defaults_hold(void **state) {
	struct conf conf;

	(void) state;
	conf_defaults(&conf);
	assert_string_equal(conf.hub.name, "lockhub");
	assert_int_equal(conf.hub.poll_min, 30);
	assert_string_equal(conf.hub.time_zone, ""); /* the machine's own */
	assert_true(conf.policy.mqtt_unlock);
	assert_int_equal(conf.log.keep_days, 0); /* nothing is taken away unasked */
	assert_string_equal(conf.mqtt.host, "");
	assert_string_equal(conf.mqtt.discovery, "device");
}

static void values_arrive(void **state) {
	struct conf conf;

	(void) state;
	assert_string_equal(first_error("# remark\n[hub]\nname = Haus ; links\n\n[mqtt]\n"
					"host=broker.lan\nport = 8883\ntls = yes\n"
					"password_file = /etc/secret\n",
				    &conf),
		"");
	/* A semicolon belongs to the value: names may hold one. */
	assert_string_equal(conf.hub.name, "Haus ; links");
	assert_string_equal(conf.mqtt.host, "broker.lan");
	assert_int_equal(conf.mqtt.port, 8883);
	assert_true(conf.mqtt.tls);
}

static void mistakes_name_line_and_cure(void **state) {
	static const struct {
		const char *text, *line, *cure;
	} rows[] = {
		{ "[hub]\npol_min = 3\n", ":2:", "did you mean poll_min" },
		{ "[mqt]\npoll_min = 3\n", ":2:", "did you mean [mqtt]" },
		{ "[mqtt]\nname = x\n", ":2:", "belongs into [hub]" },
		{ "[mqtt]\nwobble = x\n", ":2:", "lockhubd.conf(5)" },
		{ "poll_min = 3\n", ":1:", "no section" },
		{ "[hub]\n\n\npoll_min = many\n", ":4:", "number from 1 to" },
		{ "[hub]\npoll_min = 0\n", ":2:", "number from 1 to" },
		{ "[log]\nkeep_days = -1\n", ":2:", "number from 0 to" },
		{ "[log]\nkeep-days = 1\n", ":2:", "did you mean keep_days" },
		{ "[hub]\npoll_min = 99999999999999999999\n", ":2:", "number from 1 to" },
		{ "[mqtt]\ntls = perhaps\n", ":2:", "yes or no" },
		{ "[mqtt]\ndiscovery = devic\n", ":2:", "device|single|off" },
		{ "[mqtt]\nca_file = ca.pem\n", ":2:", "absolute path" },
		{ "[hub]\npoll_min = 3\npoll_min = 4\n", ":3:", "twice" },
		{ "[hub]\nthis is no key\n", ":2:", "neither" },
		{ "[hub]\nname = a\033[31mb\n", ":2:", "printable" },
	};
	struct conf conf;

	(void) state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *error = first_error(rows[i].text, &conf);

		if (strstr(error, rows[i].line) == NULL || strstr(error, rows[i].cure) == NULL) {
			fail_msg("row %zu: \"%s\" lacks \"%s\" or \"%s\"", i, error, rows[i].line,
				rows[i].cure);
		}
	}
}

/* inih alone would cut it at 200 octets without a word. */
static void long_lines_are_refused_not_cut(void **state) {
	char text[3000] = "[hub]\nname = ";
	struct conf conf;

	(void) state;
	memset(text + 13, 'x', 2000);
	strcpy(text + 2013, "\npol_min = 3\n");
	assert_non_null(strstr(first_error(text, &conf), ":2:"));
	text[13 + 250] = '\n';
	text[13 + 251] = '\0';
	assert_string_equal(first_error(text, &conf), "");
	assert_int_equal(strlen(conf.hub.name), 250);
}

static void all_mistakes_are_listed_at_once(void **state) {
	char *text = NULL;
	size_t n = 0;
	FILE *errors = open_memstream(&text, &n);
	struct fault fault;
	struct conf conf;

	(void) state;
	write_file(path, "[hub]\npoll_min = x\n[mqtt]\nport = y\n");
	conf_defaults(&conf);
	assert_true(conf_read(&conf, path, false, errors, &fault) < 0);
	(void) fclose(errors);
	assert_non_null(strstr(text, ":2:"));
	assert_non_null(strstr(text, ":4:"));
	free(text);
}

static void drop_ins_come_in_order(void **state) {
	char name[160];
	struct conf conf;

	(void) state;
	(void) snprintf(name, sizeof(name), "%s.d", path);
	assert_int_equal(mkdir(name, 0700), 0);
	(void) snprintf(name, sizeof(name), "%s.d/20.conf", path);
	write_file(name, "[hub]\npoll_min = 20\n");
	(void) snprintf(name, sizeof(name), "%s.d/10.conf", path);
	write_file(name, "[hub]\npoll_min = 10\nbattery_h = 10\n");
	(void) snprintf(name, sizeof(name), "%s.d/30.conf.off", path);
	write_file(name, "nonsense\n");
	assert_string_equal(first_error("[hub]\npoll_min = 5\n", &conf), "");
	assert_int_equal(conf.hub.poll_min, 20);
	assert_int_equal(conf.hub.battery_h, 10);
	(void) snprintf(name, sizeof(name), "%s.d/20.conf", path);
	write_file(name, "[hub]\n\npoll_mn = 20\n");
	assert_non_null(strstr(first_error("", &conf), "20.conf:3:"));
	(void) unlink(name);
}

static void missing_file_is_fine_only_when_optional(void **state) {
	struct fault fault;
	struct conf conf;

	(void) state;
	conf_defaults(&conf);
	assert_int_equal(conf_read(&conf, "/nonexistent/lockhubd.conf", true, NULL, &fault), 0);
	assert_true(conf_read(&conf, "/nonexistent/lockhubd.conf", false, NULL, &fault) < 0);
	assert_non_null(strstr(fault.detail, "/nonexistent/lockhubd.conf"));
}

/* The sample, with every remark taken away from its keys, is a valid configuration. */
static void printed_sample_reads_back(void **state) {
	char *text = NULL;
	char *at;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);
	struct conf conf;
	struct conf plain;

	(void) state;
	conf_print(out);
	(void) fclose(out);
	for (at = text; (at = strstr(at, "\n#")) != NULL; at++) {
		if (at[2] != ' ') {
			at[1] = ' ';
		}
	}
	conf_defaults(&plain);
	assert_string_equal(first_error(text, &conf), "");
	assert_string_equal(conf.mqtt.ha_status_topic, plain.mqtt.ha_status_topic);
	assert_int_equal(conf.ble.watch_every_ms, plain.ble.watch_every_ms);
	free(text);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_hold),
		cmocka_unit_test(values_arrive),
		cmocka_unit_test(mistakes_name_line_and_cure),
		cmocka_unit_test(long_lines_are_refused_not_cut),
		cmocka_unit_test(all_mistakes_are_listed_at_once),
		cmocka_unit_test(missing_file_is_fine_only_when_optional),
		cmocka_unit_test(printed_sample_reads_back),
		cmocka_unit_test(drop_ins_come_in_order),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
