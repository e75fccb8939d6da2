/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * What to do about a fault: tables that read like a page of advice (src/diag/advice.c). From them
 * come the troubleshooting pages, the journal's catalog, the JSON of a diagnosis and what `fix`
 * does. Pure; any thread.
 */

#include "diag/finding.h"

enum remedy_risk { RISK_NONE, RISK_LOW, RISK_MIDDLE, RISK_HIGH };
/* What the hub does itself. */
enum remedy_act {
	REMEDY_BY_PERSON,
	REMEDY_MEASURE,      /* read everything again */
	REMEDY_SET_CLOCK,    /* ACT_SET_TIME */
	REMEDY_RESTART_LOCK, /* ACT_REBOOT */
	REMEDY_CALIBRATE,    /* ACT_CALIBRATE: moves the motor */
	REMEDY_SYNC_CODES,
	REMEDY_IMPORT_LOG,
	REMEDY_POWER_ADAPTER, /* off and on, where [ble] sole_user allows */
	REMEDY_RESTART_BLUEZ, /* where [ble] restart_service allows */
	REMEDY_RECONNECT_BROKER,
	REMEDY_BACKUP,
};
/* Steps from the model's data instead of, or after, the row's own. */
enum model_steps {
	STEPS_NONE,
	STEPS_BATTERY_CHANGE,
	STEPS_FACTORY_RESET,
	STEPS_PAIRING,
	STEPS_RESTART,
	STEPS_CALIBRATE,
	STEPS_FIRMWARE,
	STEPS_CONTACT,
};

struct remedy {
	const char *name;  /* "change-batteries": kept in the database */
	const char *title; /* "Change the batteries" */
	int effort_min;    /* of the person; 0: none */
	enum remedy_risk risk;
	enum remedy_act act;
	const char *confirm; /* what must be agreed to before: "The bolt will move."; "" nothing */
	const char *command; /* "lockhubctl care batteries LOCK"; "" */
	enum model_steps model_steps;
	const char *steps[8]; /* NULL-terminated */
	/* Name of the check that measures whether it helped; "": nothing can be measured. */
	const char *verify;
	bool is_last_resort; /* a backup is made and checked before */
};

#define REMEDIES_PER_FAULT_MAX 8
struct advice {
	enum fault_code fault;
	enum severity severity;
	/* One paragraph for people: what it means, and how it shows. */
	const char *meaning;
	/* Cheapest and safest first; names of remedies, NULL-terminated. "contact-support" ends
	 * each list. */
	const char *remedies[REMEDIES_PER_FAULT_MAX + 1];
	/* Faults that this one explains, FAULT_NONE-terminated. */
	enum fault_code explains[16];
};

/* NULL: none (an answer to a request, not a lasting condition). */
const struct advice *advice_for(enum fault_code fault);
const struct advice *advice_rows(size_t *ret_n);
const struct remedy *remedy_find(const char *name);
const struct remedy *remedy_rows(size_t *ret_n);
