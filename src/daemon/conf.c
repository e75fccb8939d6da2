/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conf.h"

#include <dirent.h>
#include <errno.h>
#include <ini.h>
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "util/auto.h"
#include "util/text.h"

#define LINE_MAX_ 1024
#define FILES_MAX 64
#define KEYS_MAX 64

enum conf_type { CONF_TEXT, CONF_PATH, CONF_NUMBER, CONF_BOOL, CONF_CHOICE };

struct conf_key {
	const char *section;
	const char *name;
	enum conf_type type;
	size_t offset;
	const char *value;   /* default, as it would stand in the file */
	unsigned min, max;   /* CONF_NUMBER */
	const char *choices; /* CONF_CHOICE: separated by '|' */
	const char *help;
};

#define AT(field) offsetof(struct conf, field)

/* clang-format off */
static const struct conf_key keys[] = {
	{ "hub", "name", CONF_TEXT, AT(hub.name), "lockhub", 0, 0, NULL,
		"Name under which this hub appears at locks and in Home Assistant" },
	{ "hub", "unreachable_min", CONF_NUMBER, AT(hub.unreachable_min), "15", 1, 10080, NULL,
		"Minutes of silence after which a lock counts as out of reach" },
	{ "hub", "poll_min", CONF_NUMBER, AT(hub.poll_min), "30", 1, 10080, NULL,
		"Minutes between two looks at a lock that does not announce its changes" },
	{ "hub", "battery_h", CONF_NUMBER, AT(hub.battery_h), "24", 1, 720, NULL,
		"Hours between two battery reports" },
	{ "hub", "import_log", CONF_BOOL, AT(hub.import_log), "yes", 0, 0, NULL,
		"Import the lock's own log (needs its PIN)" },
	{ "hub", "set_clocks", CONF_BOOL, AT(hub.set_clocks), "yes", 0, 0, NULL,
		"Set a lock's clock when it is wrong by more than a minute (needs its PIN)" },
	{ "hub", "time_zone", CONF_TEXT, AT(hub.time_zone), "", 0, 0, NULL,
		"Time zone of schedules, e.g. Europe/Berlin; empty: the machine's own" },

	{ "ble", "adapter", CONF_TEXT, AT(ble.adapter), "", 0, 0, NULL,
		"Address of the only Bluetooth adapter to use, e.g. 00:1A:7D:DA:71:13; empty: all" },
	{ "ble", "slots", CONF_NUMBER, AT(ble.slots), "0", 0, 16, NULL,
		"Links per adapter at the same time; 0: what suits its kind" },
	{ "ble", "linger_ms", CONF_NUMBER, AT(ble.linger_ms), "3000", 100, 20000, NULL,
		"How long a link is kept after the last word; longer drains the lock" },
	{ "ble", "watch_ms", CONF_NUMBER, AT(ble.watch_ms), "10000", 1000, 60000, NULL,
		"Length of a window in which advertisements are listened to" },
	{ "ble", "watch_every_ms", CONF_NUMBER, AT(ble.watch_every_ms), "60000", 1000, 3600000, NULL,
		"Time from the begin of one window to the next" },
	{ "ble", "sole_user", CONF_BOOL, AT(ble.sole_user), "no", 0, 0, NULL,
		"Nobody else uses the adapters: lockhub may switch one off and on when it hangs" },
	{ "ble", "restart_service", CONF_BOOL, AT(ble.restart_service), "no", 0, 0, NULL,
		"lockhub may restart bluetooth.service when BlueZ hangs; needs bluetooth-restart.rules" },
	{ "ble", "time_percent", CONF_NUMBER, AT(ble.time_percent), "100", 1, 1000, NULL,
		"For tests only: all radio deadlines shrink to this many percent" },

	{ "mqtt", "host", CONF_TEXT, AT(mqtt.host), "", 0, 0, NULL,
		"Broker: name, address or path of a UNIX socket; empty: no MQTT" },
	{ "mqtt", "port", CONF_NUMBER, AT(mqtt.port), "0", 0, 65535, NULL,
		"0: 8883 with TLS, 1883 without; 0 for a UNIX socket" },
	{ "mqtt", "username", CONF_TEXT, AT(mqtt.username), "", 0, 0, NULL,
		"User at the broker; empty: none" },
	{ "mqtt", "password_file", CONF_PATH, AT(mqtt.password_file), "", 0, 0, NULL,
		"File with the password; empty: the systemd credential mqtt-password, if any" },
	{ "mqtt", "tls", CONF_BOOL, AT(mqtt.tls), "no", 0, 0, NULL,
		"Encrypt, and check the broker's name" },
	{ "mqtt", "insecure", CONF_BOOL, AT(mqtt.insecure), "no", 0, 0, NULL,
		"Allow plain TCP to another machine: everybody on the network can then open the doors" },
	{ "mqtt", "ca_file", CONF_PATH, AT(mqtt.ca_file), "", 0, 0, NULL,
		"Certificates to trust; empty: the system's" },
	{ "mqtt", "cert_file", CONF_PATH, AT(mqtt.cert_file), "", 0, 0, NULL,
		"Our own certificate; empty: none" },
	{ "mqtt", "key_file", CONF_PATH, AT(mqtt.key_file), "", 0, 0, NULL,
		"Its key; empty: the systemd credential mqtt-key, if any" },
	{ "mqtt", "base", CONF_TEXT, AT(mqtt.base), "lockhub", 0, 0, NULL,
		"First part of all topics; a second hub needs another" },
	{ "mqtt", "discovery", CONF_CHOICE, AT(mqtt.discovery), "device", 0, 0, "device|single|off",
		"How locks are introduced to Home Assistant: device (2024.11 and later), single, off" },
	{ "mqtt", "discovery_prefix", CONF_TEXT, AT(mqtt.discovery_prefix), "homeassistant", 0, 0, NULL,
		"Home Assistant's discovery prefix" },
	{ "mqtt", "ha_status_topic", CONF_TEXT, AT(mqtt.ha_status_topic), "homeassistant/status", 0, 0,
		NULL, "Topic of Home Assistant's birth message; empty: none" },
	{ "mqtt", "protocol", CONF_CHOICE, AT(mqtt.protocol), "auto", 0, 0, "auto|3.1.1|5",
		"Version of MQTT; auto: 5, and 3.1.1 with a broker that does not know it" },
	{ "mqtt", "keepalive_s", CONF_NUMBER, AT(mqtt.keepalive_s), "20", 5, 600, NULL,
		"Seconds of silence after which the broker is asked whether it is there" },
	{ "mqtt", "clear_retained", CONF_BOOL, AT(mqtt.clear_retained), "yes", 0, 0, NULL,
		"Empty a command topic on which somebody has left a retained command" },
	{ "mqtt", "commands", CONF_BOOL, AT(mqtt.commands), "yes", 0, 0, NULL,
		"Take commands from the broker at all" },
	{ "mqtt", "publish_users", CONF_BOOL, AT(mqtt.publish_users), "yes", 0, 0, NULL,
		"Publish the names of people in events" },
	{ "mqtt", "keep_discovery", CONF_BOOL, AT(mqtt.keep_discovery), "yes", 0, 0, NULL,
		"Publish a lock again when somebody deletes its discovery message" },
	{ "mqtt", "user_switches", CONF_BOOL, AT(mqtt.user_switches), "no", 0, 0, NULL,
		"A switch in Home Assistant for each user: who can press it decides who gets in" },
	{ "mqtt", "maintenance", CONF_BOOL, AT(mqtt.maintenance), "no", 0, 0, NULL,
		"Buttons in Home Assistant that restart a lock and calibrate it, which moves its bolt" },
	{ "mqtt", "requests", CONF_CHOICE, AT(mqtt.requests), "none", 0, 0, "none|read|maintain|admin",
		"What others on the broker may ask of the hub: nothing, what it knows (read), checks, "
		"backups and restarts (maintain), also to rename, remove and pair locks (admin)" },
	{ "mqtt", "settings", CONF_BOOL, AT(mqtt.settings), "yes", 0, 0, NULL,
		"Change settings of locks by MQTT; what decides who gets in also needs maintenance" },
	{ "mqtt", "pin_code_base", CONF_TEXT, AT(mqtt.pin_code_base), "", 0, 0, NULL,
		"Take codes as zigbee2mqtt does, for code managers, under this topic; empty: no" },

	{ "policy", "mqtt_unlock", CONF_BOOL, AT(policy.mqtt_unlock), "yes", 0, 0, NULL,
		"Allow unlock and unlatch by MQTT; locking is always allowed" },
	{ "policy", "max_age_s", CONF_NUMBER, AT(policy.max_age_s), "30", 1, 600, NULL,
		"Commands that their sender's clock says are older than this are refused" },

	{ "log", "keep_days", CONF_NUMBER, AT(log.keep_days), "0", 0, 36500, NULL,
		"Days after which events are taken away from the log for good; 0: they are kept for ever" },

	{ "backup", "daily", CONF_BOOL, AT(backup.daily), "yes", 0, 0, NULL,
		"Make an encrypted backup each day on which something has changed" },
	{ "backup", "keep", CONF_NUMBER, AT(backup.keep), "3", 1, 30, NULL,
		"How many of the daily ones are kept" },
	{ "backup", "folder", CONF_PATH, AT(backup.folder), "", 0, 0, NULL,
		"Where they are kept; another disk is safer; empty: the folder backup beside the database" },

	{ "api", "group", CONF_TEXT, AT(api.group), "lockhub", 0, 0, NULL,
		"Group whose members may view and operate where there is no polkit" },
};
/* clang-format on */

