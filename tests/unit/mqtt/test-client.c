/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Connections that do not come about, and whether the reason is told right. */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rig.h"

static int setup(void **state) {
	struct rig *rig = calloc(1, sizeof(*rig));

	assert_non_null(rig);
	rig_init(rig);
	*state = rig;
	return 0;
}

static int teardown(void **state) {
	rig_finish(*state);
	free(*state);
	return 0;
}

static void use_tcp(struct rig *rig, const char *host) {
	rig->config.host = host;
	rig->config.port = rig->broker.port;
}

/* A CA, a server certificate for the name, and another CA that has signed nothing of it. */
static void make_certificates(struct rig *rig, const char *name) {
	char command[900];

	(void) snprintf(command, sizeof(command),
		"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout ca.key -out ca.crt "
		"-subj '/CN=Test CA' && "
		"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout other.key "
		"-out other.crt -subj '/CN=Other CA' && "
		"openssl req -newkey rsa:2048 -nodes -keyout server.key -out server.csr "
		"-subj '/CN=%s' && "
		"printf 'subjectAltName=%s' >ext && "
		"openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial "
		"-days 2 -out server.crt -extfile ext",
		name, strcmp(name, "localhost") == 0 ? "DNS:localhost" : "DNS:elsewhere.test");
	broker_shell(&rig->broker, command);
	rig->broker.is_tls = true;
}

static char path[2][128];

static const char *in_folder(const struct rig *rig, const char *name, unsigned which) {
	(void) snprintf(path[which], sizeof(path[which]), "%s/%s", rig->broker.folder, name);
	return path[which];
}

static void expect_fault(struct rig *rig, enum fault_code code) {
	rig_until(rig, mqtt_status(rig->mqtt)->fault.code != FAULT_NONE);
	print_message("# %s: %s\n", fault_name(mqtt_status(rig->mqtt)->fault.code),
		mqtt_status(rig->mqtt)->fault.detail);
	assert_int_equal(mqtt_status(rig->mqtt)->fault.code, code);
	assert_false(mqtt_status(rig->mqtt)->is_online);
}

static void nobody_there(void **state) {
	struct rig *rig = *state;

	use_tcp(rig, "127.0.0.1");
	rig_mqtt(rig);
	expect_fault(rig, FAULT_BROKER_UNREACHABLE);
	assert_non_null(strstr(mqtt_status(rig->mqtt)->fault.detail, "refused"));
	/* It comes later: then it is found without a word from anybody. */
	broker_start(&rig->broker);
	rig_until(rig, mqtt_status(rig->mqtt)->is_online);
	assert_int_equal(mqtt_status(rig->mqtt)->fault.code, FAULT_NONE);
}

static void no_such_socket(void **state) {
	struct rig *rig = *state;

	rig_mqtt(rig);
	expect_fault(rig, FAULT_BROKER_UNREACHABLE);
}

static void no_such_name(void **state) {
	struct rig *rig = *state;

	use_tcp(rig, "broker.invalid");
	rig->config.is_insecure = true;
	rig_mqtt(rig);
	expect_fault(rig, FAULT_BROKER_NAME);
}

/* "localhost" may be ::1 first, where this broker does not listen. */
static void other_family_is_tried(void **state) {
	struct rig *rig = *state;

	broker_start(&rig->broker);
	use_tcp(rig, "localhost");
	rig_mqtt(rig);
	rig_until(rig, mqtt_status(rig->mqtt)->is_online);
}

static void wrong_password(void **state) {
	struct rig *rig = *state;
	char lines[160];

	broker_write(&rig->broker, "empty", "");
	broker_shell(&rig->broker, "mosquitto_passwd -b -c passwd hub right");
	(void) snprintf(lines, sizeof(lines), "allow_anonymous false\npassword_file %s/passwd",
		rig->broker.folder);
	(void) strcpy(rig->broker.users, lines);
	broker_start(&rig->broker);
	use_tcp(rig, "127.0.0.1");
	rig->config.username = "hub";
	(void) secret_set_text(&rig->config.password, "wrong");
	rig_mqtt(rig);
	expect_fault(rig, FAULT_BROKER_REFUSED);
	rig->mqtt = mqtt_free(rig->mqtt);
	(void) secret_set_text(&rig->config.password, "right");
	rig_mqtt(rig);
	rig_until(rig, mqtt_status(rig->mqtt)->is_online);
}

static void denied_by_access_list(void **state) {
	struct rig *rig = *state;
	char lines[160];

	(void) snprintf(
		lines, sizeof(lines), "allow_anonymous true\nacl_file %s/acl", rig->broker.folder);
	(void) strcpy(rig->broker.users, lines);
	/* Publishing without reading back: acknowledged, but nothing comes, commands neither. */
	broker_write(&rig->broker, "acl", "topic write #\n");
	broker_start(&rig->broker);
	use_tcp(rig, "127.0.0.1");
	rig_mqtt(rig);
	rig_until(rig, mqtt_status(rig->mqtt)->fault.code == FAULT_BROKER_DENIED);
	assert_true(mqtt_status(rig->mqtt)->is_connected);
	rig->mqtt = mqtt_free(rig->mqtt);
	broker_stop(&rig->broker, SIGTERM);
	/* The other way round: mosquitto acknowledges what it throws away. */
	broker_write(&rig->broker, "acl", "topic read #\n");
	broker_start(&rig->broker);
	rig_mqtt(rig);
	rig_until(rig, mqtt_status(rig->mqtt)->fault.code == FAULT_BROKER_DENIED);
}

