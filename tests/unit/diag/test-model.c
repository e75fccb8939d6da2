/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which model data a lock gets, and what becomes of files that are not as they should be. */

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/driver.h"
#include "judge.h"
#include "room.h"
#include "test.h"

static char folder[64];

static int setup(void **state) {
	char path[128];

	(void) state;
	(void) snprintf(folder, sizeof(folder), "/tmp/lockhub-model-XXXXXX");
	assert_non_null(mkdtemp(folder));
	(void) snprintf(path, sizeof(path), "%s/a", folder);
	assert_int_equal(mkdir(path, 0700), 0);
	(void) snprintf(path, sizeof(path), "%s/b", folder);
	assert_int_equal(mkdir(path, 0700), 0);
	return 0;
}

static int teardown(void **state) {
	static const char *const names[] = { "a/acme.ini", "a/acme-2.ini", "a/acme-25.ini",
		"a/acme-2x.ini", "a/nobody.ini", "a/broken.ini", "a/notes.txt", "b/acme-2.ini", "a",
		"b" };
	char path[128];

	(void) state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		(void) snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		(void) remove(path);
	}
	assert_int_equal(rmdir(folder), 0);
	return 0;
}

static void put(const char *name, const char *text) {
	char path[128];
	FILE *file;

	(void) snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static struct models *load(const char *which) {
	char folders[256];

	if (strcmp(which, "ab") == 0) {
		(void) snprintf(folders, sizeof(folders), "%s/a:%s/b", folder, folder);
	} else {
		(void) snprintf(folders, sizeof(folders), "/nonexistent:%s/%s", folder, which);
	}
	return models_new(folders);
}

static void everything_of_a_file_is_read(void **state) {
	(void) state;
	put("a/acme-2.ini",
		"[model]\nname = Acme Two\nbrand = acme\ngeneration = g2\nfirmware = 2\n"
		"mechanical_key = yes\nsupport = https://acme.example/\n"
		"[battery]\nkind = AA\ncount = 4\nvolt_full = 6.0\nwarn_percent = 20\n"
		"life_days = 200\n"
		"[firmware]\nnewest = 2.9.1\nchecked = 2026-11-01\nmin = 2.4.0\nfault = Old.\n"
		"[battery-change]\nstep1 = Open it.\nstep2 = Close it; now.\n"
		"[restart]\nstep1 = Pull.\n[contact]\nstep1 = Call.\n");
	AUTO(models_free) struct models *models = load("a");
	assert_int_equal(models_count(models), 1);
	const struct model *model = models_find(models, "acme", "2.3.4", "");
	assert_string_equal(model->file, "acme-2");
	assert_string_equal(model->name, "Acme Two");
	assert_int_equal(model->has_mechanical_key, FLAG_YES);
	assert_string_equal(model->support, "https://acme.example/");
	assert_string_equal(model->battery_kind, "AA");
	assert_int_equal(model->battery_count, 4);
	assert_true(model->volt_full > 5.9 && model->volt_full < 6.1);
	assert_int_equal(model->warn_percent, 20);
	assert_true(model->life_days > 199 && model->life_days < 201);
	assert_string_equal(model->firmware_newest, "2.9.1");
	assert_string_equal(model->firmware_checked, "2026-11-01");
	assert_string_equal(model->firmware_min, "2.4.0");
	assert_string_equal(model->firmware_fault, "Old.");
	assert_string_equal(model->battery_change[0], "Open it.");
	assert_string_equal(model->battery_change[1], "Close it; now.");
	assert_null(model->battery_change[2]);
	assert_string_equal(model->restart[0], "Pull.");
	assert_string_equal(model->contact[0], "Call.");
	assert_null(model->calibrate[0]);
}

static void the_firmware_tells_the_generation(void **state) {
	(void) state;
	put("a/acme-2.ini", "[model]\nname = Two\nbrand = acme\nfirmware = 2\n");
	put("a/acme-25.ini", "[model]\nname = Twenty-five\nbrand = acme\nfirmware = 25\n");
	AUTO(models_free) struct models *models = load("a");
	assert_string_equal(models_find(models, "acme", "2.0.0", "")->name, "Two");
	assert_string_equal(models_find(models, "acme", "25.1", "")->name, "Twenty-five");
	assert_string_equal(models_find(models, "acme", "2", "")->name, "Two");
	/* Neither another number nor another brand, nor none at all. */
	assert_ptr_equal(models_find(models, "acme", "3.0.0", ""), &model_unknown);
	assert_ptr_equal(models_find(models, "acme", "", ""), &model_unknown);
	assert_ptr_equal(models_find(models, "zeta", "2.0.0", ""), &model_unknown);
}

static void a_file_without_a_number_fits_when_no_better_does(void **state) {
	(void) state;
	put("a/acme.ini", "[model]\nname = Any\nbrand = acme\n");
	put("a/acme-2.ini", "[model]\nname = Two\nbrand = acme\nfirmware = 2\n");
	AUTO(models_free) struct models *models = load("a");
	assert_string_equal(models_find(models, "acme", "2.1", "")->name, "Two");
	assert_string_equal(models_find(models, "acme", "9.1", "")->name, "Any");
	assert_string_equal(models_find(models, "acme", "", "")->name, "Any");
}

static void two_with_one_number_are_told_apart_by_what_the_lock_says(void **state) {
	(void) state;
	put("a/acme-2.ini",
		"[model]\nname = Plain\nbrand = acme\ngeneration = plain\nfirmware = 2\n");
	put("a/acme-2x.ini",
		"[model]\nname = Extra\nbrand = acme\ngeneration = extra\nfirmware = 2\n");
	AUTO(models_free) struct models *models = load("a");
	assert_string_equal(models_find(models, "acme", "2.1", "Acme Extra 2")->name, "Extra");
	assert_string_equal(models_find(models, "acme", "2.1", "Acme Plain 2")->name, "Plain");
}

/* Brands whose models are told by their names, in any order of the files. */
static void a_name_tells_the_model(void **state) {
	(void) state;
	put("a/acme.ini", "[model]\nname = Any\nbrand = acme\n");
	put("a/acme-2.ini", "[model]\nname = Acme Lock Pro\nbrand = acme\ngeneration = Lock Pro\n");
	put("a/acme-25.ini", "[model]\nname = Acme Lock\nbrand = acme\ngeneration = first\n");
	AUTO(models_free) struct models *models = load("a");
	assert_string_equal(models_find(models, "acme", "2.5", "Acme Lock")->name, "Acme Lock");
	assert_string_equal(
		models_find(models, "acme", "2.5", "Acme Lock Pro")->name, "Acme Lock Pro");
	assert_string_equal(
		models_find(models, "acme", "2.5", "Acme Lock Pro 2")->name, "Acme Lock Pro");
	assert_string_equal(models_find(models, "acme", "2.5", "Acme Lock Mini")->name, "Any");
	assert_string_equal(models_find(models, "acme", "", "")->name, "Any");
}

/* Whatever a driver calls its locks, there is a file for it. */
static void each_kind_of_each_brand_has_data(void **state) {
	static const struct {
		const char *name, *file;
	} rows[] = { { "SwitchBot Lock", "switchbot-lock" }, { "SwitchBot Lock Lite", "switchbot" },
		{ "SwitchBot Lock Pro", "switchbot-lock-pro" },
		{ "SwitchBot Lock Pro Wi-Fi", "switchbot-lock-pro" },
		{ "SwitchBot Lock Ultra", "switchbot-lock-ultra" },
		{ "SwitchBot Lock Vision", "switchbot-lock-vision" },
		{ "SwitchBot Lock Vision Pro", "switchbot-lock-vision" }, { "", "switchbot" } };
	/* As the driver names them after what they tell of themselves, ends and all. */
	static const struct {
		const char *name, *file;
	} august_rows[] = { { "August Smart Lock ASL-01", "august" },
		{ "August Smart Lock ASL-02", "august-asl-02" },
		{ "August Smart Lock ASL-03-EU", "august-asl-03" },
		{ "August Smart Lock ASL-05", "august-asl-05" },
		{ "August Smart Lock ASL-06", "august-asl-06" }, { "Durus MD-04I", "yale-md-04i" },
		{ "Yale Assure YRD256", "yale-assure" },
		{ "Yale Linus SL-103-EU", "yale-linus-l2" },
		{ "Yale Linus L2", "yale-linus-l2-nordic" }, { "Yale Linus", "august" },
		{ "Yale CERES", "august" } };
	const char *root = getenv("LOCKHUB_SOURCE_ROOT");
	char path[512];

	(void) state;
	(void) snprintf(path, sizeof(path), "%s/conf/models", root != NULL ? root : ".");
	AUTO(models_free) struct models *models = models_new(path);
	assert_non_null(models);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_string_equal(
			models_find(models, "switchbot", "6.5", rows[i].name)->file, rows[i].file);
	}
	for (size_t i = 0; i < ARRAY_SIZE(august_rows); i++) {
		assert_string_equal(models_find(models, "august", "", august_rows[i].name)->file,
			august_rows[i].file);
	}
	for (size_t i = 0; lock_drivers[i] != NULL; i++) {
		const struct driver *driver = lock_drivers[i];

		for (unsigned kind = 0; driver->example != NULL; kind++) {
			AUTO_VALUE(secret_wipe) struct secret keys = { 0 };
			struct lock_status status;

			lock_status_init(&status);
			const char *name = driver->example(kind, &keys, &status);
			if (name == NULL) {
				break;
			}
			/* Of some brands only the firmware tells; any number that there is does. */
			const bool is_found =
				models_find(models, driver->name, "", name) != &model_unknown ||
				models_find(models, driver->name, "5.0", name) != &model_unknown;
			if (!is_found) {
				fail_msg("no model data for %s of %s", name, driver->brand);
			}
		}
	}
}

