/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * lockhub-brands: docs/brands.md, out of what the drivers say that their locks can do.
 *
 *	lockhub-brands write FILE	for all the drivers that are built in
 *	lockhub-brands check FILE	whether the page says just that of each of them; if not: 1
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/capability.h"
#include "util/auto.h"
#include "util/made.h"
#include "util/text.h"

#define KINDS_MAX 16

struct kind {
	const char *name;
	struct capability rows[CAPABILITIES_MAX];
};

static void print_head(FILE *out) {
	fputs("<!-- Made by lockhub-brands from the drivers: change those and run ninja "
	      "brands-page. -->\n\n"
	      "# Brands\n\n"
	      "What the hub can do with the locks of each brand. The same table of a lock that is "
	      "paired, with what\n"
	      "that one has told of itself: `lockhubctl show LOCK`. Classes of protocols: "
	      "[diagnosis](diagnosis.md);\n"
	      "keys that a maker keeps: [keys](keys.md). None of it was tried on a real lock, but "
	      "on virtual ones that\n"
	      "speak the protocols which are described in `docs/protocols`.\n",
		out);
}

/* @return how many. */
static size_t collect(const struct driver *driver, struct kind *kinds, size_t *ret_n_rows) {
	size_t n = 0;

	for (; n < KINDS_MAX && driver->example != NULL; n++) {
		AUTO_VALUE(secret_wipe) struct secret keys = { 0 };
		struct lock_status status;

		lock_status_init(&status);
		kinds[n].name = driver->example((unsigned) n, &keys, &status);
		if (kinds[n].name == NULL) {
			break;
		}
		*ret_n_rows = capabilities(driver, &keys, &status, true, kinds[n].rows);
	}
	return n;
}

static void print_brand(FILE *out, const struct driver *driver) {
	struct kind kinds[KINDS_MAX];
	size_t n_rows = 0;
	const size_t n = collect(driver, kinds, &n_rows);

	if (n == 0) {
		return;
	}
	fprintf(out, "\n## %s\n\n|", driver->brand);
	for (size_t i = 0; i < n; i++) {
		fprintf(out, " | %s", kinds[i].name);
	}
	fputs(" |\n| ---", out);
	for (size_t i = 0; i < n; i++) {
		fputs(" | ---", out);
	}
	fputs(" |\n", out);
	for (size_t row = 0; row < n_rows; row++) {
		fprintf(out, "| %s", kinds[0].rows[row].title);
		for (size_t i = 0; i < n; i++) {
			fprintf(out, " | %s", kinds[i].rows[row].value);
		}
		fputs(" |\n", out);
	}
	if (driver->pin_form != NULL) {
		fprintf(out, "\nPIN of the lock: %s.\n", driver->pin_form);
	}
	if (driver->no_codes != NULL) {
		fprintf(out, "\nPIN codes: %s.\n", driver->no_codes);
	}
	if (driver->key_form != NULL) {
		fprintf(out, "\nIts key, where the maker keeps it: %s. %s.\n", driver->key_form,
			driver->key_source);
	}
}

/* @what: the driver, NULL for the head. */
static void print_part(FILE *out, const void *what) {
	if (what == NULL) {
		print_head(out);
	} else {
		print_brand(out, what);
	}
}

static void print_all(FILE *out, const void *what) {
	(void) what;
	print_head(out);
	for (size_t i = 0; lock_drivers[i] != NULL; i++) {
		print_brand(out, lock_drivers[i]);
	}
}

/* A brand that is not built in is not looked at. */
static int check(const char *path) {
	AUTO(free) char *page = made_before(path);

	if (page == NULL) {
		printf("%s is missing\n", path);
		return EXIT_FAILURE;
	}
	for (size_t i = 0; i == 0 || lock_drivers[i - 1] != NULL; i++) {
		const struct driver *driver = i == 0 ? NULL : lock_drivers[i - 1];
		AUTO(free) char *part = made_text(print_part, driver);

		if (part == NULL || strstr(page, part) == NULL) {
			printf("%s is not what the driver says: %s\nRun: ninja brands-page\n", path,
				driver == NULL ? "its beginning" : driver->brand);
			return EXIT_FAILURE;
		}
	}
	return EXIT_SUCCESS;
}

static int write_page(const char *path) {
	AUTO(free) char *page = made_text(print_all, NULL);
	int r = page != NULL ? made_write(path, page) : -ENOMEM;

	if (r < 0) {
		fprintf(stderr, "%s: %s\n", path, strerror(-r));
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}

int main(int argc, char **argv) {
	if (argc == 3 && text_equal(argv[1], "write")) {
		return write_page(argv[2]);
	}
	if (argc == 3 && text_equal(argv[1], "check")) {
		return check(argv[2]);
	}
	fprintf(stderr, "Usage: lockhub-brands write FILE | check FILE\n");
	return 2;
}
