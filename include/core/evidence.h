/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Evidence and what is made of it (docs/architecture.md, flow 1; L1). A driver reports struct
 * evidence: the facts it has just learnt, and how. The lock folds it into struct lock_status, in
 * which each group of facts carries when and how it was learnt. Nothing else writes a status.
 */

#include "core/terms.h"
#include "util/when.h"

#define VERSION_TEXT_MAX 24

/* Groups of facts: bits of evidence.has and of lock_change.what. */
enum {
	FACT_BOLT = 1 << 0, /* state, motion, is_jammed */
	FACT_DOOR = 1 << 1,
	FACT_BATTERY = 1 << 2,        /* level, percent, is_charging */
	FACT_BATTERY_REPORT = 1 << 3, /* millivolts and the like */
	FACT_ACCESSORIES = 1 << 4,    /* keypad and door sensor batteries */
	FACT_VERSIONS = 1 << 5,       /* firmware, hardware, serial, model */
	FACT_CLOCK = 1 << 6,          /* the lock's own time */
	FACT_ACTUATOR = 1 << 7,       /* calibrated, motor enabled */
	FACT_CONFIG = 1 << 8,         /* counters and switches of the lock's configuration */
	FACT_SIGNAL = 1 << 9,         /* RSSI as the lock hears us */
	FACT_HEARD = 1 << 10,         /* an advertisement came: rssi, last seen */
	/* Only in lock_change.what: */
	FACT_LINK = 1 << 11,  /* link or reachability changed */
	FACT_FAULT = 1 << 12, /* the standing fault changed */
	FACT_LAST_EVENT = 1 << 13,
	FACT_NAME = 1 << 14,
	FACT_QUEUE = 1 << 15, /* operations waiting or running */
	FACT_LOG = 1 << 16,   /* log cursor moved */
	FACT_TIMERS = 1 << 17,
	FACT_SETTINGS = 1 << 18,
};

struct bolt_facts {
	enum lock_state state;
	enum lock_motion motion;
	bool is_jammed;
	/* What the lock said caused its last movement; SOURCE_UNSPECIFIED when it did not say. */
	enum operation_source source;
};

struct battery_facts {
	enum battery_level level;
	int percent; /* 0..100, -1: the lock does not say (never derived from "low") */
	bool is_charging;
};

/* All -1 (or INT16_MIN for the temperature) when not known. */
struct battery_report {
	int millivolts;        /* now */
	int millivolts_start;  /* at the start of the last action */
	int millivolts_lowest; /* during it */
	int milliamps_peak;
	int milliohms;
	int degrees_turned;
	int celsius;
};

struct accessory_facts {
	enum battery_level keypad; /* BATTERY_UNKNOWN: no keypad, or it does not say */
	enum battery_level door_sensor;
};

struct version_facts {
	char firmware[VERSION_TEXT_MAX]; /* "2.8.15"; "" when not known */
	char hardware[VERSION_TEXT_MAX];
	char serial[VERSION_TEXT_MAX]; /* the vendor's id of this lock, e.g. "1A2B3C4D" */
	char model[48];                /* "Nuki Smart Lock 4.0" */
};

struct clock_facts {
	wall_t lock_time;    /* UTC, as the lock said */
	wall_t hub_time;     /* our clock at that moment */
	bool is_hub_trusted; /* whether ours was synchronised */
	int offset_minutes;  /* the lock's local time zone, minutes east of UTC */
};

struct actuator_facts {
	bool is_enabled; /* ActuatorEnabled: false while uncalibrated, calibrating, in maintenance
			  */
	bool is_calibrated;
};

struct config_facts {
	/* Changes when the lock's configuration does; also filled in with an answered FACT_BOLT. */
	uint32_t version;
	bool has_keypad;
	bool has_door_sensor;
	bool is_pairing_enabled;
	bool is_log_enabled;
	int auto_lock_s;    /* 0 off, -1 not known */
	char lock_name[64]; /* the name set in the vendor's app */
};

struct evidence {
	unsigned has; /* FACT_ bits */
	enum evidence_how how;
	struct bolt_facts bolt;
	enum door_state door;
	struct battery_facts battery;
	struct battery_report report;
	struct accessory_facts accessories;
	struct version_facts versions;
	struct clock_facts clock;
	struct actuator_facts actuator;
	struct config_facts config;
	int16_t lock_rssi; /* dBm as the lock hears us; 0 not known */
	int16_t rssi;      /* dBm as we hear it; 0 not known */
	/* The advertisement says that something changed which we have not read yet. */
	bool is_changed;
	/* With is_changed: what says so passes by itself. Hearing it no more is not having read. */
	bool is_passing;
};

/* When and how a group of facts became known. */
struct known {
	enum evidence_how how; /* EVIDENCE_NONE: not known at all */
	mono_t at;             /* 0 when how is EVIDENCE_STORED or EVIDENCE_NONE */
	wall_t wall;
};

struct lock_status {
	struct bolt_facts bolt; /* state LOCK_STATE_UNKNOWN until read in this life of the daemon */
	struct known bolt_known;
	/* The state stored by the former life, for people; never published as the state. */
	enum lock_state previous_state;
	wall_t previous_at;
	enum door_state door;
	struct known door_known;
	struct battery_facts battery;
	struct known battery_known;
	struct battery_report report;
	struct known report_known;
	struct accessory_facts accessories;
	struct known accessories_known;
	struct version_facts versions;
	struct known versions_known;
	struct clock_facts clock;
	struct known clock_known;
	struct actuator_facts actuator;
	struct known actuator_known;
	struct config_facts config;
	struct known config_known;
	int16_t lock_rssi;
	int16_t rssi;
	struct known heard; /* last advertisement or link */
};

/* Everything unknown. */
void lock_status_init(struct lock_status *status);
/*
 * Folds @evidence in. Older knowledge never replaces newer; EVIDENCE_STORED goes to previous_state
 * for the bolt and leaves the door unknown. @return FACT_ bits of what is different now, FACT_HEARD
 * and FACT_CLOCK included even when only the time of knowing moved.
 */
unsigned lock_status_fold(
	struct lock_status *status, const struct evidence *evidence, mono_t now, wall_t wall);
/* The bolt's position is in doubt (an outcome is not known): unknown until it is read (L1). */
unsigned lock_status_doubt_bolt(struct lock_status *status);
