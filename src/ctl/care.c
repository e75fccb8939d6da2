/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "care.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "util/text.h"
#include "util/when.h"

#define NOTE_MAX 2000 /* lockhubd takes 2047 octets */

/* Saying and asking */

void care_say(struct care *care, const char *format, ...) {
	char text[LINE_TEXT_MAX];
	va_list args;
	if (care->is_json) {
		return;
	}
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	say(care->ctl, "%s", text);
}

enum care_result care_tell(struct care *care, enum care_result result, const char *format, ...) {
	va_list args;
	va_start(args, format);
	vsnprintf(care->text, sizeof(care->text), format, args);
	va_end(args);
	return result;
}

/* A line of standard input, wherever that comes from. false: its end. */
static bool read_answer(struct care *care, char *out, size_t size) {
	fflush(care->ctl->out);
	if (fgets(out, (int) size, care->ctl->in) == NULL) {
		care_say(care, "\n");
		return false;
	}
	out[strcspn(out, "\r\n")] = '\0';
	return true;
}

enum care_answer care_ask(struct care *care, const char *format, ...) {
	char question[LINE_TEXT_MAX], answer[64];
	va_list args;
	if (care->ctl->opt.is_yes) {
		return ANSWER_YES;
	}
	if (care->ctl->opt.is_no_input) {
		return ANSWER_NOBODY;
	}
	va_start(args, format);
	vsnprintf(question, sizeof(question), format, args);
	va_end(args);
	for (;;) {
		care_say(care, "%s%s%s [y, n, q to go on later] ", tone_start(care->ctl, TONE_BOLD),
			question, tone_end(care->ctl, TONE_BOLD));
		if (!read_answer(care, answer, sizeof(answer)) || answer[0] == 'q') {
			return ANSWER_NOBODY;
		}
		if (answer[0] == 'y' || answer[0] == 'Y') {
			return ANSWER_YES;
		}
		if (answer[0] == 'n' || answer[0] == 'N') {
			return ANSWER_NO;
		}
	}
}

enum care_result care_person(struct care *care, const char *question) {
	switch (care_ask(care, "%s", question)) {
	case ANSWER_YES:
		return care_tell(care, CARE_DONE, "%s",
			care->ctl->opt.is_yes ? "taken as done (--yes)" : "said so");
	case ANSWER_NO:
		return care_tell(care, CARE_FAILED, "not as it should be, says the person");
	case ANSWER_NOBODY:
		break;
	}
	return care_tell(care, CARE_OPEN, "nobody answered");
}

/* What the lock is, and where the task stands */

const json_t *care_model(const struct care *care) {
	return json_object_get(care->history, "model_data");
}

bool care_print_steps(struct care *care, const char *name) {
	const json_t *steps = json_object_get(json_object_get(care_model(care), "steps"), name);
	const json_t *step;
	size_t i;
	json_array_foreach(steps, i, step) {
		const char *text = json_string_value(step), *lock;
		char line[LINE_TEXT_MAX];
		if (text == NULL) {
			continue;
		}
		/* "lockhubctl reboot LOCK" is about this one. */
		lock = strstr(text, "LOCK");
		if (lock != NULL) {
			snprintf(line, sizeof(line), "%.*s%s%s", (int) (lock - text), text,
				care->slug, lock + strlen("LOCK"));
		} else {
			text_copy(line, sizeof(line), text);
		}
		text_sanitize(line);
		care_say(care, "  %zu. %s\n", i + 1, line);
	}
	return json_array_size(steps) > 0;
}

static int care_set_note(struct care *care, const char *key, const char *text) {
	return talk_call(care->ctl, care->path, LOCK_INTERFACE, "SetNote", care->slug, NULL, "ss",
		key, text);
}

static json_t *steps_of(const struct care *care) {
	return json_object_get(care->note, "steps");
}

static int save(struct care *care) {
	AUTO(free) char *text = json_dumps(care->note, JSON_COMPACT);
	if (text == NULL || strlen(text) > NOTE_MAX) {
		complain(care->ctl, "where it stands is too long to be remembered");
		return -E2BIG;
	}
	return care_set_note(care, care->task, text);
}

void care_keep(struct care *care, const char *key, const char *text) {
	json_object_set_new(care->note, key, json_string(text));
	(void) save(care); /* said; the task goes on all the same */
}

const char *care_kept(const struct care *care, const char *key) {
	return facts_text(care->note, key);
}

static json_t *note_new(void) {
	char now[WALL_TEXT_MAX];
	return json_pack(
		"{s:s, s:{}}", "begun", wall_to_text((wall_t){ moment_now() }, now), "steps");
}

static void load_note(struct care *care) {
	const json_t *notes = json_object_get(care->history, "notes");
	const char *text = facts_text(json_object_get(notes, care->task), "text");
	care->note = text[0] != '\0' && !care->ctl->opt.is_restart
			     ? json_loads(text, JSON_REJECT_DUPLICATES, NULL)
			     : NULL;
	if (!json_is_object(json_object_get(care->note, "steps"))) {
		json_decref(care->note);
		care->note = note_new();
	}
}

