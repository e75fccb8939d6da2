/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Guided care of a lock. A task is a list of steps; each is shown, done or asked for, measured
 * where it can be, and then noted at the lock (SetNote, key: the task), so that a task that was
 * broken off, even by a power cut, goes on where it was.
 *
 *	care.c       a task: opening, questions, steps, notes, attempts
 *	care-acts.c  what several tasks do and measure
 *	cmd-care*.c  the tasks
 *
 * Answers come from standard input, terminal or not; its end means that nobody is there any more.
 */

#include "room.h"

#define CARE_TEXT_MAX 96
#define CARE_STEPS_MAX 32

enum care_result {
	CARE_DONE,
	CARE_SKIPPED, /* it makes no sense for this lock, or was not wanted */
	CARE_FAILED,  /* measured, and not as it should be */
	CARE_OPEN,    /* takes a person, and nobody answered */
};
enum care_answer { ANSWER_YES, ANSWER_NO, ANSWER_NOBODY };

struct care {
	struct ctl *ctl;
	const char *task; /* "batteries": key of the note */
	char path[PATH_TEXT_MAX];
	char slug[64];
	json_t *lock;    /* facts; care_look() reads them again */
	json_t *history; /* docs/diagnosis.md */
	/* {"begun", "attempt", "before", "steps": {NAME: TEXT}}; and what steps keep there. */
	json_t *note;
	bool is_json;
	json_t *told;             /* of the steps, for --json */
	char text[CARE_TEXT_MAX]; /* what the step that runs has measured or done */
};

struct care_step {
	const char *name; /* kept in the note; --skip */
	const char *title;
	enum care_result (*run)(struct care *care);
};

/*
 * The lock that @word means, what is known of it, and where the task stands. CTL_DONE or another
 * after an explanation. With --restart the task begins anew.
 */
int care_open(struct ctl *ctl, const char *word, const char *task, struct care *ret);
void care_finish(struct care *care);
/* CTL_DONE: each step is done or was skipped. */
int care_walk(struct care *care, const struct care_step *steps, size_t n);
/* Which steps are done, for --status. */
int care_status(struct care *care, const struct care_step *steps, size_t n);
/* Something for people; nothing with --json. */
void care_say(struct care *care, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* What the step has to tell. */
enum care_result care_tell(struct care *care, enum care_result result, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Yes with --yes; nobody with --no-input. */
enum care_answer care_ask(struct care *care, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Steps of the model's data; false: it has none. @name "battery_change". */
bool care_print_steps(struct care *care, const char *name);
/* For a step that only a person can do: done, skipped, or open. */
enum care_result care_person(struct care *care, const char *question);
const json_t *care_model(const struct care *care); /* never NULL */
/* Keeps a text under @key for as long as the task goes on, or for good as a note of its own. */
void care_keep(struct care *care, const char *key, const char *text);
const char *care_kept(const struct care *care, const char *key); /* "" */
/* What is tried is remembered with its outcome; @fault "" for routine care. */
void care_begin_attempt(
	struct care *care, const char *fault, const char *remedy, const char *before);
void care_end_attempt(struct care *care, const char *outcome, const char *after);
/* Nothing is to be remembered any more, but that it was done: note "batteries-done". */
int care_close(struct care *care, int status, const char *summary);

/* care-acts.c */
bool care_look(struct care *care); /* false after an explanation */
/* Reads the history again; false after an explanation. */
bool care_look_back(struct care *care);
bool care_can(const struct care *care, const char *act);
/* An operation of the lock; @ret_ms (may be NULL) from asking to its end. */
bool care_act(struct care *care, const char *method, int64_t *ret_ms);
/* "82 %, ok" */
const char *care_battery_text(const json_t *lock, char out[static CARE_TEXT_MAX]);
/* Until the lock answers; asks again and again as long as somebody wants it. */
enum care_result care_wait_back(struct care *care);
enum care_result care_check_clock(struct care *care);
enum care_result care_check_battery(struct care *care);
enum care_result care_check_signal(struct care *care);
enum care_result care_check_calibrated(struct care *care);
/* So many times there and back, with consent; ends in the state in which it was. */
enum care_result care_cycle_bolt(struct care *care, uint64_t cycles);
/* By hand or at the keypad, seen by the hub: waits for such an entry of the log. */
enum care_result care_watch_hand(struct care *care, const char *source, const char *request);
/* Median of the newest @n samples of a kind; -1 none. */
int64_t care_median_sample(const struct care *care, const char *kind, size_t n);
/* Links that came about, of 100 attempts in the last @days days; -1: too few. */
int care_link_percent(const struct care *care, int days);
/* "3.5.2" against "3.10": below 0, 0 or above; number by number. */
int care_compare_versions(const char *a, const char *b);
