/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "commands.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bundle.h"
#include "report.h"

#define ATTACHED_MAX (20 * 1024 * 1024)
#define TRANSCRIPT_MAGIC "# lockhub transcript "

/* ---- what the person adds ---- */

static const struct {
	size_t at;
	const char *magic;
	size_t n;
	const char *ending;
} pictures[] = {
	{ 0, "\xff\xd8\xff", 3, "jpg" },
	{ 0, "\x89PNG\r\n\x1a\n", 8, "png" },
	{ 0, "GIF8", 4, "gif" },
	{ 8, "WEBP", 4, "webp" },
	{ 4, "ftyphei", 7, "heic" },
	{ 4, "ftypmif", 7, "heic" },
	{ 4, "ftypavif", 8, "avif" },
};

/* "jpg", or NULL: no picture. By what is in it, not by its name. */
static const char *picture_ending(const char *octets, size_t n) {
	for (size_t i = 0; i < ARRAY_SIZE(pictures); i++) {
		if (n >= pictures[i].at + pictures[i].n &&
			memcmp(octets + pictures[i].at, pictures[i].magic, pictures[i].n) == 0) {
			return pictures[i].ending;
		}
	}
	return NULL;
}

static char *read_attached(struct ctl *ctl, const char *path, size_t *ret_n) {
	FILE *file = fopen(path, "re");
	AUTO(free) char *octets = file != NULL ? malloc(ATTACHED_MAX + 1) : NULL;
	if (octets == NULL) {
		complain(ctl, "%s: %s", path, strerror(errno));
		if (file != NULL) {
			fclose(file);
		}
		return NULL;
	}
	size_t n = fread(octets, 1, ATTACHED_MAX + 1, file);
	bool is_bad = ferror(file) != 0;
	fclose(file);
	if (is_bad || n > ATTACHED_MAX) {
		complain(ctl, "%s %s", path, is_bad ? "cannot be read" : "is longer than 20 MiB");
		return NULL;
	}
	octets[n] = '\0';
	*ret_n = n;
	return STEAL(octets);
}

/* Numbered: how a file is called may tell whose it is. */
static int put_attached(struct ctl *ctl, struct bundle *bundle, const char *path, size_t number) {
	char name[64];
	size_t n = 0;
	AUTO(free) char *octets = read_attached(ctl, path, &n);
	if (octets == NULL) {
		return CTL_FAILED;
	}
	const char *ending = picture_ending(octets, n);
	int r;
	if (ending != NULL) {
		snprintf(name, sizeof(name), "picture-%zu.%s", number, ending);
		r = bundle_put_picture(bundle, name, STEAL(octets), n);
	} else if (strncmp(octets, TRANSCRIPT_MAGIC, strlen(TRANSCRIPT_MAGIC)) == 0 &&
		   strlen(octets) == n) {
		snprintf(name, sizeof(name), "transcript-%zu.txt", number);
		r = bundle_put_text(bundle, name, octets, REDACT_KEEP_HEX);
	} else {
		complain(ctl, "%s is neither a picture nor a transcript", path);
		advise(ctl,
			"Pictures are JPEG, PNG, GIF, WebP, HEIC or AVIF; transcripts come from: "
			"lockhubctl record LOCK FILE");
		return CTL_FAILED;
	}
	if (r < 0) {
		complain(ctl, "%s: %s", path, strerror(-r));
	}
	return r < 0 ? CTL_FAILED : CTL_DONE;
}

/* ---- members ---- */

/* An array of {"lock", KEY}: the names of locks stand in values, where they are taken out. */
static json_t *of_each_lock(const struct bundle *bundle, const char *key) {
	json_t *array = json_array(), *lock;
	const char *slug;
	json_object_foreach(bundle->locks, slug, lock) {
		json_t *value = json_object_get(lock, key);
		if (value != NULL) {
			json_array_append_new(
				array, json_pack("{s:s, s:O}", "lock", slug, key, value));
		}
	}
	return array;
}

static int put_statistics(struct bundle *bundle) {
	AUTO(json_decref)
	json_t *all = json_pack("{s:O, s:o, s:o}", "hub", bundle->hub, "facts",
		of_each_lock(bundle, "facts"), "radio", of_each_lock(bundle, "statistics"));
	return bundle_put_json(bundle, "statistics.json", all);
}

/* The page is made of what has been redacted: nothing of it needs to be looked at again. */
static int put_report(struct bundle *bundle) {
	AUTO(json_decref) json_t *diagnosis = redact_json(bundle->redactor, bundle->diagnosis);
	AUTO(json_decref) json_t *locks = json_object();
	const char *slug;
	json_t *lock;
	char *text = NULL;
	size_t n = 0;
	json_object_foreach(bundle->locks, slug, lock) {
		AUTO(free) char *name = redact_text(bundle->redactor, slug, 0);
		if (name != NULL) {
			json_object_set_new(locks, name, redact_json(bundle->redactor, lock));
		}
	}
	FILE *out = open_memstream(&text, &n);
	if (out == NULL) {
		return -ENOMEM;
	}
	report_write(out, &(struct report){ diagnosis, locks, bundle->now, LOCKHUB_VERSION });
	if (fclose(out) != 0) {
		free(text);
		return -ENOMEM;
	}
	return bundle_put_picture(bundle, "report.html", text, n);
}

