/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Backups: Manager.Backup, VerifyBackup, Restore, MakeGeneration, VerifyGeneration,
 * RestoreGeneration, ListBackups. The vault answers later, after seconds or minutes. A caller that
 * has gone meanwhile is not answered; what was begun goes on.
 */

#include "room.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BACKUPS_MAX 8
#define PROGRESS_MS 250

enum backup_task {
	BACKUP_WRITE,
	BACKUP_VERIFY,
	BACKUP_VERIFY_OWN,
	BACKUP_RESTORE,
	BACKUP_RESTORE_OWN,
	BACKUP_GENERATION,
	BACKUP_LIST
};

struct backup_call {
	struct late late;
	enum backup_task task;
	struct loop_timer *timer; /* tells how far it has got */
	const char *last_text;    /* as told last */
	uint64_t last_done;
	/* from the message */
	struct vault_source source;
	bool with_passwords;
	char reason[VAULT_REASON_MAX];
	char by[EVENT_USER_MAX];
};

static void call_free(struct backup_call *call) {
	late_end(&call->late);
	loop_timer_free(call->timer);
	if (call->source.take_fd >= 0) {
		close(call->source.take_fd);
	}
	secret_wipe(&call->source.passphrase);
	free(call);
}

void backups_drop_all(struct api *api) {
	struct backup_call *each;

	list_for_each(each, &api->backups.calls, late.link) {
		each->timer = loop_timer_free(each->timer);
	}
	lates_drop_all(&api->backups);
}

static void on_timer(void *user) {
	struct backup_call *call = user;
	struct vault *vault = call->late.api->vault;
	struct vault_progress progress = { 0 };

	vault->impl->progress(vault, &progress);
	if (progress.text != NULL &&
		(progress.text != call->last_text || progress.done != call->last_done)) {
		late_tell(&call->late, "BackupProgress", "stt", progress.text, progress.done,
			progress.all);
		call->last_text = progress.text;
		call->last_done = progress.done;
	}
	loop_timer_arm(call->timer, PROGRESS_MS);
}

/* ---- answers ---- */

static int put_differences(sd_bus_message *reply, const struct vault_report *report) {
	size_t n = report->n_differences < VAULT_DIFFERENCES_MAX ? report->n_differences
								 : VAULT_DIFFERENCES_MAX;
	int r = sd_bus_message_open_container(reply, 'e', "sv");

	if (r >= 0) {
		r = sd_bus_message_append(reply, "s", "differences");
	}
	if (r >= 0) {
		r = sd_bus_message_open_container(reply, 'v', "a(sss)");
	}
	if (r >= 0) {
		r = sd_bus_message_open_container(reply, 'a', "(sss)");
	}
	for (size_t i = 0; r >= 0 && i < n; i++) {
		const struct vault_difference *each = &report->differences[i];
		r = sd_bus_message_append(reply, "(sss)", each->kind, each->what,
			text_is_utf8(each->name, strlen(each->name)) ? each->name : "?");
	}
	for (unsigned i = 0; r >= 0 && i < 3; i++) {
		r = sd_bus_message_close_container(reply);
	}
	return r;
}

static int put_report(sd_bus_message *reply, const struct vault_report *report) {
	const struct {
		const char *key;
		int64_t value;
	} numbers[] = {
		{ "made_at", report->made_at.s },
		{ "size", report->size },
		{ "locks", report->n_locks },
		{ "users", report->n_users },
		{ "codes", report->n_codes },
		{ "schedules", report->n_schedules },
		{ "secrets", report->n_secrets },
		{ "files", report->n_files },
		{ "events", report->n_events },
		{ "last_seq", report->last_seq },
	};
	int r = sd_bus_message_open_container(reply, 'a', "{sv}");

	if (r >= 0) {
		r = put_text_unless_empty(reply, "name", report->name);
	}
	if (r >= 0) {
		r = put_text(reply, "version", report->version);
	}
	if (r >= 0) {
		r = put_text(reply, "hub_id", report->hub_id);
	}
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(numbers); i++) {
		r = put_number(reply, numbers[i].key, numbers[i].value);
	}
	if (r >= 0) {
		r = put_flag(reply, "automatic", report->is_automatic);
	}
	if (r >= 0) {
		r = put_flag(reply, "with_passwords", report->has_passwords);
	}
	if (r >= 0) {
		r = put_flag(reply, "log_whole", report->is_log_whole);
	}
	if (r >= 0 && report->is_compared) {
		r = put_flag(reply, "own_log", report->is_own_log);
	}
	if (r >= 0 && report->is_compared) {
		r = put_number(reply, "events_since", report->n_events_since);
	}
	if (r >= 0 && report->is_compared) {
		r = put_number(reply, "difference_count", (int64_t) report->n_differences);
	}
	if (r >= 0 && report->is_compared) {
		r = put_differences(reply, report);
	}
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