_Static_assert(ARRAY_SIZE(keys) <= KEYS_MAX, "is_set is too small");

struct conf_reader {
	struct conf *conf;
	const char *path;
	FILE *file;
	FILE *errors;
	struct fault *ret_fault;
	unsigned line;
	unsigned n_errors;
	bool is_line_too_long;
	bool is_set[KEYS_MAX]; /* in this file */
};

static void complain(struct conf_reader *reader, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void complain(struct conf_reader *reader, const char *format, ...) {
	char text[FAULT_DETAIL_MAX];
	va_list args;

	va_start(args, format);
	(void) vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (reader->errors != NULL) {
		(void) fprintf(reader->errors, "%s:%u: %s\n", reader->path, reader->line, text);
	}
	if (reader->n_errors++ == 0) {
		(void) fault_set(reader->ret_fault, FAULT_CONFIG_INVALID, "%s:%u: %s", reader->path,
			reader->line, text);
	}
}

static bool is_section(const char *name) {
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (text_equal(keys[i].section, name)) {
			return true;
		}
	}
	return false;
}

static void unknown_section(struct conf_reader *reader, const char *section) {
	const char *names[ARRAY_SIZE(keys)];
	const char *nearest;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		names[i] = keys[i].section;
	}
	nearest = text_nearest(section, names, ARRAY_SIZE(keys));
	if (section[0] == '\0') {
		complain(reader,
			"this line belongs to no section; put it below [hub], [ble], [mqtt] ...");
	} else if (nearest != NULL) {
		complain(reader, "unknown section [%s]; did you mean [%s]?", section, nearest);
	} else {
		complain(reader, "unknown section [%s]; there are hub, ble, mqtt, policy, api",
			section);
	}
}