static int put_known(struct bundle *bundle) {
	int r = 0;
	if (bundle->diagnosis != NULL) {
		r = bundle_put_json(bundle, "diagnosis.json", bundle->diagnosis);
		AUTO(json_decref) json_t *history = of_each_lock(bundle, "history");
		r = r < 0 ? r : bundle_put_json(bundle, "history.json", history);
		r = r < 0 ? r : put_report(bundle);
	}
	if (r >= 0 && bundle->events != NULL) {
		r = bundle_put_json(bundle, "events.json", bundle->events);
	}
	return r < 0 ? r : put_statistics(bundle);
}

static int put_journals(struct bundle *bundle) {
	static const char *const names[] = { "journal-lockhubd.txt", "journal-bluetooth.txt" };
	int r = 0;
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(bundle->journals); i++) {
		if (bundle->journals[i] != NULL) {
			r = bundle_put_text(bundle, names[i], bundle->journals[i], 0);
		}
	}
	return r;
}

/* Last, because it counts what was taken out of the others; read first. */
static int put_summary(struct bundle *bundle) {
	AUTO(free) char *text = bundle_summary(bundle, false);
	int r = text != NULL ? bundle_put_text(bundle, "00-summary.txt", text, 0) : -ENOMEM;
	if (r >= 0) {
		struct member summary = bundle->members[bundle->n_members - 1];
		memmove(bundle->members + 1, bundle->members,
			(bundle->n_members - 1) * sizeof(summary));
		bundle->members[0] = summary;
	}
	return r;
}

static int fill(struct ctl *ctl, struct bundle *bundle) {
	int r = put_known(bundle);
	r = r < 0 ? r : put_journals(bundle);
	for (size_t i = 0; r >= 0 && i < ctl->opt.attached.n; i++) {
		if (put_attached(ctl, bundle, ctl->opt.attached.word[i], i + 1) != CTL_DONE) {
			return CTL_FAILED;
		}
	}
	r = r < 0 ? r : put_summary(bundle);
	if (r < 0) {
		complain(ctl, "the bundle cannot be made: %s", strerror(-r));
	}
	return r < 0 ? CTL_FAILED : CTL_DONE;
}

/* ---- the command ---- */

/* Without the lock's name: the file goes to strangers with it. */
static void default_name(int64_t now, char *out, size_t size) {
	time_t t = now;
	struct tm tm = { 0 };
	if (localtime_r(&t, &tm) == NULL ||
		strftime(out, size, "lockhub-support-%Y-%m-%d-%H%M%S.tar.gz", &tm) == 0) {
		snprintf(out, size, "lockhub-support.tar.gz");
	}
}

static int print_letter(struct ctl *ctl, struct bundle *bundle) {
	AUTO(free) char *text = bundle_summary(bundle, true);
	AUTO(free) char *clean = text != NULL ? redact_text(bundle->redactor, text, 0) : NULL;
	if (clean == NULL) {
		complain(ctl, "out of memory");
		return CTL_FAILED;
	}
	say(ctl, "%s", clean);
	return CTL_DONE;
}

static int write_bundle(struct ctl *ctl, struct bundle *bundle) {
	char name[PATH_TEXT_MAX];
	default_name(bundle->now, name, sizeof(name));
	const char *path = ctl->opt.output != NULL ? ctl->opt.output : name;
	int r = fill(ctl, bundle);
	FILE *file = r == CTL_DONE ? file_create(ctl, path) : NULL;
	if (file == NULL) {
		return CTL_FAILED;
	}
	bool is_shown = file == ctl->out;
	r = archive_write_members(ctl, file, bundle);
	int closed = file_close(ctl, path, file);
	if (r == CTL_DONE && closed == CTL_DONE && !is_shown) {
		say(ctl, "The bundle is in %s (%zu files)\n", path, bundle->n_members);
		say(ctl,
			"Secrets and names of people were taken out%s. Look before you send it: "
			"tar xzf "
			"%s\n",
			ctl->opt.attached.n > 0 ? ", but not of pictures" : "", path);
	}
	return r == CTL_DONE ? closed : r;
}

static int run(struct ctl *ctl, char **args, int n_args) {
	AUTO_VALUE(bundle_finish) struct bundle bundle = { 0 };
	if (ctl->opt.is_text && (ctl->opt.attached.n > 0 || ctl->opt.output != NULL)) {
		return usage_error(
			ctl, "--text writes no archive; -o and --attach do not go with it");
	}
	int r = bundle_gather(ctl, n_args > 0 ? args[0] : NULL, &bundle);
	if (r != CTL_DONE) {
		return r;
	}
	return ctl->opt.is_text ? print_letter(ctl, &bundle) : write_bundle(ctl, &bundle);
}

const struct command cmd_support_bundle = {
	.name = "support-bundle",
	.args = "[LOCK]",
	.blurb = "Put together a file for whoever shall help",
	.help = "One archive: a summary to be read first, the diagnosis, the history, events, the\n"
		"journal of the last day, statistics and the report. Secrets and names of people\n"
		"are taken out of all of it; pictures (--attach) go in as they are. With --text a\n"
		"text for a form or a mail is printed, which also says whether it is time to ask\n"
		"the maker of the lock, and how. FILE must not exist yet.",
	.example = "lockhubctl support-bundle front-door --attach door.jpg -o front.tar.gz",
	.options = OPT_OUTPUT | OPT_ATTACH | OPT_AS_TEXT,
	.max_args = 1,
	.run = run,
};