static void on_done(void *user, const struct vault_report *report, const struct fault *fault) {
	struct backup_call *call = user;
	sd_bus_message *reply = NULL;

	if (!late_refuse(&call->late, fault)) {
		int r = sd_bus_message_new_method_return(call->late.message, &reply);
		late_answer(&call->late, reply, r < 0 ? r : put_report(reply, report));
	}
	call_free(call);
}

static int put_generation(sd_bus_message *reply, const struct vault_generation *generation) {
	int r = sd_bus_message_open_container(reply, 'a', "{sv}");

	if (r >= 0) {
		r = put_text(reply, "name", generation->name);
	}
	if (r >= 0) {
		r = put_text(reply, "reason", generation->reason);
	}
	if (r >= 0) {
		r = put_number(reply, "made_at", generation->made_at.s);
	}
	if (r >= 0) {
		r = put_number(reply, "size", generation->size);
	}
	if (r >= 0) {
		r = put_fault(reply, "fault", &generation->fault, NULL);
	}
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

static void on_list(void *user, const struct vault_generation *generations, size_t n,
	const struct fault *fault) {
	struct backup_call *call = user;
	sd_bus_message *reply = NULL;

	if (!late_refuse(&call->late, fault)) {
		int r = sd_bus_message_new_method_return(call->late.message, &reply);
		if (r >= 0) {
			r = sd_bus_message_open_container(reply, 'a', "a{sv}");
		}
		for (size_t i = 0; r >= 0 && i < n; i++) {
			r = put_generation(reply, &generations[i]);
		}
		late_answer(&call->late, reply, r < 0 ? r : sd_bus_message_close_container(reply));
	}
	call_free(call);
}

static void refuse(struct backup_call *take_call, const struct fault *fault) {
	(void) late_refuse(&take_call->late, fault);
	call_free(take_call);
}

/* ---- questions ---- */

static int take_file(sd_bus_message *message, struct backup_call *call, struct fault *ret_fault) {
	const char *passphrase;
	int borrowed = -1;

	if (sd_bus_message_read(message, "hs", &borrowed, &passphrase) < 0 ||
		secret_set_text(&call->source.passphrase, passphrase) < 0) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
			"a file and a passphrase of up to %d octets are needed", SECRET_MAX);
	}
	call->source.take_fd = fcntl(borrowed, F_DUPFD_CLOEXEC, 3);
	return call->source.take_fd >= 0 ? 0
					 : fault_set(ret_fault, FAULT_NO_MEMORY,
						   "a copy of the file: %s", strerror(errno));
}

static int read_call(sd_bus_message *message, struct backup_call *call, struct fault *ret_fault) {
	static const struct option options[] = {
		{ "with_passwords", OPTION_FLAG, offsetof(struct backup_call, with_passwords), 0, 0,
			NULL },
	};
	const char *text;
	int r = 0;

	switch (call->task) {
	case BACKUP_WRITE:
		r = take_file(message, call, ret_fault);
		return r < 0 ? r
			     : options_read(message, options, ARRAY_SIZE(options), call, NULL,
				       ret_fault);
	case BACKUP_VERIFY:
	case BACKUP_RESTORE:
		return take_file(message, call, ret_fault);
	case BACKUP_VERIFY_OWN:
	case BACKUP_RESTORE_OWN:
		if (sd_bus_message_read(message, "s", &text) < 0 || text[0] == '\0' ||
			!text_copy(call->source.name, sizeof(call->source.name), text)) {
			return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
				"a name as in ListBackups is needed");
		}
		return 0;
	case BACKUP_GENERATION:
		if (sd_bus_message_read(message, "s", &text) < 0 ||
			!text_copy(call->reason, sizeof(call->reason), text)) {
			return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
				"a reason has at most %d characters", VAULT_REASON_MAX - 1);
		}
		return 0;
	case BACKUP_LIST:
		return 0;
	}
	return 0;
}

/* What is the vault's from now on. */
static struct vault_source give_source(struct backup_call *call) {
	struct vault_source source = call->source;

	call->source.take_fd = -1;
	secret_wipe(&call->source.passphrase);
	return source;
}

static void source_wipe(struct vault_source *source) {
	secret_wipe(&source->passphrase);
}

/* Nobody takes a copy of everything with him before the log says so (L10). */
static void on_recorded(void *user, const struct fault *fault) {
	struct backup_call *call = user;

	if (late_refuse(&call->late, fault)) {
		call_free(call);
		return;
	}
	struct vault *vault = call->late.api->vault;
	AUTO_VALUE(source_wipe) struct vault_source source = give_source(call);
	vault->impl->backup(
		vault, source.take_fd, &source.passphrase, call->with_passwords, on_done, call);
}

