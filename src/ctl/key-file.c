/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The key that a lock's maker keeps, out of what a person has: a file of words, or the JSON of
 * another program, in which it stands among much else and perhaps among the keys of other locks.
 * The hub is sent no more than the driver's parser needs.
 */

#include "room.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "util/text.h"

#define KEY_FILE_MAX (16 * 1024)

/* Read octet by octet and unbuffered: so it is in no stream's buffer, which nobody would wipe. */
struct source {
	int fd;     /* -1: of the stream, in tests */
	FILE *file; /* standard input */
	size_t n;   /* octets so far */
	int first;  /* that was read already to see what it is; -1: none */
	int error;  /* errno; EFBIG: there is more than KEY_FILE_MAX */
};

static int next_octet(struct source *source) {
	uint8_t octet = 0;
	ssize_t n = 0;
	int c = source->first;

	source->first = -1;
	if (c >= 0) {
		return c;
	}
	if (source->n == KEY_FILE_MAX) {
		source->error = EFBIG;
		return -1;
	}
	source->n++;
	if (source->fd < 0) {
		return fgetc(source->file);
	}
	do {
		n = read(source->fd, &octet, 1);
	} while (n < 0 && errno == EINTR);
	source->error = n < 0 ? errno : 0;
	c = n == 1 ? octet : -1;
	wipe(&octet, sizeof(octet));
	return c;
}

/* For jansson: one at a time, so that what follows the text on standard input stays unread. */
static size_t next_of_json(void *buffer, size_t size, void *user) {
	const int c = size > 0 ? next_octet(user) : -1;

	if (c < 0) {
		return 0;
	}
	*(uint8_t *) buffer = (uint8_t) c;
	return 1;
}

/* ---- words ---- */

/* What is between them becomes one blank. @is_line: no more than a line. */
static int read_words(struct source *source, bool is_line, struct secret *ret) {
	bool is_parted = false;

	for (int c = next_octet(source); c >= 0 && !(is_line && c == '\n');
		c = next_octet(source)) {
		if (isspace(c)) {
			is_parted = ret->len > 0;
			continue;
		}
		if (ret->len + 1 + is_parted >= sizeof(ret->bytes)) {
			return -E2BIG;
		}
		if (is_parted) {
			ret->bytes[ret->len++] = ' ';
			is_parted = false;
		}
		ret->bytes[ret->len++] = (uint8_t) c;
	}
	return 0;
}

/* ---- JSON ---- */

struct find {
	const char *address;
	const char *members; /* names, with blanks between */
	json_t *found;       /* an object of them */
	unsigned n_records;  /* that name the lock's address */
	bool has_other;      /* the address of another */
	bool is_ambiguous;
};

static bool is_wanted(const char *members, const char *name) {
	const size_t n = strlen(name);

	while (*members != '\0') {
		const size_t n_word = strcspn(members, " ");

		if (n_word == n && strncmp(members, name, n) == 0) {
			return true;
		}
		members += n_word;
		members += strspn(members, " ");
	}
	return false;
}

static void collect(struct find *find, const json_t *record) {
	const char *name = NULL;
	json_t *value = NULL;
	size_t i = 0;

	json_array_foreach(record, i, value) {
		collect(find, value);
	}
	json_object_foreach((json_t *) record, name, value) {
		const json_t *known = json_object_get(find->found, name);

		if (json_is_object(value) || json_is_array(value)) {
			collect(find, value);
		} else if (!json_is_null(value) && is_wanted(find->members, name)) {
			find->is_ambiguous |= known != NULL && !json_equal(known, value);
			(void) json_object_set(find->found, name, value);
		}
	}
}

static bool is_of_lock(struct find *find, const json_t *object) {
	const char *name = NULL;
	json_t *value = NULL;

	json_object_foreach((json_t *) object, name, value) {
		const char *text = json_string_value(value);

		if (text != NULL && strcasecmp(text, find->address) == 0) {
			return true;
		}
		find->has_other |= text != NULL && pairing_is_address(text);
	}
	return false;
}