int care_open(struct ctl *ctl, const char *word, const char *task, struct care *ret) {
	*ret = (struct care){ .ctl = ctl, .task = task, .is_json = ctl->opt.is_json };
	if (ret->is_json && !ctl->opt.is_yes && !ctl->opt.is_no_input && !ctl->opt.is_status) {
		return usage_error(ctl, "--json asks nothing: say --yes or --no-input too");
	}
	if (talk_find_lock(ctl, word, ret->path) < 0 || !care_look(ret)) {
		return CTL_FAILED;
	}
	text_copy(ret->slug, sizeof(ret->slug), facts_text(ret->lock, "slug"));
	ret->history = history_fetch(ctl, ret->path, ret->slug);
	if (ret->history == NULL) {
		return CTL_FAILED;
	}
	/* Operations would print their own. */
	ctl->opt.is_json = false;
	load_note(ret);
	ret->told = json_array();
	return CTL_DONE;
}

void care_finish(struct care *care) {
	json_decref(care->lock);
	json_decref(care->history);
	json_decref(care->note);
	json_decref(care->told);
}

/* Attempts */

void care_begin_attempt(
	struct care *care, const char *fault, const char *remedy, const char *before) {
	AUTO(sd_bus_message_unref) sd_bus_message *reply = NULL;
	const char *id;
	if (care_kept(care, "attempt")[0] != '\0') {
		return; /* the one that was broken off goes on */
	}
	if (talk_call(care->ctl, care->path, LOCK_INTERFACE, "BeginAttempt", care->slug, &reply,
		    "sss", fault, remedy, before) >= 0 &&
		sd_bus_message_read(reply, "s", &id) >= 0) {
		json_object_set_new(care->note, "before", json_string(before));
		care_keep(care, "attempt", id);
	}
}

void care_end_attempt(struct care *care, const char *outcome, const char *after) {
	const char *id = care_kept(care, "attempt");
	if (id[0] != '\0') {
		(void) talk_call(care->ctl, care->path, LOCK_INTERFACE, "EndAttempt", care->slug,
			NULL, "sss", id, outcome, after);
		json_object_del(care->note, "attempt");
	}
}

/* Steps */

static const char *result_name(enum care_result result) {
	switch (result) {
	case CARE_DONE:
		return "done";
	case CARE_SKIPPED:
		return "skipped";
	case CARE_FAILED:
		return "failed";
	case CARE_OPEN:
		return "open";
	}
	return "open";
}

static enum tone result_tone(enum care_result result) {
	return result == CARE_DONE     ? TONE_GOOD
	       : result == CARE_FAILED ? TONE_BAD
	       : result == CARE_OPEN   ? TONE_WARN
				       : TONE_FAINT;
}

static void print_result(struct care *care, enum care_result result) {
	enum tone tone = result_tone(result);
	json_t *last = json_array_get(care->told, json_array_size(care->told) - 1);
	json_object_set_new(last, "result", json_string(result_name(result)));
	json_object_set_new(last, "text", json_string(care->text));
	care_say(care, "  %s%s%s%s%s\n", tone_start(care->ctl, tone), result_name(result),
		tone_end(care->ctl, tone), care->text[0] != '\0' ? ": " : "", care->text);
}

static bool is_meant_to_skip(const struct care *care, const struct care_step *step) {
	const struct words *skipped = &care->ctl->opt.skipped;
	for (size_t i = 0; i < skipped->n; i++) {
		if (strcmp(skipped->word[i], step->name) == 0) {
			return true;
		}
	}
	return false;
}

/* After a step that failed: again, or leave it at that. */
static enum care_result after_failure(struct care *care, const struct care_step *step) {
	for (;;) {
		print_result(care, CARE_FAILED);
		if (care->ctl->opt.is_yes) {
			return CARE_FAILED;
		}
		switch (care_ask(care, "  Try it again? (n: skip it)")) {
		case ANSWER_YES:
			break;
		case ANSWER_NO:
			return care_tell(care, CARE_SKIPPED, "left as it is");
		case ANSWER_NOBODY:
			return CARE_FAILED;
		}
		care->text[0] = '\0';
		enum care_result result = step->run(care);
		if (result != CARE_FAILED) {
			return result;
		}
	}
}

static enum care_result run_step(struct care *care, const struct care_step *step) {
	care->text[0] = '\0';
	if (is_meant_to_skip(care, step)) {
		return care_tell(care, CARE_SKIPPED, "skipped (--skip)");
	}
	enum care_result result = step->run(care);
	return result == CARE_FAILED ? after_failure(care, step) : result;
}

