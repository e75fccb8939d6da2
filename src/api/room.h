/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the files of this room share.
 *
 *	api.c          life, bus up and down, the hub's signals
 *	ask.c          who sent a message, and in which role
 *	manager.c      org.lockhub1.Manager;  status.c its Status;  journal.c its logs
 *	people.c       its methods for users, codes and schedules;  pending.c answers after COMMIT
 *	lock.c         org.lockhub1.Lock: methods, life;  lock-facts.c its properties;
 *	               lock-people.c those about who may enter;  lock-timers.c and about timers;
 *	               lock-settings.c those about its own configuration
 *	user.c         org.lockhub1.User: methods, life;  user-facts.c its properties
 *	operation.c    org.lockhub1.Operation
 *	backup.c       methods for backups
 *	diagnose.c     methods of the troubleshooter
 *	late.c         for those two, pending.c and journal.c: the answer comes later
 *	object.c       what locks, users and operations have in common as objects
 *	value.c        values, events and sightings as a{sv};  option.c reads a{sv}
 */

#include <sys/types.h>
#include <systemd/sd-bus.h>

#include "api/api.h"
#include "core/people.h"
#include "core/vault.h"
#include "diag/diag.h"
#include "late.h"
#include "loop/bus.h"
#include "util/fault.h"
#include "util/list.h"
#include "util/signal.h"

#define API_NAME "org.lockhub1"
#define API_ROOT "/org/lockhub1"
#define API_MANAGER_PATH "/org/lockhub1/manager"
#define API_LOCK_PREFIX "/org/lockhub1/lock"
#define API_OPERATION_PREFIX "/org/lockhub1/operation"
#define API_USER_PREFIX "/org/lockhub1/user"
#define API_MANAGER_INTERFACE "org.lockhub1.Manager"
#define API_LOCK_INTERFACE "org.lockhub1.Lock"
#define API_OPERATION_INTERFACE "org.lockhub1.Operation"
#define API_USER_INTERFACE "org.lockhub1.User"

#define API_PATH_MAX 128
#define API_SENDER_MAX 256 /* the bus's limit for names */
#define ASKS_MAX 256       /* calls waiting to be allowed */
#define ASKS_PER_SENDER_MAX 32
#define ANSWERS_MAX 64  /* calls waiting for the database */
#define PENDING_MAX 256 /* changes waiting to be committed */

/* What sd_bus_property_get_t points at. */
#define PROPERTY_GETTER(name)                                                                      \
	int name(sd_bus *bus, const char *path, const char *interface, const char *property,       \
		sd_bus_message *reply, void *user, sd_bus_error *ret_error)

/* What makes locks, users and operations different as objects on the bus. */
struct api_kind {
	const char *prefix; /* of the path */
	const char *interface;
	const sd_bus_vtable *vtable; /* its handlers are given the object */
	enum fault_code missing;     /* for a path that names none */
};

/* The objects of one kind. */
struct api_objects {
	struct api *api;
	const struct api_kind *kind;
	struct list list;               /* struct api_object */
	sd_bus_slot *slot, *nodes_slot; /* die with the connection */
};

/* The first member of whatever is shown, which it is the heap block of. */
struct api_object {
	struct list link;
	struct api *api;
	const struct api_kind *kind;
	char path[API_PATH_MAX];
};

/* A lock as it is shown; the pointer is the hub's. */
struct api_lock {
	struct api_object object;
	struct lock *lock;
	bool is_sync_changed; /* to be told soon */
};

/* A user as it is shown; the row is found in the book each time, as it moves. */
struct api_user {
	struct api_object object;
	char id[ROW_ID_MAX];
	bool was_placed; /* a lock held, or was to hold, something of his when it was told last */
	bool is_placed;
};

/* An operation as it is shown: a copy, so that it can still be read while it is being removed. */
struct api_op {
	struct api_object object;
	struct op op;
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
	struct vault *vault; /* NULL: nobody keeps backups */
	struct diag *diag;   /* NULL: none */

	/* All of them die with the connection. */
	sd_bus_slot *object_manager_slot;
	sd_bus_slot *manager_slot;
	sd_bus_slot *name_slot, *name_acquired_slot;
	sd_bus_slot *ping_slot;

	struct loop_timer *name_retry;
	struct loop_timer *sync_soon; /* locks with is_sync_changed are told about then */
	mono_t ping_sent;             /* while ping_slot is set */
	uint64_t messages_seen;