/* The list that docs/mqtt.md recommends, as it stands there. */
static void copy_sample_list(const struct rig *rig) {
	const char *root = getenv("LOCKHUB_SOURCE_ROOT");
	static char text[64 * 1024];
	char name[512];

	(void) snprintf(name, sizeof(name), "%s/docs/mqtt.md", root != NULL ? root : ".");
	FILE *file = fopen(name, "re");
	assert_non_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	(void) fclose(file);
	char *start = strstr(text, "user lockhub\n");
	assert_non_null(start);
	char *end = strstr(start, "```");
	assert_non_null(end);
	*end = '\0';
	broker_write(&rig->broker, "acl", start);
}

static void sample_access_list_is_enough(void **state) {
	struct rig *rig = *state;

	copy_sample_list(rig);
	broker_shell(&rig->broker, "mosquitto_passwd -b -c passwd lockhub a && "
				   "mosquitto_passwd -b passwd homeassistant b && "
				   "mosquitto_passwd -b passwd guest c");
	(void) snprintf(rig->broker.users, sizeof(rig->broker.users),
		"allow_anonymous false\npassword_file %s/passwd\nacl_file %s/acl",
		rig->broker.folder, rig->broker.folder);
	broker_start(&rig->broker);
	use_tcp(rig, "127.0.0.1");
	rig->config.username = "lockhub";
	(void) secret_set_text(&rig->config.password, "a");
	rig_mqtt(rig);
	hub_start(rig->hub);
	rig_until(rig, mqtt_status(rig->mqtt)->is_online);
	rig_wait_ms(rig, 5500); /* `online` came back */
	assert_int_equal(mqtt_status(rig->mqtt)->fault.code, FAULT_NONE);
	char command[400];
	(void) snprintf(command, sizeof(command),
		"P='-h 127.0.0.1 -p %u -q 1 -t lockhub/" RIG_LOCK "/lock/set -m LOCK'; "
		"mosquitto_pub $P -u guest -P c; mosquitto_pub $P -u lockhub -P a; "
		"grep -c 'Denied PUBLISH' log | grep -qx 2 && "
		"mosquitto_pub $P -u homeassistant -P b",
		rig->broker.port);
	broker_shell(&rig->broker, command);
	rig_until(rig, rig->fake.n_motor == 1);
	assert_int_equal(mqtt_status(rig->mqtt)->commands, 1);
}

static void tls_works(void **state) {
	struct rig *rig = *state;

	make_certificates(rig, "localhost");
	broker_start(&rig->broker);
	use_tcp(rig, "localhost");
	rig->config.is_tls = true;
	rig->config.ca_file = in_folder(rig, "ca.crt", 0);
	rig_mqtt(rig);
	hub_start(rig->hub);
	rig_until(rig, mqtt_status(rig->mqtt)->is_online);
	rig_stop_mqtt(rig);
}

static void tls_wrong_name(void **state) {
	struct rig *rig = *state;

	make_certificates(rig, "elsewhere.test");
	broker_start(&rig->broker);
	use_tcp(rig, "localhost");
	rig->config.is_tls = true;
	rig->config.ca_file = in_folder(rig, "ca.crt", 0);
	rig_mqtt(rig);
	expect_fault(rig, FAULT_BROKER_WRONG_NAME);
	assert_non_null(strstr(
		mqtt_status(rig->mqtt)->fault.detail, "is for elsewhere.test, not for localhost"));
}

static void tls_unknown_signer(void **state) {
	struct rig *rig = *state;

	make_certificates(rig, "localhost");
	broker_start(&rig->broker);
	use_tcp(rig, "localhost");
	rig->config.is_tls = true;
	rig->config.ca_file = in_folder(rig, "other.crt", 0);
	rig_mqtt(rig);
	expect_fault(rig, FAULT_BROKER_TLS);
	rig->mqtt = mqtt_free(rig->mqtt);
	rig->config.ca_file = NULL; /* the system's: they do not know it either */
	rig_mqtt(rig);
	expect_fault(rig, FAULT_BROKER_TLS);
	rig->mqtt = mqtt_free(rig->mqtt);
	rig->config.ca_file = "/nonexistent/ca.crt";
	rig_mqtt(rig);
	expect_fault(rig, FAULT_BROKER_TLS);
	assert_non_null(strstr(mqtt_status(rig->mqtt)->fault.detail, "/nonexistent/ca.crt"));
}

