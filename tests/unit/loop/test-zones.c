/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/zones.h"

#include <time.h>

#include "test.h"
#include "util/auto.h"

static const struct zone *zone_of(struct zones *zones, const char *name) {
	struct zone_source *source = zones_source(zones);

	return source->get(source, name);
}

static int64_t at(int year, int month, int day, int hour, int minute) {
	struct civil civil = { year, month, day, hour, minute, 0 };
	wall_t wall;

	assert_int_equal(wall_from_civil(&civil, &wall), 0);
	return wall.s;
}

/* The C library reads the same files by other code. */
static void offsets_are_those_of_the_c_library(void **state) {
	static const char *const names[] = { "Europe/Berlin", "America/New_York", "Asia/Kolkata",
		"Australia/Lord_Howe", "Pacific/Apia", "UTC", "Africa/Casablanca" };
	struct zones *zones = NULL;

	(void) state;
	assert_int_equal(zones_new("UTC", &zones, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const struct zone *zone = zone_of(zones, names[i]);

		assert_non_null(zone);
		assert_string_equal(zone->name, names[i]);
		assert_int_equal(setenv("TZ", names[i], 1), 0);
		tzset();
		for (time_t t = at(2010, 1, 1, 0, 0); t < at(2036, 1, 1, 0, 0); t += 6 * 3600 + 1) {
			struct tm tm;

			assert_non_null(localtime_r(&t, &tm));
			if (zone->offset(zone, (wall_t){ t }) != tm.tm_gmtoff) {
				fail_msg("%s at %lld: %d, not %ld", names[i], (long long) t,
					zone->offset(zone, (wall_t){ t }), tm.tm_gmtoff);
			}
		}
	}
	assert_int_equal(unsetenv("TZ"), 0);
	tzset();
	zones_free(zones);
}

static void changes_of_dst_are_found(void **state) {
	struct zones *zones = NULL;
	const struct zone *zone;

	(void) state;
	assert_int_equal(zones_new("Europe/Berlin", &zones, NULL), 0);
	zone = zone_of(zones, "");
	assert_string_equal(zone->name, "Europe/Berlin");
	assert_int_equal(zone->offset(zone, (wall_t){ at(2026, 3, 29, 0, 59) }), 3600);
	assert_int_equal(zone->offset(zone, (wall_t){ at(2026, 3, 29, 1, 0) }), 7200);
	assert_int_equal(zone->offset(zone, (wall_t){ at(2026, 10, 25, 0, 59) }), 7200);
	assert_int_equal(zone->offset(zone, (wall_t){ at(2026, 10, 25, 1, 0) }), 3600);
	assert_true(zone_first(zone, at(2026, 10, 25, 2, 30)).s == at(2026, 10, 25, 0, 30));
	assert_true(zone_last(zone, at(2026, 10, 25, 2, 30)).s == at(2026, 10, 25, 1, 30));
	/* No moment is too far. */
	(void) zone->offset(zone, (wall_t){ INT64_MAX });
	(void) zone->offset(zone, (wall_t){ INT64_MIN });
	zones_free(zones);
}

static void zones_stay_the_same_object(void **state) {
	struct zones *zones = NULL;

	(void) state;
	assert_int_equal(zones_new("Europe/Berlin", &zones, NULL), 0);
	assert_ptr_equal(zone_of(zones, ""), zone_of(zones, "Europe/Berlin"));
	assert_ptr_equal(zone_of(zones, "UTC"), zone_of(zones, "UTC"));
	zones_free(zones);
}

static void names_from_outside_are_not_paths(void **state) {
	static const char *const bad[] = { "Europe/Atlantis", "../../../etc/passwd",
		"/etc/localtime", "Europe", "+02:00", "02", "Europe/Berlin ", "Europe/../UTC",
		"posix/", "Eur\xc3\xb6pa",
		"a-name-that-is-longer-than-any-time-zone-has-ever-been-in-this-world" };
	struct zones *zones = NULL;
	struct fault fault = { .code = FAULT_NONE };

	(void) state;
	assert_int_equal(zones_new("UTC", &zones, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct zones *other = NULL;

		assert_null(zone_of(zones, bad[i]));
		assert_true(zones_new(bad[i], &other, &fault) < 0);
		assert_int_equal(fault.code, FAULT_CONFIG_INVALID);
		assert_null(other);
	}
	zones_free(zones);
	zones_free(NULL);
}

static void the_machine_has_one(void **state) {
	struct zones *zones = NULL;

	(void) state;
	assert_int_equal(zones_new("", &zones, NULL), 0);
	assert_non_null(zone_of(zones, ""));
	assert_true(zone_of(zones, "")->name[0] != '\0');
	zones_free(zones);
}

static void there_is_an_end(void **state) {
	struct zones *zones = NULL;
	unsigned n = 1;
	char name[ZONE_NAME_MAX];

	(void) state;
	assert_int_equal(zones_new("UTC", &zones, NULL), 0);
	for (int i = -14; i <= 12; i++) {
		(void) snprintf(name, sizeof(name), "Etc/GMT%+d", i);
		n += zone_of(zones, name) != NULL;
		(void) snprintf(name, sizeof(name), "posix/Etc/GMT%+d", i);
		n += zone_of(zones, name) != NULL;
		(void) snprintf(name, sizeof(name), "right/Etc/GMT%+d", i);
		n += zone_of(zones, name) != NULL;
	}
	assert_in_range(n, 20, ZONES_MAX);
	assert_non_null(zone_of(zones, "UTC"));
	zones_free(zones);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(offsets_are_those_of_the_c_library),
		cmocka_unit_test(changes_of_dst_are_found),
		cmocka_unit_test(zones_stay_the_same_object),
		cmocka_unit_test(names_from_outside_are_not_paths),
		cmocka_unit_test(the_machine_has_one),
		cmocka_unit_test(there_is_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
