/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Asking for entries of the log, and writing them as CSV. */

#include "room.h"

#include <string.h>

static int append_time(struct ctl *ctl, sd_bus_message *call, const char *key, const char *text) {
	int64_t seconds;
	if (text == NULL) {
		return CTL_DONE;
	}
	if (moment_parse(text, moment_now(), &seconds) < 0 || seconds < 0) {
		return usage_error(ctl,
			"--%s '%s' is not a time; such are: \"2026-11-22 10:00\", 10:00, today, "
			"yesterday, \"2h ago\", -30min",
			key, text);
	}
	return sd_bus_message_append(call, "{sv}", key, "x", seconds) < 0 ? CTL_FAILED : CTL_DONE;
}

static int append_text(sd_bus_message *call, const char *key, const char *text) {
	return text == NULL || sd_bus_message_append(call, "{sv}", key, "s", text) >= 0
		       ? CTL_DONE
		       : CTL_FAILED;
}

static int append_number(sd_bus_message *call, const char *key, int64_t number) {
	return number == 0 || sd_bus_message_append(call, "{sv}", key, "x", number) >= 0
		       ? CTL_DONE
		       : CTL_FAILED;
}

static int fill_query(struct ctl *ctl, sd_bus_message *call, const char *lock, int64_t limit,
	int64_t before, int64_t after) {
	int r = sd_bus_message_open_container(call, 'a', "{sv}") < 0 ? CTL_FAILED : CTL_DONE;
	if (r == CTL_DONE) {
		r = append_text(call, "lock", lock);
	}
	if (r == CTL_DONE) {
		r = append_text(call, "user", ctl->opt.user);
	}
	if (r == CTL_DONE) {
		r = append_text(call, "type", ctl->opt.type);
	}
	if (r == CTL_DONE) {
		r = append_time(ctl, call, "since", ctl->opt.since);
	}
	if (r == CTL_DONE) {
		r = append_time(ctl, call, "until", ctl->opt.until);
	}
	if (r == CTL_DONE) {
		r = append_number(call, "before", before);
	}
	if (r == CTL_DONE) {
		r = append_number(call, "after", after);
	}
	if (r == CTL_DONE && (sd_bus_message_append(call, "{sv}{sv}", "limit", "x", limit,
				      "oldest_first", "b", 1) < 0 ||
				     sd_bus_message_close_container(call) < 0)) {
		r = CTL_FAILED;
	}
	if (r == CTL_FAILED) {
		complain(ctl, "the question cannot be made; is all of it UTF-8 text?");
	}
	return r;
}

json_t *log_page(struct ctl *ctl, const char *lock, int64_t limit, int64_t before, int64_t after,
	int *ret_exit) {
	AUTO(sd_bus_message_unref) sd_bus_message *call = NULL, *reply = NULL;
	*ret_exit = CTL_FAILED;
	if (talk_new(ctl, MANAGER_PATH, MANAGER_INTERFACE, "QueryLog", &call) < 0) {
		return NULL;
	}
	int r = fill_query(ctl, call, lock, limit, before, after);
	if (r != CTL_DONE) {
		*ret_exit = r;
		return NULL;
	}
	if (talk_send(ctl, call, NULL, &reply) < 0) {
		return NULL;
	}
	AUTO(json_decref) json_t *wire = wire_read(reply);
	json_t *events = json_array(), *each;
	size_t i;
	json_array_foreach(wire, i, each) {
		json_array_append_new(events, facts_of_event(json_incref(each)));
	}
	return events;
}

/* clang-format off */
static const char *const csv_keys[] = {
	"seq", "time", "time_trusted", "lock_id", "lock", "kind", "type", "line", "user", "user_id",
	"attribution", "operation", "source", "credential", "error", "alarm", "door", "state", "act",
	"fault", "operation_id", "user_ref", "lock_time", "lock_seq", "data", "data_operation", "number",
	"text",
};
/* clang-format on */

void log_print_csv_header(FILE *out) {
	for (size_t i = 0; i < ARRAY_SIZE(csv_keys); i++) {
		fprintf(out, "%s%s", i > 0 ? "," : "", csv_keys[i]);
	}
	fputs("\r\n", out);
}

/*
 * RFC 4180. A text that a spreadsheet would take for a formula gets an apostrophe in front: names
 * come from outside.
 */
void csv_print_text(FILE *out, const char *text) {
	bool is_formula = text[0] != '\0' && strchr("=+-@\t\r", text[0]) != NULL;
	if (!is_formula && strpbrk(text, ",\"\r\n") == NULL) {
		fputs(text, out);
		return;
	}
	fputs(is_formula ? "\"'" : "\"", out);
	for (const char *p = text; *p != '\0'; p++) {
		fputs(*p == '"' ? "\"\"" : (char[]){ *p, '\0' }, out);
	}
	fputc('"', out);
}

void log_print_csv(FILE *out, const json_t *event) {
	for (size_t i = 0; i < ARRAY_SIZE(csv_keys); i++) {
		const json_t *value = json_object_get(event, csv_keys[i]);
		fputs(i > 0 ? "," : "", out);
		if (json_is_integer(value)) {
			fprintf(out, "%jd", (intmax_t) json_integer_value(value));
		} else if (json_is_boolean(value)) {
			fputs(json_is_true(value) ? "true" : "false", out);
		} else if (json_is_string(value)) {
			csv_print_text(out, json_string_value(value));
		}
	}
	fputs("\r\n", out);
}