static void note_step(struct care *care, const struct care_step *step, enum care_result result) {
	char text[CARE_TEXT_MAX + 16];
	snprintf(text, sizeof(text), "%s%s", result == CARE_SKIPPED ? "skipped: " : "", care->text);
	json_object_set_new(steps_of(care), step->name, json_string(text));
	(void) save(care);
}

static void explain_open(struct care *care, size_t n_failed, size_t n_open) {
	care_say(care,
		"\n%zu %s not as it should be, %zu open. Go on with: lockhubctl care %s %s\n",
		n_failed, n_failed == 1 ? "step is" : "steps are", n_open, care->task, care->slug);
}

static bool knows_step(const struct care_step *steps, size_t n, const char *name) {
	for (size_t i = 0; i < n; i++) {
		if (strcmp(steps[i].name, name) == 0) {
			return true;
		}
	}
	return false;
}

static int check_skips(struct care *care, const struct care_step *steps, size_t n) {
	const char *names[CARE_STEPS_MAX];
	for (size_t i = 0; i < n && i < CARE_STEPS_MAX; i++) {
		names[i] = steps[i].name;
	}
	for (size_t i = 0; i < care->ctl->opt.skipped.n; i++) {
		const char *word = care->ctl->opt.skipped.word[i];
		if (!knows_step(steps, n, word)) {
			const char *nearest = text_nearest(word, names, n);
			return usage_error(care->ctl, "there is no step '%s'%s%s%s", word,
				nearest != NULL ? "; did you mean '" : "",
				nearest != NULL ? nearest : "", nearest != NULL ? "'?" : "");
		}
	}
	return CTL_DONE;
}

int care_walk(struct care *care, const struct care_step *steps, size_t n) {
	size_t n_failed = 0, n_open = 0;
	int r = check_skips(care, steps, n);
	if (r != CTL_DONE) {
		return r;
	}
	for (size_t i = 0; i < n; i++) {
		const char *earlier =
			json_string_value(json_object_get(steps_of(care), steps[i].name));
		care_say(care, "\n%s%zu/%zu  %s%s\n", tone_start(care->ctl, TONE_BOLD), i + 1, n,
			steps[i].title, tone_end(care->ctl, TONE_BOLD));
		json_array_append_new(care->told, json_pack("{s:s}", "step", steps[i].name));
		if (earlier != NULL) {
			care_tell(care, CARE_DONE, "%s", earlier);
			print_result(care, CARE_DONE);
			continue;
		}
		enum care_result result = run_step(care, &steps[i]);
		/* A failure has been printed already. */
		if (result != CARE_FAILED) {
			print_result(care, result);
		}
		n_failed += result == CARE_FAILED;
		n_open += result == CARE_OPEN;
		if (result == CARE_DONE || result == CARE_SKIPPED) {
			note_step(care, &steps[i], result);
		} else if (!care->ctl->opt.is_yes && !care->ctl->opt.is_no_input) {
			n_open += n - i - 1;
			break;
		}
	}
	if (n_failed + n_open > 0) {
		(void) save(care);
		explain_open(care, n_failed, n_open);
	}
	return n_failed + n_open > 0 ? CTL_FAILED : CTL_DONE;
}

int care_status(struct care *care, const struct care_step *steps, size_t n) {
	json_t *list = json_array();
	size_t n_done = json_object_size(steps_of(care));
	for (size_t i = 0; i < n; i++) {
		const char *text =
			json_string_value(json_object_get(steps_of(care), steps[i].name));
		json_array_append_new(list, json_pack("{s:s, s:s, s:b, s:s}", "step", steps[i].name,
						    "title", steps[i].title, "done", text != NULL,
						    "text", text != NULL ? text : ""));
		care_say(care, " %s %-14s %s%s%s\n", text != NULL ? "[x]" : "[ ]", steps[i].name,
			steps[i].title, text != NULL && text[0] != '\0' ? ": " : "",
			text != NULL ? text : "");
	}
	if (care->is_json) {
		return print_json(care->ctl,
			json_pack("{s:s, s:s, s:s, s:o}", "lock", care->slug, "task", care->task,
				"begun", care_kept(care, "begun"), "steps", list));
	}
	care_say(care, "%zu of %zu\n", n_done, n);
	json_decref(list);
	return CTL_DONE;
}

int care_close(struct care *care, int status, const char *summary) {
	char key[64];
	if (status == CTL_DONE) {
		snprintf(key, sizeof(key), "%s-done", care->task);
		if (care_set_note(care, key, summary) < 0 ||
			care_set_note(care, care->task, "") < 0) {
			status = CTL_FAILED;
		}
	}
	if (care->is_json && status != CTL_USAGE) {
		json_t *result = json_pack("{s:s, s:s, s:b, s:s, s:O}", "lock", care->slug, "task",
			care->task, "done", status == CTL_DONE, "text", summary, "steps",
			care->told);
		int r = print_json(care->ctl, result);
		return r != CTL_DONE ? r : status;
	}
	return status;
}
