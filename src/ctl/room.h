/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What the commands share.
 *
 *	ctl.c        the table of commands, finding one, help
 *	options.c    the table of options, reading a command line
 *	talk.c       the connection, calls, and errors explained
 *	verdict.c    a diagnosis printed for people
 *	wire.c       D-Bus values as JSON;  facts.c in the form that is documented
 *	operation.c  asking for something and waiting for its outcome
 *	enrol.c      one-time passwords
 *	journal.c    entries of the log;  file.c files to carry about
 *	diagnosis.c  what lockhubd says about the health of locks;  report*.c a page of it;
 *	             bundle*.c a file for support;  redact*.c what must not be in it
 *	care.c       guided tasks, step by step;  care-acts.c what they measure (care.h)
 *	people.c     users and what belongs to them;  waiting.c until the locks have it
 *	print.c      text, colours, tables, JSON;  moment.c times and ages;  prompt.c questions
 *	cmd-*.c      one command each
 */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "ctl/ctl.h"
#include "util/auto.h"
#include "util/fault.h"
#include "util/secret.h"

#define HUB_NAME "org.lockhub1"
#define HUB_ROOT "/org/lockhub1"
#define MANAGER_PATH "/org/lockhub1/manager"
#define MANAGER_INTERFACE "org.lockhub1.Manager"
#define LOCK_INTERFACE "org.lockhub1.Lock"
#define OPERATION_INTERFACE "org.lockhub1.Operation"
#define USER_INTERFACE "org.lockhub1.User"
#define OPERATION_PREFIX "/org/lockhub1/operation"

#define PATH_TEXT_MAX 256
#define LINE_TEXT_MAX 1024

AUTO_DEFINE(json_t *, json_decref);
AUTO_DEFINE(sd_bus_message *, sd_bus_message_unref);
AUTO_DEFINE(sd_bus_slot *, sd_bus_slot_unref);

/* Options that not every command takes. */
enum {
	OPT_JSON = UINT64_C(1) << 0,
	OPT_NO_WAIT = UINT64_C(1) << 1,
	OPT_NAMES = UINT64_C(1) << 2,
	OPT_LINES = UINT64_C(1) << 3,
	OPT_FOLLOW = UINT64_C(1) << 4,
	OPT_FILTER = UINT64_C(1) << 5, /* --since --until --lock --user --type */
	OPT_FORCE = UINT64_C(1) << 6,
	OPT_YES = UINT64_C(1) << 7,
	OPT_NAME = UINT64_C(1) << 8,
	OPT_APP = UINT64_C(1) << 9,
	OPT_PIN_STDIN = UINT64_C(1) << 10,
	OPT_SECONDS = UINT64_C(1) << 11,
	OPT_UNLATCH = UINT64_C(1) << 12,
	OPT_READ = UINT64_C(1) << 13,
	OPT_AT_LOCK = UINT64_C(1) << 14,        /* --lock */
	OPT_NEW_PIN = UINT64_C(1) << 15,        /* --generate --digits --stdin */
	OPT_VALID = UINT64_C(1) << 16,          /* --valid */
	OPT_CODE_ADD = UINT64_C(1) << 17,       /* --until --once --label --type */
	OPT_USER_TYPE = UINT64_C(1) << 18,      /* --type --expires-after */
	OPT_USER_EDIT = UINT64_C(1) << 19,      /* --name --enable --disable --code --totp ... */
	OPT_CREDENTIAL = UINT64_C(1) << 20,     /* --type of a credential */
	OPT_FACTOR = UINT64_C(1) << 21,         /* --code --stdin */
	OPT_MODE = UINT64_C(1) << 22,           /* --mode */
	OPT_PASSPHRASE = UINT64_C(1) << 23,     /* --stdin */
	OPT_CSV = UINT64_C(1) << 24,            /* --csv */
	OPT_WITH_CODES = UINT64_C(1) << 25,     /* --with-codes */
	OPT_DRY_RUN = UINT64_C(1) << 26,        /* --dry-run */
	OPT_TIMER = UINT64_C(1) << 27,          /* --enable --disable */
	OPT_OUTPUT = UINT64_C(1) << 28,         /* --output */
	OPT_ATTACH = UINT64_C(1) << 29,         /* --attach, more than once */
	OPT_AS_TEXT = UINT64_C(1) << 30,        /* --text */
	OPT_WATCH = UINT64_C(1) << 31,          /* --watch */
	OPT_RESET = UINT64_C(1) << 40,          /* --restore --for-sale --no-backup */
	OPT_DOCTOR = UINT64_C(1) << 32,         /* --verbose --quiet */
	OPT_BACKUP = UINT64_C(1) << 48,         /* --passphrase-file */
	OPT_WITH_PASSWORDS = UINT64_C(1) << 49, /* --with-passwords */
	OPT_INTO = UINT64_C(1) << 50,           /* --into */
	OPT_CARE = UINT64_C(1) << 33,           /* --no-input --restart --status --skip */
	OPT_CYCLES = UINT64_C(1) << 34,         /* --cycles */
	OPT_NO_BACKUP = UINT64_C(1) << 36,      /* --no-backup alone */
	OPT_KEY_FILE = UINT64_C(1) << 35,       /* --key-file --accept-weak */
	OPT_LEARN = UINT64_C(1) << 37,          /* --type --label */
};
/* What every command takes that asks for an operation. */
#define OPTS_OPERATION (OPT_JSON | OPT_NO_WAIT)