static void unknown_key(struct conf_reader *reader, const char *section, const char *name) {
	const char *names[ARRAY_SIZE(keys)] = { NULL };
	const char *nearest;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (text_equal(keys[i].section, section)) {
			names[i] = keys[i].name;
		}
	}
	nearest = text_nearest(name, names, ARRAY_SIZE(keys));
	if (nearest != NULL) {
		complain(
			reader, "unknown key %s in [%s]; did you mean %s?", name, section, nearest);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (text_equal(keys[i].name, name)) {
			complain(reader, "unknown key %s in [%s]; it belongs into [%s]", name,
				section, keys[i].section);
			return;
		}
	}
	complain(reader, "unknown key %s in [%s]; see lockhubd.conf(5)", name, section);
}

static int to_bool(const char *value, bool *ret) {
	static const struct name_row words[] = { { 1, "yes" }, { 0, "no" }, { 1, "true" },
		{ 0, "false" }, { 1, "on" }, { 0, "off" }, { 1, "1" }, { 0, "0" } };
	int number;

	if (name_to(words, ARRAY_SIZE(words), value, &number) < 0) {
		return -EINVAL;
	}
	*ret = number != 0;
	return 0;
}

static bool is_choice(const char *choices, const char *value) {
	size_t n = strlen(value);

	for (const char *at = choices; at != NULL && n > 0; at = strchr(at, '|')) {
		at += *at == '|';
		if (strncmp(at, value, n) == 0 && (at[n] == '|' || at[n] == '\0')) {
			return true;
		}
	}
	return false;
}