static void the_first_folder_wins(void **state) {
	(void) state;
	put("a/acme-2.ini", "[model]\nname = Mine\nbrand = acme\nfirmware = 2\n");
	put("b/acme-2.ini", "[model]\nname = Theirs\nbrand = acme\nfirmware = 2\n");
	AUTO(models_free) struct models *models = load("ab");
	assert_int_equal(models_count(models), 1);
	assert_string_equal(models_find(models, "acme", "2.1", "")->name, "Mine");
}

static void what_is_not_understood_is_left_out_and_the_rest_is_taken(void **state) {
	(void) state;
	put("a/acme-2.ini",
		"[model]\nname = Two\nbrand = acme\nfirmware = 2\nmechanical_key = perhaps\n"
		"[battery]\ncount = many\nvolt_full = 6 V\n"
		"[battery-change]\nstep1 = One.\nstep3 = Three without two.\nlast = No step.\n"
		"[quirks]\nodd = Not read here.\n");
	put("a/nobody.ini", "[model]\nname = Without a brand\n");
	put("a/broken.ini", "no section\n");
	put("a/notes.txt", "[model]\nbrand = text\n");
	AUTO(models_free) struct models *models = load("a");
	assert_int_equal(models_count(models), 1);
	const struct model *model = models_find(models, "acme", "2", "");
	assert_int_equal(model->has_mechanical_key, FLAG_UNKNOWN);
	assert_int_equal(model->battery_count, 0);
	assert_true(model->volt_full == 0);
	assert_string_equal(model->battery_change[0], "One.");
	assert_null(model->battery_change[1]);
	assert_null(model->battery_change[2]);
}

