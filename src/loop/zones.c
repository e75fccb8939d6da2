/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/zones.h"

#include <ctype.h>
#include <glib.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/auto.h"

#define ZONEINFO "/usr/share/zoneinfo/"
/* As far as calendars go: GLib counts in microseconds inside. */
#define YEAR_9999_S 253402300799

struct zone_row {
	struct zone zone;
	GTimeZone *rules;
};

struct zones {
	struct zone_source source;
	char hub_zone[ZONE_NAME_MAX];
	struct zone_row *rows[ZONES_MAX];
	size_t n;
};

static int offset_of(const struct zone *zone, wall_t at) {
	const struct zone_row *row = container_of(zone, struct zone_row, zone);
	int64_t s = at.s < -YEAR_9999_S ? -YEAR_9999_S : at.s > YEAR_9999_S ? YEAR_9999_S : at.s;
	int interval = g_time_zone_find_interval(row->rules, G_TIME_TYPE_UNIVERSAL, s);

	return interval >= 0 ? g_time_zone_get_offset(row->rules, interval) : 0;
}

/*
 * A name comes from people: only what can be a zone's, and only a file of the zones' own folder.
 * GLib by itself would take "+02:00" and other paths too.
 */
static bool is_zone_name(const char *name) {
	char path[sizeof(ZONEINFO) + ZONE_NAME_MAX];
	struct stat status;

	if (!isalpha((unsigned char) name[0]) || strlen(name) >= ZONE_NAME_MAX ||
		strstr(name, "..") != NULL) {
		return false;
	}
	for (const char *at = name; *at != '\0'; at++) {
		if (!isalnum((unsigned char) *at) && strchr("_+-/", *at) == NULL) {
			return false;
		}
	}
	(void) snprintf(path, sizeof(path), ZONEINFO "%s", name);
	return strcmp(name, "UTC") == 0 || (stat(path, &status) == 0 && S_ISREG(status.st_mode));
}

static struct zone_row *row_new(const char *name) {
	struct zone_row *row = NULL;
	GTimeZone *rules = is_zone_name(name) ? g_time_zone_new_identifier(name) : NULL;

	if (rules != NULL) {
		row = calloc(1, sizeof(*row));
	}
	if (row == NULL) {
		if (rules != NULL) {
			g_time_zone_unref(rules);
		}
		return NULL;
	}
	(void) snprintf(row->zone.name, sizeof(row->zone.name), "%s", name);
	row->zone.offset = offset_of;
	row->rules = rules;
	return row;
}

static const struct zone *get(struct zone_source *source, const char *name) {
	struct zones *zones = container_of(source, struct zones, source);
	struct zone_row *row;

	if (name[0] == '\0') {
		name = zones->hub_zone;
	}
	for (size_t i = 0; i < zones->n; i++) {
		if (strcmp(zones->rows[i]->zone.name, name) == 0) {
			return &zones->rows[i]->zone;
		}
	}
	row = zones->n < ZONES_MAX ? row_new(name) : NULL;
	if (row == NULL) {
		return NULL;
	}
	zones->rows[zones->n++] = row;
	return &row->zone;
}

/* /etc/localtime is a link into the folder of the zones; older systems name the zone in a file. */
static void find_own(char out[static ZONE_NAME_MAX]) {
	char target[PATH_MAX];
	ssize_t n = readlink("/etc/localtime", target, sizeof(target) - 1);
	char *name = NULL;
	FILE *file;

	if (n > 0) {
		target[n] = '\0';
		name = strstr(target, "zoneinfo/");
	}
	if (name != NULL && is_zone_name(name + strlen("zoneinfo/"))) {
		(void) snprintf(out, ZONE_NAME_MAX, "%s", name + strlen("zoneinfo/"));
		return;
	}
	file = fopen("/etc/timezone", "re");
	if (file != NULL) {
		if (fgets(out, ZONE_NAME_MAX, file) == NULL) {
			out[0] = '\0';
		}
		(void) fclose(file);
		out[strcspn(out, "\r\n")] = '\0';
		if (is_zone_name(out)) {
			return;
		}
	}
	(void) snprintf(out, ZONE_NAME_MAX, "UTC");
}

int zones_new(const char *hub_zone, struct zones **ret, struct fault *ret_fault) {
	struct zones *zones = calloc(1, sizeof(*zones));

	if (zones == NULL) {
		return fault_set(ret_fault, FAULT_NO_MEMORY, "time zones");
	}
	zones->source.get = get;
	if (hub_zone[0] == '\0') {
		find_own(zones->hub_zone);
	} else {
		(void) snprintf(zones->hub_zone, sizeof(zones->hub_zone), "%s", hub_zone);
	}
	if (!is_zone_name(hub_zone[0] == '\0' ? zones->hub_zone : hub_zone) ||
		get(&zones->source, "") == NULL) {
		free(zones);
		return fault_set(ret_fault, FAULT_CONFIG_INVALID,
			"there is no time zone \"%.60s\"; write for example Europe/Berlin (the "
			"package tzdata has them)",
			hub_zone);
	}
	*ret = zones;
	return 0;
}

struct zones *zones_free(struct zones *zones) {
	if (zones == NULL) {
		return NULL;
	}
	for (size_t i = 0; i < zones->n; i++) {
		g_time_zone_unref(zones->rows[i]->rules);
		free(zones->rows[i]);
	}
	free(zones);
	return NULL;
}

struct zone_source *zones_source(struct zones *zones) {
	return &zones->source;
}