static void set_text(struct conf_reader *reader, const struct conf_key *key, const char *value) {
	char *out = (char *) reader->conf + key->offset;

	if (!text_is_clean(value, strlen(value))) {
		complain(reader, "%s has characters that are not printable text", key->name);
	} else if (key->type == CONF_PATH && value[0] != '\0' && value[0] != '/') {
		complain(reader, "%s must be an absolute path", key->name);
	} else if (key->type == CONF_CHOICE && !is_choice(key->choices, value)) {
		complain(reader, "%s must be one of %s", key->name, key->choices);
	} else if (!text_copy(out, CONF_TEXT_MAX, value)) {
		complain(reader, "%s is longer than %d characters", key->name, CONF_TEXT_MAX - 1);
	}
}

static void set_value(struct conf_reader *reader, const struct conf_key *key, const char *value) {
	char *at = (char *) reader->conf + key->offset;
	uint64_t number;
	bool is_on;

	switch (key->type) {
	case CONF_NUMBER:
		if (text_to_u64(value, key->min, key->max, &number) < 0) {
			complain(reader, "%s must be a number from %u to %u, not \"%.40s\"",
				key->name, key->min, key->max, value);
		} else {
			*(unsigned *) (void *) at = (unsigned) number;
		}
		break;
	case CONF_BOOL:
		if (to_bool(value, &is_on) < 0) {
			complain(reader, "%s must be yes or no, not \"%.40s\"", key->name, value);
		} else {
			*(bool *) at = is_on;
		}
		break;
	case CONF_TEXT:
	case CONF_PATH:
	case CONF_CHOICE:
		set_text(reader, key, value);
		break;
	}
}

/* inih calls this for each key. Non-zero: go on; errors are collected by complain(). */
static int on_key(void *user, const char *section, const char *name, const char *value) {
	struct conf_reader *reader = user;

	if (reader->is_line_too_long) {
		reader->is_line_too_long = false;
		return 1;
	}
	if (!is_section(section)) {
		unknown_section(reader, section);
		return 1;
	}
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (!text_equal(keys[i].section, section) || !text_equal(keys[i].name, name)) {
			continue;
		}
		if (reader->is_set[i]) {
			complain(reader, "%s stands twice in [%s] of this file", name, section);
			return 1;
		}
		reader->is_set[i] = true;
		set_value(reader, &keys[i], value);
		return 1;
	}
	unknown_key(reader, section, name);
	return 1;
}

/*
 * inih's handler is not told the line, and its own reader cuts long lines without a word: this one
 * counts, and refuses what does not fit.
 */