/* Collects from what names the lock's address, wherever it is. */
static void look_for(struct find *find, const json_t *value) {
	const char *name = NULL;
	json_t *member = NULL;
	size_t i = 0;

	if (is_of_lock(find, value)) {
		find->n_records++;
		collect(find, value);
		return;
	}
	json_array_foreach(value, i, member) {
		look_for(find, member);
	}
	json_object_foreach((json_t *) value, name, member) {
		look_for(find, member);
	}
}

static int complain_of(struct ctl *ctl, const char *path, const struct find *find) {
	if (find->n_records == 0 && find->has_other) {
		complain(ctl, "%s has keys of other locks, and none of %s", path, find->address);
	} else if (find->is_ambiguous) {
		complain(ctl, "%s has several keys, and it does not say which is that of %s", path,
			find->address);
	} else {
		complain(ctl, "%s has none of the members %s", path, find->members);
	}
	return CTL_FAILED;
}

static int read_json(struct ctl *ctl, const char *path, struct source *source,
	const json_t *sighting, struct secret *ret) {
	AUTO(json_decref) json_t *found = json_object();
	struct find find = {
		.address = facts_text(sighting, "address"),
		.members = facts_text(sighting, "key_members"),
		.found = found,
	};
	json_error_t error;
	/* Its text may hold what it stumbled over: only the line is told. */
	AUTO(json_decref)
	json_t *root = json_load_callback(next_of_json, source, JSON_DISABLE_EOF_CHECK, &error);

	wipe(error.text, sizeof(error.text));
	if (root == NULL || found == NULL) {
		if (source->error == 0) {
			complain(ctl, "%s is no good JSON: look at line %d", path, error.line);
		}
		return CTL_FAILED;
	}
	if (find.members[0] == '\0') {
		complain(ctl, "%s is JSON; this lock wants %s", path,
			facts_text(sighting, "key_form"));
		return CTL_FAILED;
	}
	look_for(&find, root);
	if (find.n_records == 0 && !find.has_other) {
		collect(&find, root);
	}
	if (find.is_ambiguous || json_object_size(found) == 0) {
		return complain_of(ctl, path, &find);
	}
	ret->len = json_dumpb(found, (char *) ret->bytes, sizeof(ret->bytes), JSON_COMPACT);
	return CTL_DONE;
}

/* ---- whatever it is ---- */

static int read_source(struct ctl *ctl, const char *path, struct source *source,
	const json_t *sighting, struct secret *ret) {
	const bool is_input = source->file == ctl->in;
	int r = CTL_DONE;

	int c = next_octet(source);

	while (c >= 0 && isspace(c) && !is_input) {
		c = next_octet(source);
	}
	source->first = c;
	if (c == '{' || c == '[') {
		r = read_json(ctl, path, source, sighting, ret);
	} else if (c >= 0 && read_words(source, is_input, ret) < 0) {
		ret->len = sizeof(ret->bytes);
	}
	if (source->error != 0 && source->error != EFBIG) {
		complain(ctl, "%s: %s", path, strerror(source->error));
		return CTL_FAILED;
	}
	if (r == CTL_DONE && ret->len == 0) {
		complain(ctl, "%s is empty: no key was given", path);
		return CTL_FAILED;
	}
	if (source->error == EFBIG || ret->len >= sizeof(ret->bytes)) {
		complain(ctl, "%s is too long for a key; this lock wants %s", path,
			facts_text(sighting, "key_form"));
		return CTL_FAILED;
	}
	return r;
}

int key_file_read(
	struct ctl *ctl, const char *path, const json_t *sighting, struct secret *ret_key) {
	const bool is_input = text_equal(path, "-");
	struct source source = {
		.fd = is_input ? fileno(ctl->in) : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY),
		.file = is_input ? ctl->in : NULL,
		.first = -1,
	};
	int r = 0;

	ret_key->len = 0;
	if (!is_input && source.fd < 0) {
		complain(ctl, "%s: %s", path, strerror(errno));
		return CTL_FAILED;
	}
	r = read_source(ctl, is_input ? "standard input" : path, &source, sighting, ret_key);
	if (!is_input) {
		close(source.fd);
	}
	if (r == CTL_DONE) {
		ret_key->bytes[ret_key->len] = '\0'; /* D-Bus wants text; not counted in len */
	}
	return r;
}
