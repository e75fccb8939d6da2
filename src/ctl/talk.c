/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "room.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "util/fault.h"
#include "util/text.h"

#define CALL_TIMEOUT_US (30 * 1000000ULL)
/* A person may be typing a password for polkit. */
#define CALL_TIMEOUT_ASKING_US (120 * 1000000ULL)
#define NOT_RUNNING_TEXT "lockhubd is not running"

static void explain_connect(struct ctl *ctl, int r, const char *address) {
	complain(ctl, "the %s cannot be reached: %s",
		address != NULL ? "bus given by --bus-address or LOCKHUB_BUS_ADDRESS"
				: "system bus",
		r == -ENOTCONN || r == -ECONNRESET
			? "it hung up, which a bus does to users it does not "
			  "know"
			: strerror(-r));
	if (address != NULL) {
		advise(ctl, "See that the address is right: %s", address);
	} else {
		advise(ctl, "See whether D-Bus runs: systemctl status dbus");
	}
}

int talk_connect(struct ctl *ctl) {
	if (ctl->bus != NULL) {
		return 0;
	}
	const char *address = ctl->opt.bus_address;
	if (address == NULL && !ctl->opt.is_system_bus) {
		address = getenv("LOCKHUB_BUS_ADDRESS");
	}
	if (address != NULL && address[0] == '\0') {
		address = NULL;
	}
	int r;
	if (address == NULL) {
		r = sd_bus_open_system(&ctl->bus); /* minds DBUS_SYSTEM_BUS_ADDRESS */
	} else {
		r = sd_bus_new(&ctl->bus);
		if (r >= 0) {
			r = sd_bus_set_address(ctl->bus, address);
		}
		if (r >= 0) {
			r = sd_bus_set_bus_client(ctl->bus, true);
		}
		if (r >= 0) {
			r = sd_bus_start(ctl->bus);
		}
	}
	/* The first round trip shows whether anybody is there. */
	const char *unique = NULL;
	if (r >= 0) {
		r = sd_bus_get_unique_name(ctl->bus, &unique);
	}
	if (r < 0) {
		explain_connect(ctl, r, address);
		ctl->bus = sd_bus_close_unref(ctl->bus);
		return r;
	}
	sd_bus_set_allow_interactive_authorization(ctl->bus, !ctl->opt.is_no_ask);
	return 0;
}

static void explain_fault(
	struct ctl *ctl, const sd_bus_error *error, int fault, const char *about) {
	char message[LINE_TEXT_MAX], hint[FAULT_TEXT_MAX];
	text_copy(message, sizeof(message),
		error->message != NULL ? error->message
				       : fault_row((enum fault_code) fault)->summary);
	text_sanitize(message);
	complain(ctl, "%s%s%s", about != NULL ? about : "", about != NULL ? ": " : "", message);
	if (fault == FAULT_DENIED) {
		advise(ctl,
			"Members of group lockhub may view and operate: sudo usermod -aG lockhub "
			"USER (then log in again); to manage locks use sudo");
	} else {
		advise(ctl, "%s", fault_hint((enum fault_code) fault, about, hint));
	}
}

static void explain_not_running(struct ctl *ctl, const char *why) {
	complain(ctl, NOT_RUNNING_TEXT "%s%s", why[0] != '\0' ? ": " : "", why);
	advise(ctl, "Start it: sudo systemctl start lockhubd");
	advise(ctl, "If it does not stay up, this says why: journalctl -x -u lockhubd -n 50");
}