static char *read_line(char *out, int size, void *stream) {
	struct conf_reader *reader = stream;
	int c;

	if (fgets(out, size, reader->file) == NULL) {
		return NULL;
	}
	reader->line++;
	if (strchr(out, '\n') == NULL && !feof(reader->file)) {
		complain(reader, "this line is longer than %d characters", size - 2);
		reader->is_line_too_long = true;
		do {
			c = fgetc(reader->file);
		} while (c != '\n' && c != EOF);
	}
	return out;
}

static int read_file(struct conf *conf, const char *path, bool is_optional, FILE *errors,
	struct fault *ret_fault) {
	struct conf_reader reader = {
		.conf = conf, .path = path, .errors = errors, .ret_fault = ret_fault
	};
	int r;

	reader.file = fopen(path, "re");
	if (reader.file == NULL) {
		if (errno == ENOENT && is_optional) {
			return 0;
		}
		r = -errno;
		if (errors != NULL) {
			(void) fprintf(errors, "%s: %s\n", path, strerror(-r));
		}
		return fault_set_errno(ret_fault, FAULT_CONFIG_INVALID, r, "%s", path);
	}
	r = ini_parse_stream(read_line, &reader, on_key, &reader);
	(void) fclose(reader.file);
	if (r > 0 && reader.n_errors == 0) {
		reader.line = (unsigned) r;
		complain(&reader, "neither a [section], nor key = value, nor a # comment");
	} else if (r < 0) {
		complain(&reader, "cannot be read");
	}
	return reader.n_errors == 0 ? 0 : fault_errno(FAULT_CONFIG_INVALID);
}

static int is_conf_file(const struct dirent *entry) {
	size_t n = strlen(entry->d_name);

	return n > 5 && entry->d_name[0] != '.' && strcmp(entry->d_name + n - 5, ".conf") == 0;
}

static int read_drop_ins(
	struct conf *conf, const char *path, FILE *errors, struct fault *ret_fault) {
	char folder[PATH_MAX];
	char file[PATH_MAX + 300];
	struct dirent **entries = NULL;
	int first = 0;
	int n;

	(void) snprintf(folder, sizeof(folder), "%s.d", path);
	n = scandir(folder, &entries, is_conf_file, alphasort);
	for (int i = 0; i < n; i++) {
		int r;

		(void) snprintf(file, sizeof(file), "%s/%s", folder, entries[i]->d_name);
		r = read_file(conf, file, false, errors, first < 0 ? NULL : ret_fault);
		first = first < 0 ? first : r;
		free(entries[i]);
	}
	free(entries);
	return first;
}

int conf_read(struct conf *conf, const char *path, bool is_optional, FILE *errors,
	struct fault *ret_fault) {
	int r;
	int r_drop_ins;

	/* Debian's inih has these as variables; its stack buffer would be 200 octets. */
	ini_use_stack = false;
	ini_initial_alloc = LINE_MAX_;
	ini_max_line = LINE_MAX_;
	ini_allow_multiline = false;
	ini_allow_inline_comments = false;
	r = read_file(conf, path, is_optional, errors, ret_fault);
	r_drop_ins = read_drop_ins(conf, path, errors, r < 0 ? NULL : ret_fault);
	return r < 0 ? r : r_drop_ins;
}

void conf_defaults(struct conf *conf) {
	struct conf_reader reader = { .conf = conf };

	memset(conf, 0, sizeof(*conf));
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		set_value(&reader, &keys[i], keys[i].value);
	}
}

void conf_print(FILE *out) {
	const char *section = "";

	(void) fprintf(out,
		"# lockhubd.conf: see lockhubd.conf(5). Every key is shown with its default.\n"
		"# Check a change with: lockhubd --check-config\n");
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (!text_equal(section, keys[i].section)) {
			section = keys[i].section;
			(void) fprintf(out, "\n[%s]\n", section);
		}
		(void) fprintf(out, "# %s\n#%s = %s\n", keys[i].help, keys[i].name, keys[i].value);
	}
}