	struct api_objects locks; /* struct api_lock */
	struct api_objects ops;   /* struct api_op, in the order of being asked for */
	struct api_objects users; /* struct api_user */
	struct list asks;         /* struct ask */
	struct list records;      /* struct api_record */
	struct list listens;      /* struct api_listen */
	unsigned n_listens;
	unsigned n_asks;
	struct lates answers;   /* struct late */
	struct lates pending;   /* struct pending */
	struct lates backups;   /* struct backup_call */
	struct lates diagnoses; /* struct late */

	struct listener lock_added, lock_removed, lock_changed, event, op_changed, op_finished;
	struct listener discovered, scan_ended, radio_changed;
	struct listener book_changed, sync_changed;
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

/* object.c */
void objects_init(struct api_objects *objects, struct api *api, const struct api_kind *kind);
/* Tells nobody. */
void objects_free(struct api_objects *objects);
int objects_register(struct api_objects *objects);
/* The connection is gone. */
void objects_unregister(struct api_objects *objects);
/* What the kind shows at @path, e.g. a struct api_lock *; NULL: nothing. */
void *objects_find(const struct api_objects *objects, const char *path);
/* "/org/lockhub1/lock/front_door" for "front-door"; returns out. */
char *object_path(const struct api_kind *kind, const char *name, char out[static API_PATH_MAX]);
/* These tell whoever listens. @take_object: from calloc(), filled in but for its own part. */
void object_show(struct api_objects *objects, struct api_object *take_object, const char *name);
void object_hide(struct api_object *take_object);
/* The path hangs on the name: another name is another object. @return whether it is another. */
bool object_move(struct api_object *object, const char *name);
/* @properties: names, NULL-terminated. */
void object_emit(const struct api_object *object, const char *const *properties);

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

/* option.c */
enum option_kind {
	OPTION_TEXT,   /* s -> char[size]: clean text that fits */
	OPTION_SECRET, /* s -> struct secret; may be empty */
	OPTION_OCTETS, /* ay -> struct secret; may be empty */
	OPTION_FLAG,   /* b -> bool */
	OPTION_NUMBER, /* any integer -> unsigned */
	OPTION_WORD,   /* s -> an enum, by set */
};
struct option {
	const char *key;
	enum option_kind kind;
	size_t offset, size;                    /* in the object that is filled */
	unsigned bit;                           /* or-ed to *ret_set */
	int (*set)(const char *word, void *at); /* OPTION_WORD; -EINVAL */
};
/*
 * Reads an a{sv} into @object by the table. Unknown keys, wrong types and texts that are too long
 * are BAD_ARGUMENT, naming the key. @ret_set (may be NULL): the bits of what was there.
 */
int options_read(sd_bus_message *message, const struct option *options, size_t n, void *object,
	unsigned *ret_set, struct fault *ret_fault);

/*
 * pending.c: a method that is answered when the database has what it changed.
 *
 *	pending = pending_new(...);
 *	pending_asked(pending, hub_...(..., pending_done, pending, &fault), &fault);
 */
struct pending;
enum pending_answer {
	PENDING_NOTHING,
	PENDING_ID,     /* s */
	PENDING_ID_PIN, /* ss */
	PENDING_PIN,    /* s */
	PENDING_USER,   /* o: of the user with that id */
};
/* NULL: the message has been answered. */
struct pending *pending_new(struct api *api, sd_bus_message *message, enum pending_answer answer);
char *pending_id(struct pending *pending);           /* ROW_ID_MAX octets to be filled */
struct secret *pending_pin(struct pending *pending); /* to be filled; wiped with it */
/* people_done_fn; @user is the struct pending, which goes. */
void pending_done(void *user, const struct fault *fault);
/* What core said: nothing to do, or the fault is answered and @pending goes. */
void pending_asked(struct pending *pending, int r, const struct fault *fault);
struct people_by by_asker(const struct asker *asker);

/* people.c: method handlers of the manager, for whoever manages */
int people_method(sd_bus_message *message, void *user, sd_bus_error *ret_error);
/* The same for methods of users. */
int people_ask(struct api *api, sd_bus_message *message);
int people_find_user(sd_bus_message *message, void *user, sd_bus_error *ret_error);

/* user.c, user-facts.c */
extern const sd_bus_vtable user_vtable[];
extern const struct api_kind user_kind;
/* Shows all there are. */
void users_load(struct api *api);
void users_changed(struct api *api, const struct book_change *change);
/* What @lock holds has changed: told soon, and together with what comes till then. */
void users_sync_changed(struct api *api, const struct lock *lock);
void users_tell_sync(struct api *api);
PROPERTY_GETTER(user_get_text);
PROPERTY_GETTER(user_get_number);
PROPERTY_GETTER(user_get_time);
PROPERTY_GETTER(user_get_flag);
PROPERTY_GETTER(user_get_locks);
PROPERTY_GETTER(user_get_credentials);
PROPERTY_GETTER(user_get_schedules);

/* lock-people.c */
PROPERTY_GETTER(lock_get_users);
PROPERTY_GETTER(lock_get_sync);
PROPERTY_GETTER(lock_get_rules);
PROPERTY_GETTER(lock_get_holidays);
/* A lock's slug by id, or the id when it is not shown. */
const char *slug_of(const struct api *api, const char *lock_id);

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

/* diagnose.c */
int diagnose_method(sd_bus_message *message, void *user, sd_bus_error *ret_error);
int diagnose_method_fix(sd_bus_message *message, void *user, sd_bus_error *ret_error);
int lock_method_history(sd_bus_message *message, void *user, sd_bus_error *ret_error);

/* backup.c */
int backup_method(sd_bus_message *message, void *user, sd_bus_error *ret_error);
/* The connection is gone, or the api goes: answers that still come are not sent. */
void backups_drop_all(struct api *api);

/* record.c */
void record_start(struct api *api, sd_bus_message *message, const struct lock *lock,
	const struct asker *asker);
void records_free(struct api *api);
/* A copy of the socket that is the message's argument, for lines. Negative: @ret_fault. */
int record_take_socket(sd_bus_message *message, struct fault *ret_fault);

/* listen.c */
void listen_start(struct api *api, sd_bus_message *message, const struct lock *lock,
	const struct asker *asker);
void listens_free(struct api *api);

/* lock.c, lock-facts.c */
extern const sd_bus_vtable lock_vtable[];
extern const struct api_kind lock_kind;
void locks_added(struct api *api, struct lock *lock);
void locks_removed(struct api *api, struct lock *lock);
void locks_changed(struct api *api, const struct lock_change *change);
struct api_lock *locks_by_id(const struct api *api, const char *id);
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
PROPERTY_GETTER(lock_get_protocol);
PROPERTY_GETTER(lock_get_capabilities);
PROPERTY_GETTER(lock_get_event);
/*
 * The lock a message is about, found anew: between the call and the permission it may have gone.
 * NULL: the message has been answered.
 */
struct api_lock *lock_called(struct api *api, sd_bus_message *message);
/* What @asker wants of @lock, to be filled in. */
struct request request_of(const struct lock *lock, enum act act, const struct asker *asker);
/* Asks the hub for it and answers with the operation; @r negative: answers with @fault. */
void request_send(struct api *api, sd_bus_message *message, const struct request *request, int r,
	struct fault *fault);

/* history.c */
int lock_method_begin_attempt(sd_bus_message *message, void *user, sd_bus_error *ret_error);
int lock_method_end_attempt(sd_bus_message *message, void *user, sd_bus_error *ret_error);
int lock_method_set_note(sd_bus_message *message, void *user, sd_bus_error *ret_error);
int lock_method_battery_changed(sd_bus_message *message, void *user, sd_bus_error *ret_error);

/* lock-people.c */
int lock_method_learn(sd_bus_message *message, void *user, sd_bus_error *ret_error);

/* lock-timers.c */
PROPERTY_GETTER(lock_get_timers);
PROPERTY_GETTER(lock_get_timers_read);
PROPERTY_GETTER(lock_get_timers_wanted);
int lock_method_timer(sd_bus_message *message, void *user, sd_bus_error *ret_error);

/* lock-settings.c */
PROPERTY_GETTER(lock_get_settings);
PROPERTY_GETTER(lock_get_settings_read);
PROPERTY_GETTER(lock_get_settings_wanted);
int lock_method_setting(sd_bus_message *message, void *user, sd_bus_error *ret_error);
int lock_method_accept_settings(sd_bus_message *message, void *user, sd_bus_error *ret_error);

/* operation.c */
extern const sd_bus_vtable operation_vtable[];
extern const struct api_kind operation_kind;
/* Shows it, or shows what has changed. NULL: no memory. */
const struct api_op *operations_put(struct api *api, const struct op *op);
void operations_finished(struct api *api, const struct op *op);
