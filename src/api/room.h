/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the files of this room share.
 *
 *	api.c         life, bus up and down, the hub's signals
 *	ask.c         who sent a message, and in which role
 *	manager.c     org.lockhub1.Manager;  status.c its Status;  journal.c its QueryLog and
 *VerifyLog lock.c        org.lockhub1.Lock: methods, life;  lock-facts.c its properties operation.c
 *org.lockhub1.Operation value.c       values, events and sightings as a{sv}
 */

#include <sys/types.h>
#include <systemd/sd-bus.h>

#include "api/api.h"
#include "core/hub.h"
#include "loop/bus.h"
#include "util/fault.h"
#include "util/list.h"
#include "util/signal.h"

#define API_NAME "org.lockhub1"
#define API_ROOT "/org/lockhub1"
#define API_MANAGER_PATH "/org/lockhub1/manager"
#define API_LOCK_PREFIX "/org/lockhub1/lock"
#define API_OPERATION_PREFIX "/org/lockhub1/operation"
#define API_MANAGER_INTERFACE "org.lockhub1.Manager"
#define API_LOCK_INTERFACE "org.lockhub1.Lock"
#define API_OPERATION_INTERFACE "org.lockhub1.Operation"

#define API_PATH_MAX 128
#define API_SENDER_MAX 256 /* the bus's limit for names */
#define ASKS_MAX 256       /* calls waiting to be allowed */
#define ASKS_PER_SENDER_MAX 32
#define ANSWERS_MAX 64 /* calls waiting for the database */

/* What sd_bus_property_get_t points at. */
#define PROPERTY_GETTER(name)                                                                      \
	int name(sd_bus *bus, const char *path, const char *interface, const char *property,       \
		sd_bus_message *reply, void *user, sd_bus_error *ret_error)

/* A lock as it is shown; the pointer is the hub's. */
struct api_lock {
	struct list link;
	struct api *api;
	struct lock *lock;
	char path[API_PATH_MAX];
};

/* An operation as it is shown: a copy, so that it can still be read while it is being removed. */
struct api_op {
	struct list link;
	struct api *api;
	struct op op;
	char path[API_PATH_MAX];
};

struct api {
	struct loop *loop;
	struct hub *hub;
	struct bus *bus;
	struct fault fault;
	char version[64];
	gid_t group;
	bool has_group;
	char group_name[32];
	void (*add_status)(void *user, struct api_status *status);
	void *user;

	/* All of them die with the connection. */
	sd_bus_slot *object_manager_slot;
	sd_bus_slot *manager_slot;
	sd_bus_slot *lock_slot, *lock_nodes_slot;
	sd_bus_slot *operation_slot, *operation_nodes_slot;
	sd_bus_slot *name_slot, *name_acquired_slot;
	sd_bus_slot *ping_slot;

	struct loop_timer *name_retry;
	mono_t ping_sent; /* while ping_slot is set */
	uint64_t messages_seen;

	struct list locks;   /* struct api_lock */
	struct list ops;     /* struct api_op, in the order of being asked for */
	struct list asks;    /* struct ask */
	struct list answers; /* struct answer */
	struct list records; /* struct api_record */
	unsigned n_asks;
	unsigned n_answers;

	struct listener lock_added, lock_removed, lock_changed, event, op_changed, op_finished;
	struct listener discovered, scan_ended, radio_changed;
};

/* ask.c */

/* Who sent a message. */
struct asker {
	uid_t uid;
	enum role role;            /* what he may do, as far as it was asked */
	char name[EVENT_USER_MAX]; /* "anna (uid 1000)" */
	mono_t received;           /* when he asked; 0: he has just been asked for a password */
};

typedef void ask_fn(struct api *api, sd_bus_message *message, const struct asker *asker);

struct ask_rule {
	enum role role;
	ask_fn *granted; /* answers the message */
	/* So that core can record the refusal; does not answer the message. May be NULL. */
	ask_fn *refused;
};

