/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Everything that a judgement is made of, as plain values at one moment. Gathered by a run
 * (run.c) from the hub, the history and whoever owns a fact (struct diag_source); judged by
 * judge.c, which sees nothing else. So each judgement can be repeated, tested and put into a bug
 * report.
 *
 * "Not known" is a value of its own everywhere: a check that lacks a fact says so.
 */

#include "core/history.h"
#include "core/hub.h"
#include "diag/forecast.h"

/* Yes, no, or nobody could say. */
enum known_flag { FLAG_UNKNOWN = -1, FLAG_NO = 0, FLAG_YES = 1 };

/* Where 0 would say something. */
#define WALL_UNKNOWN ((wall_t){ .s = -1 })
#define ZONE_OFFSET_UNKNOWN INT32_MIN

/* The model's data, from conf/models; "" and 0: not known. Static or borrowed for the judgement. */
#define MODEL_STEPS_MAX 12
struct model {
	const char *file; /* "nuki-gen3" */
	const char *name;
	enum known_flag has_mechanical_key;
	const char *support; /* URL */
	const char *battery_kind;
	const char *battery_tools; /* "none": hands do */
	int battery_count;
	double volt_full;
	int warn_percent;
	double life_days;
	enum known_flag is_life_assumed; /* nobody stands by .life_days (any more) */
	const char *firmware_newest;     /* as of .firmware_checked; "" not known */
	const char *firmware_checked;
	const char *firmware_min; /* older ones have a known fault: .firmware_fault */
	const char *firmware_fault;
	const char *battery_change[MODEL_STEPS_MAX]; /* NULL-terminated; also those below */
	const char *factory_reset[MODEL_STEPS_MAX];
	const char *pairing[MODEL_STEPS_MAX];
	const char *restart[MODEL_STEPS_MAX];
	const char *calibrate[MODEL_STEPS_MAX];
	const char *firmware_update[MODEL_STEPS_MAX];
	const char *contact[MODEL_STEPS_MAX]; /* ways to reach the maker's support */
	const char *install[MODEL_STEPS_MAX];
	const char *install_tools;
	int restart_wait_s; /* without power before it may be put back */
};

/* What measuring gave; .was_tried false: nobody asked the lock. */
struct probe {
	enum act act;
	bool was_tried;
	bool is_done;
	struct fault fault; /* when not done */
	int64_t took_ms;
};
#define PROBES_MAX 6

#define DIAG_EVENTS_MAX 300
struct lock_facts {
	char id[LOCK_ID_MAX], slug[LOCK_SLUG_MAX], name[LOCK_NAME_MAX];
	char brand[32];
	const struct model *model; /* never NULL; all unknown when no file fits */
	struct lock_status status; /* after measuring */
	struct radio_stats radio;
	bool is_reachable, is_linked, is_announcing, has_pin;
	unsigned acts; /* bits 1 << act */
	struct fault standing[8];
	size_t n_standing;
	size_t n_sync_pending, n_revocations_pending;
	wall_t paired_at;
	int unheard_s; /* since it was heard last; -1 never in this life of the hub */
	struct history history;
	struct forecast forecast;
	const struct event *events; /* of this lock, newest first */
	size_t n_events;
	struct probe probes[PROBES_MAX];
	size_t n_probes;
	/* Codes as the book has them: counts alone, never the codes. */
	unsigned n_codes, n_codes_short; /* fewer than 6 digits where more can be had */
	unsigned n_codes_weak;           /* of those that are tried first, see pin_weakness() */
	unsigned n_codes_old;            /* unchanged for two years; of those whose age is known */
	/* So many wrong codes in a row block the keypad for so long; 0 not known. */
	unsigned wrong_most, wrong_disable_s;
	enum lock_pin pin;               /* how good the security PIN is */
	const char *pin_weakness;        /* with LOCK_PIN_WEAK why, static; else "" */
	wall_t pin_set_at;               /* since when the hub has it; 0 not known */
	enum known_flag has_factor;      /* remote unlocking asks for a second factor */
	const struct protocol *protocol; /* what protects its link, static; NULL not known */
	/* Who has agreed to rely on it although it is weak, and when; "" nobody that is known. */
	char weak_by[EVENT_USER_MAX];
	wall_t weak_since;
};

#define DIAG_ADAPTERS_MAX 8
struct adapter_facts {
	char name[16]; /* hci0 */
	char address[RADIO_ADDRESS_MAX];
	enum known_flag is_powered, is_blocked, is_usb, is_onboard;
	enum known_flag is_usb3_port;      /* its USB port, or its neighbour's traffic, is USB 3 */
	enum known_flag is_autosuspending; /* power/control is "auto" */
	char chip[64];
	struct radio_stats stats; /* of the ble room */
	int deaf_s; /* listening, and nothing at all heard for so long; -1 not known */
};

/* A file or folder that must not be readable for others. */
#define DIAG_EXPOSED_MAX 8

struct hub_facts {
	wall_t now;
	bool is_asked_by_person; /* set before the sources: others may be bothered for an answer */
	enum known_flag is_clock_trusted;
	int zone_offset_minutes; /* of the hub's local time east of UTC, now; ZONE_OFFSET_UNKNOWN */
	struct radio_status radio;
	enum known_flag is_anything_heard; /* any advertisement of anybody in the last minutes */
	struct adapter_facts adapters[DIAG_ADAPTERS_MAX];
	size_t n_adapters;
	unsigned n_locks, n_locks_reachable;
	struct fault ledger; /* FAULT_NONE */

	/* By sources; each leaves what it cannot know. */
	struct {
		enum known_flag is_wanted, is_connected, is_online;
		struct fault fault;
		char broker[160];
		enum known_flag is_tls, is_local, has_password, is_anonymous_ok;
		wall_t anonymous_at; /* when that was tried out; 0: by the hub's own connection */
		uint64_t refused, lost_events;
	} broker;
	struct {
		int64_t disk_free, disk_size; /* of the database's file system; -1 not known */
		int64_t database_size;
		enum known_flag was_clean_stop, is_log_whole;
		char log_reason[96];                 /* why it is not whole: "row 7: ..." */
		int n_restarts;                      /* of the daemon in the last day; -1 */
		char exposed[DIAG_EXPOSED_MAX][160]; /* what is readable for others */
		size_t n_exposed;
		enum known_flag is_wifi;       /* the hub's own way out is Wi-Fi */
		enum known_flag is_wifi_24ghz; /* ... at 2.4 GHz */
		/* "open", "owe", "wep", "wpa", "wpa2", "wpa2/wpa3", "wpa3", with "-eap" those with
		 * a login instead of one password; "" not known, or no Wi-Fi. */
		char wifi_security[16];
		enum known_flag is_undervolted; /* Raspberry Pi's flag */
		char os[64], kernel[64], board[64], version[32];
		/* Newest automatic or asked-for backup; 0 none, WALL_UNKNOWN. */
		wall_t backup_at;
		struct fault backup; /* why the last one failed */
	} host;
};

struct diag_facts {
	struct hub_facts hub;
	const struct lock_facts *lock; /* NULL: the hub alone is judged */
};

/* Everything unknown: as a source finds it. */
void hub_facts_init(struct hub_facts *facts);