/* The library would turn for ever on the end of the stream. */
static void tls_to_plain_port(void **state) {
	struct rig *rig = *state;

	broker_start(&rig->broker);
	use_tcp(rig, "127.0.0.1");
	rig->config.is_tls = true;
	rig_mqtt(rig);
	expect_fault(rig, FAULT_BROKER_TLS);
	uint64_t turns = loop_turns(rig->loop);
	int64_t start = rig_ms();
	rig_wait_ms(rig, 300);
	/* The rig itself turns once every 2 ms. */
	assert_in_range(loop_turns(rig->loop) - turns, 0, (uintmax_t) (rig_ms() - start) + 50);
}

static void plain_to_tls_port(void **state) {
	struct rig *rig = *state;

	make_certificates(rig, "localhost");
	broker_start(&rig->broker);
	use_tcp(rig, "127.0.0.1");
	rig_mqtt(rig);
	expect_fault(rig, FAULT_BROKER_UNREACHABLE);
	assert_non_null(strstr(mqtt_status(rig->mqtt)->fault.detail, "expect TLS"));
}

/* An address that never answers (TEST-NET-3), given up at once in every stage. */
static void stops_while_connecting(void **state) {
	struct rig *rig = *state;

	rig->config.host = "203.0.113.1";
	rig->config.is_insecure = true;
	rig_mqtt(rig);
	int64_t start = rig_ms();
	rig_stop_mqtt(rig);
	rig_mqtt(rig);
	rig->mqtt = mqtt_free(rig->mqtt);
	rig_mqtt(rig);
	rig_wait_ms(rig, 100);
	rig->mqtt = mqtt_free(rig->mqtt);
	rig->config.host = "broker.invalid";
	rig_mqtt(rig);
	rig_turn(rig);
	rig->mqtt = mqtt_free(rig->mqtt);
	assert_in_range(rig_ms() - start, 0, 20000);
}

static void plain_is_for_this_machine(void **state) {
	struct rig *rig = *state;
	static const struct {
		const char *host;
		bool is_good;
	} rows[] = { { "localhost", true }, { "127.0.0.1", true }, { "127.8.0.1", true },
		{ "::1", true }, { "/run/mosquitto.sock", true }, { "192.168.1.2", false },
		{ "broker.local", false }, { "localhost.evil.test", false }, { "10.0.0.1", false },
		{ "::ffff:127.0.0.1", false } };
	struct fault fault;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		rig->config.host = rows[i].host;
		rig->config.is_insecure = false;
		assert_int_equal(mqtt_config_check(&rig->config, &fault) == 0, rows[i].is_good);
		rig->config.is_insecure = true;
		assert_int_equal(mqtt_config_check(&rig->config, &fault), 0);
	}
}

static void bad_configurations(void **state) {
	struct rig *rig = *state;
	const struct mqtt_config good = rig->config;
	struct fault fault;

#define BAD(change)                                                                                \
	do {                                                                                       \
		struct mqtt_config c = good;                                                       \
		change;                                                                            \
		assert_true(mqtt_config_check(&c, &fault) < 0);                                    \
		assert_int_equal(fault.code, FAULT_CONFIG_INVALID);                                \
		assert_true(fault.detail[0] != '\0');                                              \
	} while (0)
	assert_int_equal(mqtt_config_check(&good, &fault), 0);
	BAD(c.host = NULL);
	BAD(c.host = "");
	BAD(c.host = "a\nb");
	BAD(c.port = 65536);
	BAD(c.is_tls = true); /* on a UNIX socket */
	BAD(c.ca_file = "/x");
	BAD(c.client_id = "");
	BAD(c.hub_id = "a b");
	BAD(c.hub_id = NULL);
	BAD(c.base = "");
	BAD(c.base = "a/#");
	BAD(c.base = "/a");
	BAD(c.base = "a//b");
	BAD(c.base = "$SYS");
	BAD(c.prefix = "home+assistant");
	BAD(c.ha_status = "a/+");
	BAD(c.discovery = MQTT_DISCOVERY_UNKNOWN);
	BAD(c.protocol = MQTT_PROTOCOL_UNKNOWN);
	BAD(c.keepalive_s = 0);
	BAD(c.keepalive_s = 601);
	BAD((void) secret_set_text(&c.password, "x"));
}

int main(void) {
	const struct CMUnitTest tests[] = {
#define RIG_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		RIG_TEST(nobody_there),
		RIG_TEST(no_such_socket),
		RIG_TEST(no_such_name),
		RIG_TEST(other_family_is_tried),
		RIG_TEST(wrong_password),
		RIG_TEST(denied_by_access_list),
		RIG_TEST(sample_access_list_is_enough),
		RIG_TEST(tls_works),
		RIG_TEST(tls_wrong_name),
		RIG_TEST(tls_unknown_signer),
		RIG_TEST(tls_to_plain_port),
		RIG_TEST(plain_to_tls_port),
		RIG_TEST(stops_while_connecting),
		RIG_TEST(plain_is_for_this_machine),
		RIG_TEST(bad_configurations),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