/*
 * Finds out who sent @message and whether he has the role, then calls one of the rule's functions
 * from the loop; who has it not gets org.lockhub1.Error.Denied. For use as
 * `return ask(api, message, &rule)` in a method handler. @rule must be static.
 */
int ask(struct api *api, sd_bus_message *message, const struct ask_rule *rule);
/* The connection is gone: forgets all that wait. */
void ask_drop_all(struct api *api);

/* value.c: all return 0 or negative errno, like sd_bus_message_append(). */
int value_text(sd_bus_message *message, const char *text);
int put_text(sd_bus_message *message, const char *key, const char *value);
int put_text_unless_empty(sd_bus_message *message, const char *key, const char *value);
int put_flag(sd_bus_message *message, const char *key, bool value);
int put_number(sd_bus_message *message, const char *key, int64_t value);
int put_fault(
	sd_bus_message *message, const char *key, const struct fault *fault, const char *lock);
/* Whole dictionaries, a{sv}. */
int value_event(sd_bus_message *message, const struct api *api, const struct event *event);
int value_sighting(sd_bus_message *message, const struct api *api, const struct sighting *sighting);
/* Answers with the fault as an error. */
int reply_fault(sd_bus_message *message, const struct fault *fault);
int reply_operation(struct api *api, sd_bus_message *message, const struct op *op);

/* manager.c, status.c, journal.c */
extern const sd_bus_vtable manager_vtable[];
void manager_emit_event(struct api *api, const struct event *event);
void manager_emit_discovered(struct api *api, const struct sighting *sighting);
void manager_emit_scan_ended(struct api *api, const struct fault *fault);
void manager_emit_changed(struct api *api, const char *property);
PROPERTY_GETTER(manager_get_status);
void manager_query_log(struct api *api, sd_bus_message *message, const struct asker *asker);
void manager_verify_log(struct api *api, sd_bus_message *message, const struct asker *asker);
/* statistics.c: answers of GetRadioStatistics of a lock and of the manager */
void statistics_of_lock(struct api *api, sd_bus_message *message, const struct lock *lock);
void statistics_of_adapters(struct api *api, sd_bus_message *message, const struct asker *asker);
/* The connection is gone, or the api goes: answers that still come are not sent. */
void journal_drop_all(struct api *api);

/* record.c */
void record_start(struct api *api, sd_bus_message *message, const struct lock *lock,
	const struct asker *asker);
void records_free(struct api *api);

/* lock.c, lock-facts.c */
extern const sd_bus_vtable lock_vtable[];
int locks_register(struct api *api);
void locks_free(struct api *api);
void locks_added(struct api *api, struct lock *lock);
void locks_removed(struct api *api, struct lock *lock);
void locks_changed(struct api *api, const struct lock_change *change);
const struct api_lock *locks_by_id(const struct api *api, const char *id);
/* "/org/lockhub1/lock/front_door"; returns out. */
char *lock_path(const char *slug, char out[static API_PATH_MAX]);
/* Names of the properties that FACT_ bits stand for, NULL-terminated; @ret has PROPERTIES_MAX. */
#define PROPERTIES_MAX 64
size_t lock_properties(unsigned what, const char *ret[static PROPERTIES_MAX]);
PROPERTY_GETTER(lock_get_text);
PROPERTY_GETTER(lock_get_flag);
PROPERTY_GETTER(lock_get_int);
PROPERTY_GETTER(lock_get_number);
PROPERTY_GETTER(lock_get_acts);
PROPERTY_GETTER(lock_get_known);
PROPERTY_GETTER(lock_get_report);
PROPERTY_GETTER(lock_get_config);
PROPERTY_GETTER(lock_get_event);

/* operation.c */
extern const sd_bus_vtable operation_vtable[];
int operations_register(struct api *api);
void operations_free(struct api *api);
/* Shows it, or shows what has changed. NULL: no memory. */
const struct api_op *operations_put(struct api *api, const struct op *op);
void operations_finished(struct api *api, const struct op *op);