enum color_mode { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

/* What an option has been given that may be there more than once. */
#define OPTION_WORDS_MAX 16
struct words {
	const char *word[OPTION_WORDS_MAX];
	size_t n;
};

struct options {
	bool is_help, is_version;
	bool is_json, is_no_wait, is_names, is_follow, is_forced, is_yes, as_app, is_pin_stdin;
	bool is_unlatch, is_read, is_system_bus, is_no_ask;
	bool is_generate, is_once, is_enable, is_disable, is_code, is_no_code, is_totp, is_no_totp;
	bool is_csv, is_with_codes, is_dry_run;
	bool is_restore, is_no_backup, is_for_sale;
	bool is_verbose, is_quiet;
	bool is_no_input, is_restart, is_status;
	bool is_with_passwords;
	bool is_accepting_weak;
	const char *passphrase_file, *into, *key_file;
	const char *bus_address, *name, *lock, *user, *type, *since, *until, *color;
	bool is_text, is_watching;
	const char *valid, *label, *mode, *output;
	struct words attached, skipped;
	uint64_t cycles;        /* of the bolt; 0: not given */
	uint64_t digits;        /* of a generated code; 0: not given */
	uint64_t expires_after; /* minutes; 0: not given */
	uint64_t lines;         /* 0: not given */
	uint64_t seconds;       /* of a scan; 0: not given */
	uint64_t timeout;       /* seconds to wait for an outcome; 0: for ever */
};
#define TIMEOUT_DEFAULT_S 120

struct ctl {
	struct options opt;
	const struct command *command;
	FILE *in, *out, *err;
	bool is_tty;    /* out is a terminal */
	bool is_asking; /* in and err are terminals: a person can be asked */
	enum color_mode color;
	/* A fault that talk_send() does not explain, because the caller can do something about it.
	 */
	enum fault_code expected;
	bool has_met_expected;
	sd_bus *bus;
};

struct command {
	const char *name; /* "log verify" */
	const char *args; /* "LOCK NAME"; in brackets what may be left out */
	const char *blurb;
	const char *help; /* paragraphs; each line at most 80 columns */
	const char *example;
	uint64_t options; /* OPT_ bits */
	int min_args, max_args;
	int (*run)(struct ctl *ctl, char **args, int n_args); /* enum ctl_exit */
};

/* ctl.c: sorted by name, NULL-terminated */
extern const struct command *const ctl_commands[];
const struct command *command_find(const char *name);
/* Whether there are commands of two words that begin with it, and what they are. */
bool command_has_family(const char *word);
void print_family(struct ctl *ctl, FILE *out, const char *word);
/* Says what is wrong and how it is used; @return CTL_USAGE. */
int usage_error(struct ctl *ctl, const char *format, ...) __attribute__((format(printf, 2, 3)));
void print_command_help(struct ctl *ctl, const struct command *command);

/* options.c */
/* Which rows of its table were used. */
#define OPTION_ROWS_MAX 128
struct option_set {
	uint64_t bits[OPTION_ROWS_MAX / 64];
};
/*
 * Reads options from anywhere before "--"; the other words go to @words (room for @argc).
 * 0, or CTL_USAGE after having said what is wrong.
 */
int options_read(struct ctl *ctl, int argc, char **argv, char **words, int *ret_n_words,
	struct option_set *ret_used);
/* Whether the options that were used go with the command. 0 or CTL_USAGE. */
int options_check(struct ctl *ctl, const struct option_set *used);
/* The lines of help about options in @mask; 0: those of every command. */
void options_print(struct ctl *ctl, uint64_t mask);

/* talk.c: all say on ctl->err what went wrong, so that callers just return CTL_FAILED. */
int talk_connect(struct ctl *ctl);
/* A method call to lockhubd, ready for its arguments. */
int talk_new(struct ctl *ctl, const char *path, const char *interface, const char *member,
	sd_bus_message **ret_call);
/* @about: the lock it is about, for messages and hints; may be NULL. */
int talk_send(struct ctl *ctl, sd_bus_message *call, const char *about, sd_bus_message **ret_reply);
/* Both with simple arguments; @ret_reply may be NULL. */
int talk_call(struct ctl *ctl, const char *path, const char *interface, const char *member,
	const char *about, sd_bus_message **ret_reply, const char *types, ...);
void talk_explain(struct ctl *ctl, const sd_bus_error *error, const char *about);
/* Resolves what a person calls a lock; @ret_path has PATH_TEXT_MAX. */
int talk_find_lock(struct ctl *ctl, const char *word, char *ret_path);
/*
 * What is listened to, for as long as the object lives that the handlers get: declared beside it
 * with AUTO_VALUE(ears_finish), after it.
 */
#define EARS_MAX 6
struct ears {
	sd_bus_slot *slots[EARS_MAX];
	size_t n;
};
void ears_finish(struct ears *ears);
/* Listens to a signal of lockhubd. */
int talk_match(struct ctl *ctl, struct ears *ears, const char *path, const char *interface,
	const char *member, sd_bus_message_handler_t handler, void *user);
/* Tells when lockhubd goes or comes: handler gets NameOwnerChanged. */
int talk_match_owner(
	struct ctl *ctl, struct ears *ears, sd_bus_message_handler_t handler, void *user);
/*
 * Handles what comes until *done, or @deadline_us (CLOCK_MONOTONIC, UINT64_MAX none), or *stop
 * (a signal handler's; may be NULL). 0, -ETIMEDOUT, -EINTR, or another negative errno when the
 * connection broke.
 */
int talk_until(struct ctl *ctl, const bool *done, uint64_t deadline_us, const volatile int *stop);
/* A call to the manager that takes its time and tells by a signal how far it is. */
struct long_call {
	const char *signal;                   /* of the manager, to us */
	sd_bus_message_handler_t on_progress; /* its user is the struct ctl */
	sd_bus_message_handler_t on_answer;
	void *answer; /* the user of on_answer */
	const bool *is_there;
	uint64_t timeout_us;
};
/* Returns when the answer is there, or it has been said why none comes. */
void talk_long(struct ctl *ctl, sd_bus_message *call, const struct long_call *how);
uint64_t talk_deadline(uint64_t seconds); /* 0: UINT64_MAX */

/* verdict.c: a diagnosis for people */
/* All of it, with what was measured when @is_verbose. @return the exit status that goes with it. */
int verdict_print(struct ctl *ctl, const json_t *diagnosis, bool is_verbose);
/* 0, 3 or 4 by its "worst". */
int verdict_status(const json_t *diagnosis);
/* What was measured, in one line; returns out. */
char *verdict_proof(const json_t *proofs, char *out, size_t size);
/* A paragraph, broken to fit 80 columns, each line behind @indent blanks. */
void print_paragraph(struct ctl *ctl, int indent, const char *text);

/* wire.c */
/* The next value of the message, of whatever type, as JSON; text made harmless. NULL: broken. */
json_t *wire_read(sd_bus_message *message);

/* bond.c */
enum bond {
	BOND_NONE,
	BOND_REMOVED,
	BOND_KEPT,    /* there is one, and BlueZ did not let this person take it away */
	BOND_UNKNOWN, /* BlueZ does not answer, or not to this person */
};
/* Lets BlueZ forget what it has paired under this address. */
enum bond bond_remove(struct ctl *ctl, const char *address);

/* facts.c: new references; NULL after an explained error */
json_t *facts_of_lock(json_t *properties);      /* takes; as documented in lockhubctl(1) */
json_t *facts_of_event(json_t *event);          /* takes */
json_t *facts_of_operation(json_t *properties); /* takes */
json_t *facts_of_status(json_t *status);        /* takes */
json_t *facts_of_sighting(json_t *sighting);    /* takes */
json_t *facts_of_user(json_t *properties);      /* takes */
json_t *facts_of_list(json_t *list);            /* takes; each object of an array mended */
/* {"locks": [...], "operations": [...], "users": [...]} */
json_t *facts_fetch_all(struct ctl *ctl);
/* Says so; returns NULL. */
json_t *facts_unreadable(struct ctl *ctl);
json_t *facts_fetch_lock(struct ctl *ctl, const char *path);
/* The locks named, or all when there are none. */
json_t *facts_fetch_locks(struct ctl *ctl, char **words, int n_words);
const char *facts_text(const json_t *facts, const char *key); /* "" when null or missing */
bool facts_flag(const json_t *facts, const char *key);
/* @fallback when null or missing */
int64_t facts_number(const json_t *facts, const char *key, int64_t fallback);
/* "front_door_x" for "FrontDoorX"; returns out. */
char *facts_key(const char *property, char *out, size_t size);

/* operation.c */
/*
 * Sends @call, waits for the operation it returns to finish and says how it went. @about: the
 * lock's name. *ret_facts (may be NULL) gets the finished operation when it was done; with it the
 * caller says what is worth saying, else a line is printed here.
 */
int operation_run(struct ctl *ctl, sd_bus_message *call, const char *about, json_t **ret_facts);
/* The whole of a command that is one method without arguments. */
int operation_simple(struct ctl *ctl, const char *word, const char *method);
/*
 * The same for a method that has a sister NAMEWithFactor: asks for the second factor with --code,
 * or on a terminal when the hub says that it wants one.
 */
int operation_proven(struct ctl *ctl, const char *word, const char *method);
/* "front-door is locked (answered by the lock, just now)" */
void operation_print_state(struct ctl *ctl, const json_t *lock);
/* "  (answered by the lock, 3 min ago)", or nothing when the group is not known. */
void operation_print_evidence(struct ctl *ctl, const json_t *lock, const char *group);
/* JSON of an operation with the lock's state after it; takes. */
int operation_print_json(struct ctl *ctl, json_t *take_facts, const char *lock_path);

/* people.c */
/* Resolves what a person calls a user; @ret_path has PATH_TEXT_MAX. */
int people_find(struct ctl *ctl, const char *word, char *ret_path);
/* facts_ as in lockhubctl(1), with credentials and schedules. NULL after an explanation. */
json_t *people_fetch_user(struct ctl *ctl, const char *path);
/* The user that owns the code with this id; @ret_path has PATH_TEXT_MAX. */
int people_find_code(struct ctl *ctl, const char *id, char *ret_path);
/* The user that @word means, or all when it is NULL, by number; an array. */
json_t *people_fetch_users(struct ctl *ctl, const char *word);
/* What the lock with this path holds: an array. */
json_t *people_fetch_slots(struct ctl *ctl, const char *lock_path);
/* A method without an answer worth reading; arguments are strings. */
int people_call(struct ctl *ctl, const char *path, const char *interface, const char *member,
	const char *types, ...);
/* Joins the texts of an array with ", "; "" when there are none. Returns out. */
char *people_join(const json_t *texts, char *out, size_t size);
/* "Mon-Fri 08:00-12:00; ..." of the schedules that count at @lock (NULL: of all). */
char *people_when(const json_t *user, const char *lock, char *out, size_t size);
/* "3 present, 1 leaving, 2 foreign; The lock is not heard ..." of a lock's "sync". */
char *people_sync_text(const json_t *sync, char *out, size_t size);
enum tone tone_of_placement(const char *state);
/* "present", "pending", "refused: The list is full", ... */
char *people_placement_text(const json_t *at, char *out, size_t size);

/* journal.c */
#define LOG_PAGE 500 /* as many as Manager.QueryLog gives */
/*
 * Oldest first: of the entries that fit the options the first @limit after number @after, or, with
 * 0, the newest @limit before number @before (0: of all). NULL and *ret_exit after an explanation.
 */
json_t *log_page(struct ctl *ctl, const char *lock, int64_t limit, int64_t before, int64_t after,
	int *ret_exit);
void log_print_csv_header(FILE *out);
void log_print_csv(FILE *out, const json_t *event);
void csv_print_text(FILE *out, const char *text);

/* file.c */
/*
 * A new file that only its owner can read, or ctl->out for "-". NULL after an explanation.
 * file_close() makes sure that it is on the disk; it takes @file. CTL_DONE or CTL_FAILED after an
 * explanation.
 */
FILE *file_create(struct ctl *ctl, const char *path);
int file_close(struct ctl *ctl, const char *path, FILE *take_file);
/* The whole of a file, terminated, at most FILE_MAX; free() it. NULL after an explanation. */
#define FILE_MAX (4 * 1024 * 1024)
char *file_read(struct ctl *ctl, const char *path, size_t *ret_n);
/*
 * Text sealed with a key from a passphrase. sealed_write: CTL_DONE or another after an explanation.
 * sealed_open: the text, terminated, to be wiped and freed; NULL after an explanation.
 */
int sealed_write(struct ctl *ctl, FILE *file, const char *text, const struct secret *passphrase);
bool sealed_is(const char *content, size_t n);
char *sealed_open(struct ctl *ctl, const char *content, size_t n, const struct secret *passphrase);

/* enrol.c */
/*
 * Sets up one-time passwords: makes a key, shows it as a QR code and a URI, and asks for a password
 * until the phone agrees. CTL_DONE and the key, or another after an explanation.
 */
int enrol_totp(struct ctl *ctl, const char *account, struct secret *ret_key);

/* waiting.c */
enum waiting_for { WAITING_ARRIVAL, WAITING_DEPARTURE };
struct waiting {
	enum waiting_for what;
	char path[PATH_TEXT_MAX]; /* of the user; one that has gone holds nothing */
	char code[16];            /* id of a credential; "" all of the user */
	char lock[64];            /* slug; "" every lock */
};
/*
 * Waits until the locks have what was changed, shows how it goes, and says at the end how it stands
 * at each lock. Gives up when it cannot go on for now: a lock that is out of reach gets it at the
 * next contact. CTL_FAILED when a lock refused it, or still holds what must go.
 * With --json *ret_locks (may be NULL) gets [{"lock", "state", ...}] and nothing is printed.
 */
int waiting_run(struct ctl *ctl, const struct waiting *waiting, json_t **ret_locks);

/* scan.c */
/* Something was heard, for the first time or with other facts. @return true: seen enough. */
typedef bool scan_fn(void *user, const json_t *sighting);
/*
 * Lets lockhubd look for locks, for so many seconds or until @heard has seen enough or Ctrl-C.
 * Starts with what has been heard lately. *ret_seen: array of sightings (may be NULL). CTL_DONE, or
 * CTL_FAILED after an explanation.
 */
int scan_run(struct ctl *ctl, uint64_t seconds, scan_fn *heard, void *user, json_t **ret_seen);

/* diagnosis.c: JSON of docs/diagnosis.md; NULL after an explanation */
enum {
	DIAGNOSE_QUIET = 1 << 0,    /* no lock is asked anything */
	DIAGNOSE_SECURITY = 1 << 1, /* how secure it is, not whether it works */
	DIAGNOSE_HUB_ONLY = 1 << 2,
};
/*
 * Lets lockhubd diagnose the hub and one lock (@word is what a person calls it), or all locks with
 * NULL, and shows how it goes. Takes up to minutes.
 */
json_t *diagnosis_fetch(struct ctl *ctl, const char *word, unsigned flags);
/* Has one remedy carried out and measured; @word "" the hub. */
json_t *diagnosis_fix(struct ctl *ctl, const char *word, const char *fault, const char *remedy,
	bool is_confirmed);
/* What is remembered of the health of the lock with this path; @about for messages. */
json_t *history_fetch(struct ctl *ctl, const char *path, const char *about);
/* One note about it: {"text", "at"}; NULL: there is none, or it cannot be had, which is told. */
json_t *note_fetch(struct ctl *ctl, const char *path, const char *about, const char *key);
/*
 * For each lock that the diagnosis is about, by slug: {"facts", "history"}; what cannot be had is
 * left out after an explanation.
 */
json_t *diagnosis_locks(struct ctl *ctl, const json_t *diagnosis);

/* print.c */
enum tone { TONE_PLAIN, TONE_GOOD, TONE_BAD, TONE_WARN, TONE_FAINT, TONE_BOLD };
/* Escape sequences around text, or "" when there are no colours. */
const char *tone_start(const struct ctl *ctl, enum tone tone);
const char *tone_end(const struct ctl *ctl, enum tone tone);
enum tone tone_of_state(const char *state);
enum tone tone_of_battery(const char *level);
void say(struct ctl *ctl, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* To err, with the program's name in front. */
void complain(struct ctl *ctl, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A step that helps, indented under a complaint. */
void advise(struct ctl *ctl, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Progress on a terminal: replaces the former line; NULL takes it away. */
void progress(struct ctl *ctl, const char *format, ...) __attribute__((format(printf, 2, 3)));
void progress_end(struct ctl *ctl);
/* Prints and releases; @return CTL_DONE or CTL_FAILED when it cannot be written. */
int print_json(struct ctl *ctl, json_t *take_value);
int print_json_line(struct ctl *ctl, json_t *take_value);

struct column {
	const char *name;
	bool is_right;
	bool is_cut; /* may be cut to fit the terminal */
};
struct table;
struct table *table_new(struct ctl *ctl, const struct column *columns, size_t n);
struct table *table_free(struct table *table);
AUTO_DEFINE(struct table *, table_free);
void table_row(struct table *table);
/* The next cell of the row. */
void table_cell(struct table *table, enum tone tone, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int table_print(struct table *table);

/* moment.c */
#define AGE_TEXT_MAX 32
/* "just now", "12 s ago", "3 min ago", "5 h ago", "4 d ago"; returns out. */
char *age_text(int64_t ms, char out[static AGE_TEXT_MAX]);
#define MOMENT_TEXT_MAX 32
/* Local time: "2026-11-22 10:15:00" of an RFC 3339 text; "never" for NULL or "". */
char *moment_text(const char *rfc3339, char out[static MOMENT_TEXT_MAX]);
char *moment_format(int64_t seconds, char out[static MOMENT_TEXT_MAX]);
int moment_parse_rfc3339(const char *text, int64_t *ret_seconds);
/* "2026-11-22 10:00", "10:00", "today", "yesterday", "now", "2h ago", "-30min", "@1790000000". */
int moment_parse(const char *text, int64_t now, int64_t *ret_seconds);
int64_t moment_now(void);     /* seconds since 1970 */
int64_t moment_boot_ms(void); /* CLOCK_BOOTTIME */

/* pairing.c */
struct pairing {
	const char *name;     /* of the lock; "": the hub makes one up. Borrowed */
	const char *replaces; /* NULL, or the lock that has lost the hub's key. Borrowed */
	struct secret pin, key;
};
void pairing_wipe(struct pairing *pairing);
bool pairing_is_address(const char *text); /* AA:BB:CC:DD:EE:FF */
/*
 * Has the person agree to a weak protocol, and give the key that only the lock's maker has, as far
 * as the lock of @sighting wants that. CTL_DONE or another.
 */
int pairing_agree(struct ctl *ctl, const json_t *sighting, struct pairing *pairing);
/* The request; *ret is the caller's. A negative errno has been complained of. */
int pairing_call(struct ctl *ctl, const json_t *sighting, const struct pairing *pairing,
	sd_bus_message **ret);

/* key-file.c */
/*
 * The key that the lock of @sighting wants, out of the file @path; "-": standard input, of which
 * one line is read, or one JSON text. Of JSON only the members that the brand's key consists of
 * (key_members), and where the file names addresses, those of this lock. All else that the file
 * holds is nobody's business. The text is terminated; the mark does not count in len.
 */
int key_file_read(
	struct ctl *ctl, const char *path, const json_t *sighting, struct secret *ret_key);

/* prompt.c */
/* Asks for a PIN without showing it, or reads a line with --pin-stdin. CTL_DONE or another. */
int prompt_pin(struct ctl *ctl, const char *form, struct secret *ret_pin);
/*
 * The same for any secret: @what names it. With @is_new it is asked for twice on a terminal. The
 * text is terminated; the mark does not count in len.
 */
int prompt_secret(struct ctl *ctl, const char *what, bool is_new, struct secret *ret_secret);
/* The same from the first line of the file @path; "-" standard input, NULL: not from a file. */
int prompt_secret_from(struct ctl *ctl, const char *path, const char *what, bool is_new,
	struct secret *ret_secret);
/* A line; "" when just entered. -ENOTTY: nobody to ask. */
int prompt_line(struct ctl *ctl, char *out, size_t size, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
bool prompt_yes(struct ctl *ctl, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Ctrl-C sets the flag instead of ending the program. */
const volatile int *prompt_catch_interrupt(void);