void talk_explain(struct ctl *ctl, const sd_bus_error *error, const char *about) {
	enum fault_code fault = FAULT_NONE;
	char message[LINE_TEXT_MAX] = "";
	if (error->message != NULL) {
		text_copy(message, sizeof(message), error->message);
		text_sanitize(message);
	}
	progress_end(ctl);
	if (fault_from_dbus(error->name, &fault) >= 0) {
		explain_fault(ctl, error, fault, about);
	} else if (sd_bus_error_has_names(
			   error, SD_BUS_ERROR_SERVICE_UNKNOWN, SD_BUS_ERROR_NAME_HAS_NO_OWNER)) {
		explain_not_running(ctl, "");
	} else if (strncmp(error->name, "org.freedesktop.DBus.Error.Spawn.", 33) == 0) {
		explain_not_running(ctl, message);
	} else if (sd_bus_error_has_name(error, SD_BUS_ERROR_ACCESS_DENIED)) {
		complain(ctl,
			"the bus does not let you talk to lockhubd: only root and the members "
			"of group lockhub may");
		advise(ctl, "Join the group: sudo usermod -aG lockhub %s, then log in again",
			getenv("USER") != NULL ? "$USER" : "USER");
	} else if (sd_bus_error_has_names(error, SD_BUS_ERROR_NO_REPLY, SD_BUS_ERROR_TIMEOUT,
			   SD_BUS_ERROR_DISCONNECTED)) {
		complain(ctl, "lockhubd did not answer");
		advise(ctl, "See what it does: systemctl status lockhubd");
	} else if (sd_bus_error_has_names(error, SD_BUS_ERROR_UNKNOWN_METHOD,
			   SD_BUS_ERROR_UNKNOWN_INTERFACE, SD_BUS_ERROR_UNKNOWN_OBJECT,
			   SD_BUS_ERROR_UNKNOWN_PROPERTY)) {
		complain(ctl, "%s%slockhubd does not know this: %s", about != NULL ? about : "",
			about != NULL ? ": " : "", message);
		advise(ctl, "The lock was removed or renamed just now, or lockhubd is of another "
			    "version: lockhubctl version");
	} else {
		complain(ctl, "%s%s%s", about != NULL ? about : "", about != NULL ? ": " : "",
			message[0] != '\0' ? message : error->name);
	}
}

int talk_new(struct ctl *ctl, const char *path, const char *interface, const char *member,
	sd_bus_message **ret_call) {
	int r = talk_connect(ctl);
	if (r < 0) {
		return r;
	}
	r = sd_bus_message_new_method_call(ctl->bus, ret_call, HUB_NAME, path, interface, member);
	if (r < 0) {
		complain(ctl, "%s: %s", member, strerror(-r));
	}
	return r;
}

int talk_send(
	struct ctl *ctl, sd_bus_message *call, const char *about, sd_bus_message **ret_reply) {
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int r = sd_bus_call(ctl->bus, call,
		ctl->opt.is_no_ask ? CALL_TIMEOUT_US : CALL_TIMEOUT_ASKING_US, &error, ret_reply);
	if (r < 0) {
		if (!sd_bus_error_is_set(&error)) {
			sd_bus_error_set_errno(&error, r);
		}
		enum fault_code fault = FAULT_NONE;
		if (ctl->expected != FAULT_NONE && fault_from_dbus(error.name, &fault) >= 0 &&
			fault == ctl->expected) {
			ctl->has_met_expected = true;
			progress_end(ctl);
		} else {
			talk_explain(ctl, &error, about);
		}
	}
	sd_bus_error_free(&error);
	return r;
}

int talk_call(struct ctl *ctl, const char *path, const char *interface, const char *member,
	const char *about, sd_bus_message **ret_reply, const char *types, ...) {
	AUTO(sd_bus_message_unref) sd_bus_message *call = NULL;
	int r = talk_new(ctl, path, interface, member, &call);
	if (r < 0) {
		return r;
	}
	va_list args;
	va_start(args, types);
	r = sd_bus_message_appendv(call, types, args);
	va_end(args);
	if (r < 0) {
		complain(ctl, "%s: %s", member, strerror(-r));
		return r;
	}
	return talk_send(ctl, call, about, ret_reply);
}