static void verify(struct backup_call *call) {
	struct vault *vault = call->late.api->vault;
	AUTO_VALUE(source_wipe) struct vault_source source = give_source(call);

	vault->impl->verify(vault, &source, on_done, call);
}

static void restore(struct backup_call *call) {
	struct vault *vault = call->late.api->vault;
	AUTO_VALUE(source_wipe) struct vault_source source = give_source(call);

	vault->impl->restore(vault, &source, call->by, on_done, call);
}

static void begin(struct backup_call *call) {
	struct vault *vault = call->late.api->vault;
	struct fault fault = { 0 };
	char text[EVENT_TEXT_MAX];

	switch (call->task) {
	case BACKUP_WRITE:
		snprintf(text, sizeof(text), "to a file of %s", call->by);
		if (hub_remark(call->late.api->hub, EVENT_BACKED_UP, FAULT_NONE, text, NULL,
			    on_recorded, call, &fault) < 0) {
			refuse(call, &fault);
		}
		return;
	case BACKUP_VERIFY:
	case BACKUP_VERIFY_OWN:
		verify(call);
		break;
	case BACKUP_RESTORE:
	case BACKUP_RESTORE_OWN:
		restore(call);
		break;
	case BACKUP_GENERATION:
		vault->impl->generation(vault, call->reason, on_done, call);
		break;
	case BACKUP_LIST:
		vault->impl->list(vault, on_list, call);
		break;
	}
}

static void granted(struct api *api, sd_bus_message *message, const struct asker *asker,
	enum backup_task task) {
	struct backup_call *call = NULL;
	struct fault fault = { 0 };

	if (api->vault == NULL) {
		fault_set(&fault, FAULT_NOT_SUPPORTED, "nobody keeps backups");
	} else if (api->backups.n >= BACKUPS_MAX) {
		fault_set(&fault, FAULT_QUEUE_FULL, "%u backups are waited for", api->backups.n);
	} else if ((call = calloc(1, sizeof(*call))) == NULL) {
		fault_set(&fault, FAULT_NO_MEMORY, "a backup");
	}
	if (call == NULL) {
		reply_fault(message, &fault);
		return;
	}
	call->task = task;
	call->source.take_fd = -1;
	call->timer = loop_timer_new(api->loop, on_timer, call);
	text_copy(call->by, sizeof(call->by), asker->name);
	late_begin(&call->late, &api->backups, api, message);
	if (call->timer == NULL) {
		fault_set(&fault, FAULT_NO_MEMORY, "a backup");
		refuse(call, &fault);
	} else if (read_call(message, call, &fault) < 0) {
		refuse(call, &fault);
	} else {
		loop_timer_arm(call->timer, PROGRESS_MS);
		begin(call);
	}
}

static void write_granted(struct api *api, sd_bus_message *message, const struct asker *asker) {
	granted(api, message, asker, BACKUP_WRITE);
}
static void verify_granted(struct api *api, sd_bus_message *message, const struct asker *asker) {
	granted(api, message, asker, BACKUP_VERIFY);
}
static void verify_own_granted(
	struct api *api, sd_bus_message *message, const struct asker *asker) {
	granted(api, message, asker, BACKUP_VERIFY_OWN);
}
static void restore_own_granted(
	struct api *api, sd_bus_message *message, const struct asker *asker) {
	granted(api, message, asker, BACKUP_RESTORE_OWN);
}
static void restore_granted(struct api *api, sd_bus_message *message, const struct asker *asker) {
	granted(api, message, asker, BACKUP_RESTORE);
}
static void generation_granted(
	struct api *api, sd_bus_message *message, const struct asker *asker) {
	granted(api, message, asker, BACKUP_GENERATION);
}
static void list_granted(struct api *api, sd_bus_message *message, const struct asker *asker) {
	granted(api, message, asker, BACKUP_LIST);
}

int backup_method(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	static const struct {
		const char *member;
		struct ask_rule rule;
	} rows[] = {
		{ "Backup", { ROLE_MANAGE, write_granted, NULL } },
		{ "VerifyBackup", { ROLE_MANAGE, verify_granted, NULL } },
		{ "VerifyGeneration", { ROLE_MANAGE, verify_own_granted, NULL } },
		{ "Restore", { ROLE_MANAGE, restore_granted, NULL } },
		{ "RestoreGeneration", { ROLE_MANAGE, restore_own_granted, NULL } },
		{ "MakeGeneration", { ROLE_MANAGE, generation_granted, NULL } },
		{ "ListBackups", { ROLE_VIEW, list_granted, NULL } },
	};
	const char *member = sd_bus_message_get_member(message);

	(void) ret_error;
	sd_bus_message_sensitive(message); /* it holds a passphrase */
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (text_equal(rows[i].member, member)) {
			return ask(user, message, &rows[i].rule);
		}
	}
	return -EBADR;
}
