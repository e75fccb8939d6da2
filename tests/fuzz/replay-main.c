/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Runs a fuzz harness without clang (R26): over the empty input, over every file named on the
 * command line or found in the folders named there, and over every beginning of each small file,
 * since truncation is what a decoder meets most. Each input lies in an allocation of exactly its
 * size, so that a sanitizer or valgrind sees a read behind the end.
 */

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_MAX (1024 * 1024)
#define PREFIXES_MAX 1024 /* octets; longer files are cut at this many places only */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t n_files;
static size_t n_inputs;

static void run_one(const uint8_t *bytes, size_t n) {
	uint8_t *copy = calloc(1, n > 0 ? n : 1);
	if (copy == NULL) {
		fprintf(stderr, "no memory\n");
		exit(1);
	}
	if (n > 0) {
		memcpy(copy, bytes, n);
	}
	(void) LLVMFuzzerTestOneInput(copy, n);
	free(copy);
	n_inputs++;
}

static bool run_file(const char *path) {
	FILE *file = fopen(path, "re");
	if (file == NULL) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return false;
	}
	uint8_t *bytes = malloc(FILE_MAX);
	if (bytes == NULL) {
		fclose(file);
		fprintf(stderr, "%s: no memory\n", path);
		return false;
	}
	size_t n = fread(bytes, 1, FILE_MAX, file);
	bool is_whole = !ferror(file) && fgetc(file) == EOF;
	fclose(file);
	if (is_whole) {
		for (size_t i = 1; i < n && i <= PREFIXES_MAX; i++) {
			run_one(bytes, i);
		}
		run_one(bytes, n);
		n_files++;
	} else {
		fprintf(stderr, "%s: cannot be read, or is larger than %d octets\n", path,
			FILE_MAX);
	}
	free(bytes);
	return is_whole;
}

static int is_visible(const struct dirent *entry) {
	return entry->d_name[0] != '.';
}

static bool run_path(const char *path) {
	struct stat st;
	if (stat(path, &st) < 0) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return false;
	}
	if (!S_ISDIR(st.st_mode)) {
		return run_file(path);
	}

	struct dirent **entries = NULL;
	int n = scandir(path, &entries, is_visible, alphasort);
	if (n < 0) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return false;
	}
	bool is_good = true;
	for (int i = 0; i < n; i++) {
		char *inner = NULL;
		if (asprintf(&inner, "%s/%s", path, entries[i]->d_name) < 0) {
			inner = NULL;
		}
		is_good = inner != NULL && run_file(inner) && is_good;
		free(inner);
		free(entries[i]);
	}
	free(entries);
	return is_good;
}

int main(int argc, char **argv) {
	bool is_good = true;

	run_one(NULL, 0);
	for (int i = 1; i < argc; i++) {
		is_good = run_path(argv[i]) && is_good;
	}
	printf("%zu inputs from %zu files\n", n_inputs, n_files);
	if (n_files == 0) {
		fprintf(stderr, "The corpus is empty: nothing was tested\n");
		return 1;
	}
	return is_good ? 0 : 1;
}