int talk_find_lock(struct ctl *ctl, const char *word, char *ret_path) {
	AUTO(sd_bus_message_unref) sd_bus_message *reply = NULL;
	const char *path;
	if (!text_is_utf8(word, strlen(word))) {
		complain(ctl, "a lock's name is UTF-8 text");
		return -EINVAL;
	}
	int r = talk_call(
		ctl, MANAGER_PATH, MANAGER_INTERFACE, "FindLock", NULL, &reply, "s", word);
	if (r < 0) {
		return r;
	}
	r = sd_bus_message_read(reply, "o", &path);
	if (r < 0 || !text_copy(ret_path, PATH_TEXT_MAX, path)) {
		complain(ctl, "FindLock: the answer cannot be read");
		return -EBADMSG;
	}
	return 0;
}

void ears_finish(struct ears *ears) {
	while (ears->n > 0) {
		sd_bus_slot_unref(ears->slots[--ears->n]);
	}
}

static sd_bus_slot **next_ear(struct ears *ears) {
	assert(ears->n < EARS_MAX);
	return &ears->slots[ears->n++];
}

int talk_match(struct ctl *ctl, struct ears *ears, const char *path, const char *interface,
	const char *member, sd_bus_message_handler_t handler, void *user) {
	int r = sd_bus_match_signal(
		ctl->bus, next_ear(ears), HUB_NAME, path, interface, member, handler, user);
	if (r < 0) {
		complain(ctl, "the signals of lockhubd cannot be listened to: %s", strerror(-r));
	}
	return r;
}

int talk_match_owner(
	struct ctl *ctl, struct ears *ears, sd_bus_message_handler_t handler, void *user) {
	int r = sd_bus_add_match(ctl->bus, next_ear(ears),
		"type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
		"interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='" HUB_NAME "'",
		handler, user);
	if (r < 0) {
		complain(ctl, "the bus cannot be listened to: %s", strerror(-r));
	}
	return r;
}

static uint64_t now_us(void) {
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t) now.tv_sec * 1000000U + (uint64_t) now.tv_nsec / 1000U;
}

uint64_t talk_deadline(uint64_t seconds) {
	return seconds == 0 ? UINT64_MAX : now_us() + seconds * 1000000U;
}

int talk_until(struct ctl *ctl, const bool *done, uint64_t deadline_us, const volatile int *stop) {
	while (!*done) {
		if (stop != NULL && *stop) {
			return -EINTR;
		}
		int r = sd_bus_process(ctl->bus, NULL);
		if (r < 0) {
			return r;
		}
		if (r > 0) {
			continue;
		}
		uint64_t now = now_us();
		if (now >= deadline_us) {
			return -ETIMEDOUT;
		}
		fflush(ctl->out);
		r = sd_bus_wait(
			ctl->bus, deadline_us == UINT64_MAX ? UINT64_MAX : deadline_us - now);
		if (r < 0 && r != -EINTR) {
			return r;
		}
	}
	return 0;
}

void talk_long(struct ctl *ctl, sd_bus_message *call, const struct long_call *how) {
	AUTO_VALUE(ears_finish) struct ears ears = { 0 };
	const volatile int *stop = prompt_catch_interrupt();
	if (talk_match(ctl, &ears, MANAGER_PATH, MANAGER_INTERFACE, how->signal, how->on_progress,
		    ctl) < 0) {
		return;
	}
	AUTO(sd_bus_slot_unref) sd_bus_slot *slot = NULL;
	int r = sd_bus_call_async(
		ctl->bus, &slot, call, how->on_answer, how->answer, how->timeout_us);
	if (r >= 0) {
		r = talk_until(ctl, how->is_there, UINT64_MAX, stop);
	}
	progress_end(ctl);
	if (r == -EINTR) {
		complain(ctl, "interrupted");
	} else if (r < 0) {
		complain(ctl, "the bus broke off: %s", strerror(-r));
	}
}