static void every_generation_that_is_shipped_is_found(void **state) {
	static const struct {
		const char *firmware, *file;
	} rows[] = { { "1.10.4", "nuki-gen1" }, { "2.15.7", "nuki-gen2" }, { "3.9.5", "nuki-gen3" },
		{ "4.1.2", "nuki-gen4" }, { "5.0.3", "nuki-5g" } };
	const char *root = getenv("LOCKHUB_SOURCE_ROOT");
	char path[512];

	(void) state;
	(void) snprintf(path, sizeof(path), "%s/conf/models", root != NULL ? root : ".");
	AUTO(models_free) struct models *models = models_new(path);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct model *model = models_find(models, "nuki", rows[i].firmware, "");

		assert_string_equal(model->file, rows[i].file);
		assert_non_null(model->battery_change[0]);
		assert_non_null(model->factory_reset[0]);
		assert_non_null(model->contact[0]);
	}
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(everything_of_a_file_is_read, setup, teardown),
		cmocka_unit_test_setup_teardown(the_firmware_tells_the_generation, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_file_without_a_number_fits_when_no_better_does, setup, teardown),
		cmocka_unit_test_setup_teardown(
			two_with_one_number_are_told_apart_by_what_the_lock_says, setup, teardown),
		cmocka_unit_test_setup_teardown(a_name_tells_the_model, setup, teardown),
		cmocka_unit_test_setup_teardown(the_first_folder_wins, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_is_not_understood_is_left_out_and_the_rest_is_taken, setup, teardown),
		cmocka_unit_test(every_generation_that_is_shipped_is_found),
		cmocka_unit_test(each_kind_of_each_brand_has_data),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
