/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store/keeper.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/crypto.h"
#include "crypto/password.h"
#include "examine.h"
#include "keeper-files.h"
#include "rig.h"
#include "test.h"

#define PASSPHRASE "correct horse battery staple"
#define OTHER_KEY "fedcba9876543210fedcba9876543210"
#define LOCK_KEYS "KEYKEYKEYKEY"
#define NOW 1790000000

/* ---- a store with a keeper ---- */

struct keeping {
	struct rig rig;
	char folder[96];
	char extras_folder[96];
	struct keeper_extra extras[3];
	wall_t now;
	struct clock clock;
	struct keeper *keeper;
	bool is_answered;
	struct vault_report report;
	struct fault fault;
	struct vault_generation list[16];
	size_t n_list;
	unsigned n_changed;
};
static struct keeping *of_clock;

static wall_t clock_now(const struct clock *clock) {
	return of_clock->now;
}
static mono_t clock_mono_now(const struct clock *clock) {
	return (mono_t){ 0 };
}
static bool clock_trusted(const struct clock *clock) {
	return true;
}

static void on_changed(void *user) {
	((struct keeping *) user)->n_changed++;
}

static void keeping_open(struct keeping *k) {
	rig_open(&k->rig);
	const struct keeper_config config = { .store = k->rig.store,
		.state_dir = k->rig.folder,
		.folder = k->folder,
		.key = &k->rig.key,
		.clock = &k->clock,
		.hub_id = "0a1b2c3d",
		.keep = 3,
		.passes = 1,
		.kib = 64,
		.extras = k->extras,
		.n_extras = ARRAY_SIZE(k->extras),
		.changed = on_changed,
		.user = k };
	k->keeper = keeper_new(&config);
	assert_non_null(k->keeper);
}

static void keeping_close(struct keeping *k) {
	rig_close(&k->rig);
	k->keeper = keeper_free(k->keeper);
}

static void write_text(const char *folder, const char *name, const char *text) {
	char path[PATH_MAX];
	assert_int_equal(files_path(path, folder, name, NULL), 0);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int setup(void **state) {
	struct keeping *k = calloc(1, sizeof(*k));
	rig_init(&k->rig);
	k->now.s = NOW;
	k->clock = (struct clock){ clock_mono_now, clock_now, clock_trusted };
	of_clock = k;
	snprintf(k->folder, sizeof(k->folder), "%s/backup", k->rig.folder);
	snprintf(k->extras_folder, sizeof(k->extras_folder), "%s/etc", k->rig.folder);
	assert_int_equal(mkdir(k->extras_folder, 0700), 0);
	write_text(k->extras_folder, "lockhubd.conf", "[hub]\nname = Canary hub\n");
	write_text(k->extras_folder, "password", "broker-canary");
	write_text(k->extras_folder, "own.ini", "[model]\n");
	static char conf[128], password[128], models[128];
	snprintf(conf, sizeof(conf), "%s/lockhubd.conf", k->extras_folder);
	snprintf(password, sizeof(password), "%s/password", k->extras_folder);
	snprintf(models, sizeof(models), "%s", k->extras_folder);
	k->extras[0] = (struct keeper_extra){ KEEPER_CONFIG, conf, NULL };
	k->extras[1] = (struct keeper_extra){ KEEPER_MODELS, models, ".ini" };
	k->extras[2] = (struct keeper_extra){ KEEPER_PASSWORD, password, NULL };
	keeping_open(k);
	*state = k;
	return 0;
}

static int teardown(void **state) {
	struct keeping *k = *state;
	keeping_close(k);
	files_remove_tree(k->rig.folder);
	rig_finish(&k->rig);
	free(k);
	return 0;
}

static void on_done(void *user, const struct vault_report *report, const struct fault *fault) {
	struct keeping *k = user;
	k->is_answered = true;
	k->fault = fault != NULL ? *fault : (struct fault){ .code = FAULT_NONE };
	assert_true((report == NULL) == (fault != NULL));
	if (report != NULL) {
		k->report = *report;
	}
}

static void on_list(void *user, const struct vault_generation *generations, size_t n,
	const struct fault *fault) {
	struct keeping *k = user;
	assert_null(fault);
	assert_true(n <= ARRAY_SIZE(k->list));
	memcpy(k->list, generations, n * sizeof(*generations));
	k->n_list = n;
	k->is_answered = true;
}

static enum fault_code await(struct keeping *k) {
	while (!k->is_answered) {
		rig_turn(&k->rig);
	}
	k->is_answered = false;
	return k->fault.code;
}

static struct vault *vault(struct keeping *k) {
	return keeper_vault(k->keeper);
}

static struct secret secret(const char *text) {
	struct secret made = { 0 };
	assert_int_equal(secret_set_text(&made, text), 0);
	return made;
}

static int new_file(void) {
	int fd = memfd_create("backup", MFD_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static int again(int fd) {
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	assert_true(copy >= 0);
	return copy;
}

static enum fault_code backup(struct keeping *k, int fd, const char *passphrase, bool with_all) {
	struct secret word = secret(passphrase);
	vault(k)->impl->backup(vault(k), again(fd), &word, with_all, on_done, k);
	return await(k);
}

static enum fault_code verify(struct keeping *k, int fd, const char *passphrase) {
	struct vault_source source = { .take_fd = again(fd), .passphrase = secret(passphrase) };
	vault(k)->impl->verify(vault(k), &source, on_done, k);
	return await(k);
}

static enum fault_code verify_generation(struct keeping *k, const char *name) {
	struct vault_source source = { .take_fd = -1 };
	(void) snprintf(source.name, sizeof(source.name), "%s", name);
	vault(k)->impl->verify(vault(k), &source, on_done, k);
	return await(k);
}

static enum fault_code restore(struct keeping *k, int fd, const char *passphrase) {
	struct vault_source source = { .take_fd = again(fd), .passphrase = secret(passphrase) };
	vault(k)->impl->restore(vault(k), &source, "anna (uid 1000)", on_done, k);
	return await(k);
}

static enum fault_code generation(struct keeping *k, const char *reason) {
	vault(k)->impl->generation(vault(k), reason, on_done, k);
	return await(k);
}

static size_t list(struct keeping *k) {
	vault(k)->impl->list(vault(k), on_list, k);
	await(k);
	return k->n_list;
}

static void daily(struct keeping *k) {
	keeper_run_daily(k->keeper);
	list(k); /* jobs are done in their order */
}

static void add_user(struct txn *txn, const char *id, unsigned number, const char *name) {
	struct user *user = &txn_add(txn, TXN_USER_PUT)->user;
	snprintf(user->id, sizeof(user->id), "%s", id);
	user->number = number;
	snprintf(user->name, sizeof(user->name), "%s", name);
	snprintf(user->slug, sizeof(user->slug), "%s", id);
	user->type = USER_UNRESTRICTED;
	user->status = USER_STATUS_OCCUPIED_ENABLED;
	user->code = secret("code-canary");
}

static void add_code(struct txn *txn, const char *id, const char *user_id, const char *pin) {
	struct credential *row = &txn_add(txn, TXN_CREDENTIAL_PUT)->credential;
	snprintf(row->id, sizeof(row->id), "%s", id);
	snprintf(row->user_id, sizeof(row->user_id), "%s", user_id);
	row->type = CREDENTIAL_PIN;
	row->state = CREDENTIAL_ACTIVE;
	row->pin = secret(pin);
}

static void fill(struct keeping *k) {
	struct waiting waiting;
	struct txn *txn = rig_txn(&waiting);
	struct lock_record *lock = rig_add_lock(txn, TXN_LOCK_PUT, "00000001", "front-door");
	lock->keys = secret(LOCK_KEYS);
	add_user(txn, "0000000a", 1, "Anna");
	add_code(txn, "000000c1", "0000000a", "918273");
	rig_add_event(txn, "00000001", 0);
	assert_int_equal(rig_commit_wait(&k->rig, txn, &waiting), FAULT_NONE);
	txn = rig_txn(&waiting);
	struct txn_item *item = txn_add(txn, TXN_SLOTS_CLEAR);
	snprintf(item->slots.lock_id, sizeof(item->slots.lock_id), "00000001");
	item->slots.at.s = NOW;
	item = txn_add(txn, TXN_SLOT_PUT);
	snprintf(item->slots.lock_id, sizeof(item->slots.lock_id), "00000001");
	item->slots.slot.type = CREDENTIAL_PIN;
	item->slots.slot.ref = 77;
	item->slots.slot.pin = secret("918273");
	assert_int_equal(rig_commit_wait(&k->rig, txn, &waiting), FAULT_NONE);
}

static bool exists(const struct keeping *k, const char *name) {
	char path[PATH_MAX];
	return files_path(path, k->rig.folder, name, NULL) == 0 && access(path, F_OK) == 0;
}

/* ---- asked for ---- */

static void a_backup_holds_everything_and_verifies(void **state) {
	struct keeping *k = *state;
	int fd = new_file();
	fill(k);
	assert_int_equal(backup(k, fd, PASSPHRASE, false), FAULT_NONE);
	assert_int_equal(k->report.n_locks, 1);
	assert_int_equal(k->report.n_users, 1);
	assert_int_equal(k->report.n_codes, 1);
	assert_int_equal(k->report.n_events, 1);
	/* canary, keys of the lock, code and one-time key of the user, PIN, slot */
	assert_int_equal(k->report.n_secrets, 6);
	assert_int_equal(k->report.n_files, 2);
	assert_false(k->report.has_passwords);
	assert_true(k->report.is_log_whole);
	assert_false(k->report.is_automatic);
	assert_int_equal(k->report.made_at.s, NOW);
	assert_string_equal(k->report.hub_id, "0a1b2c3d");
	assert_false(exists(k, FILES_SCRATCH));

	assert_int_equal(verify(k, fd, PASSPHRASE), FAULT_NONE);
	assert_true(k->report.is_compared);
	assert_true(k->report.is_own_log);
	assert_int_equal(k->report.n_differences, 0);
	assert_int_equal(k->report.n_events_since, 0);
	assert_false(exists(k, FILES_SCRATCH));
	close(fd);
}

static void passwords_go_along_when_asked_for(void **state) {
	struct keeping *k = *state;
	int fd = new_file();
	assert_int_equal(backup(k, fd, PASSPHRASE, true), FAULT_NONE);
	assert_true(k->report.has_passwords);
	close(fd);
}

static void a_weak_passphrase_is_refused(void **state) {
	struct keeping *k = *state;
	int fd = new_file();
	assert_int_equal(backup(k, fd, "password123", false), FAULT_PASSPHRASE_WEAK);
	assert_int_equal(lseek(fd, 0, SEEK_END), 0);
	close(fd);
}

static void a_file_with_something_in_it_is_left_alone(void **state) {
	struct keeping *k = *state;
	int fd = new_file();
	int pipes[2];
	assert_int_equal(write(fd, "precious", 8), 8);
	assert_int_equal(backup(k, fd, PASSPHRASE, false), FAULT_BAD_ARGUMENT);
	assert_int_equal(lseek(fd, 0, SEEK_END), 8);
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	assert_int_equal(backup(k, pipes[1], PASSPHRASE, false), FAULT_BAD_ARGUMENT);
	assert_int_equal(verify(k, pipes[0], PASSPHRASE), FAULT_BAD_ARGUMENT);
	close(pipes[0]);
	close(pipes[1]);
	close(fd);
}

static void what_is_secret_is_not_in_the_file_in_clear(void **state) {
	static const char *const canaries[] = { "918273", LOCK_KEYS, "code-canary", RIG_KEY,
		PASSPHRASE, "Anna", "front-door", "broker-canary", "Canary hub", "SQLite format" };
	struct keeping *k = *state;
	char path[PATH_MAX];
	int fd = new_file();
	fill(k);
	assert_int_equal(backup(k, fd, PASSPHRASE, true), FAULT_NONE);
	assert_int_equal(generation(k, "before-test"), FAULT_NONE);
	assert_int_equal(files_path(path, k->folder, k->report.name, NULL), 0);
	int files[] = { fd, open(path, O_RDONLY | O_CLOEXEC) };
	for (size_t f = 0; f < ARRAY_SIZE(files); f++) {
		size_t size = (size_t) lseek(files[f], 0, SEEK_END);
		const char *all = mmap(NULL, size, PROT_READ, MAP_PRIVATE, files[f], 0);
		assert_true(all != MAP_FAILED);
		for (size_t i = 0; i < ARRAY_SIZE(canaries); i++) {
			assert_null(memmem(all, size, canaries[i], strlen(canaries[i])));
		}
		munmap((void *) all, size);
		close(files[f]);
	}
}

static void verify_names_what_is_different(void **state) {
	struct keeping *k = *state;
	struct waiting waiting;
	int fd = new_file();
	fill(k);
	assert_int_equal(backup(k, fd, PASSPHRASE, false), FAULT_NONE);
	struct txn *txn = rig_txn(&waiting);
	add_user(txn, "0000000a", 1, "Anne");
	add_user(txn, "0000000b", 2, "Bert");
	struct txn_item *item = txn_add(txn, TXN_CREDENTIAL_REMOVE);
	snprintf(item->row, sizeof(item->row), "000000c1");
	struct lock_record *lock = rig_add_lock(txn, TXN_LOCK_KEYS, "00000001", "front-door");
	lock->keys = secret("other-keys");
	rig_add_event(txn, "00000001", 0);
	rig_add_event(txn, "00000001", 0);
	assert_int_equal(rig_commit_wait(&k->rig, txn, &waiting), FAULT_NONE);

	static const struct vault_difference wanted[] = { { "key", "changed", "Lock front-door" },
		{ "user", "changed", "Anne" }, { "user", "not in the backup", "Bert" },
		{ "code", "only in the backup", "Anna, 000000c1" } };
	assert_int_equal(verify(k, fd, PASSPHRASE), FAULT_NONE);
	assert_int_equal(k->report.n_differences, ARRAY_SIZE(wanted));
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		assert_string_equal(k->report.differences[i].kind, wanted[i].kind);
		assert_string_equal(k->report.differences[i].what, wanted[i].what);
		if (i > 0) {
			assert_string_equal(k->report.differences[i].name, wanted[i].name);
		}
	}
	assert_int_equal(k->report.n_events_since, 2);
	assert_true(k->report.is_own_log);
	close(fd);
}

/* The same secret sealed anew has other octets and is no difference. */
static void a_secret_that_was_put_again_is_no_difference(void **state) {
	struct keeping *k = *state;
	struct waiting waiting;
	int fd = new_file();
	fill(k);
	assert_int_equal(backup(k, fd, PASSPHRASE, false), FAULT_NONE);
	struct txn *txn = rig_txn(&waiting);
	add_code(txn, "000000c1", "0000000a", "918273");
	assert_int_equal(rig_commit_wait(&k->rig, txn, &waiting), FAULT_NONE);
	assert_int_equal(verify(k, fd, PASSPHRASE), FAULT_NONE);
	assert_int_equal(k->report.n_differences, 0);
	close(fd);
}

static void damage_and_a_wrong_passphrase_are_told_apart(void **state) {
	struct keeping *k = *state;
	int fd = new_file();
	fill(k);
	assert_int_equal(backup(k, fd, PASSPHRASE, false), FAULT_NONE);
	assert_int_equal(verify(k, fd, "correct horse battery stable"), FAULT_PASSPHRASE_WRONG);
	off_t size = lseek(fd, 0, SEEK_END);
	uint8_t octet;
	assert_int_equal(pread(fd, &octet, 1, size / 2), 1);
	octet ^= 0x01;
	assert_int_equal(pwrite(fd, &octet, 1, size / 2), 1);
	assert_int_equal(verify(k, fd, PASSPHRASE), FAULT_BACKUP_DAMAGED);
	assert_int_equal(restore(k, fd, PASSPHRASE), FAULT_BACKUP_DAMAGED);
	assert_false(exists(k, FILES_STAGE));
	assert_false(exists(k, FILES_SCRATCH));
	assert_int_equal(list(k), 0); /* nothing was put at risk, so nothing was kept */
	close(fd);
}

/* ---- generations ---- */

static void a_generation_is_made_when_something_changed(void **state) {
	struct keeping *k = *state;
	struct keeper_state keeper;
	struct stat st;
	fill(k);
	daily(k);
	assert_int_equal(k->n_list, 1);
	assert_string_equal(k->list[0].name, "daily-20260921T141320Z.backup");
	assert_string_equal(k->list[0].reason, "daily");
	assert_int_equal(k->list[0].made_at.s, NOW);
	assert_int_equal(k->list[0].fault.code, FAULT_NONE);
	keeper_state(k->keeper, &keeper);
	assert_int_equal(keeper.newest.s, NOW);
	assert_int_equal(stat(k->folder, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);

	k->now.s += 86400;
	daily(k);
	assert_int_equal(k->n_list, 1);
	assert_int_equal(k->list[0].made_at.s, NOW);
	/* A restart alone is no change. */
	keeping_close(k);
	keeping_open(k);
	daily(k);
	assert_int_equal(k->n_list, 1);
	/* It is as good as one made now. */
	keeper_state(k->keeper, &keeper);
	assert_int_equal(keeper.newest.s, NOW + 86400);

	rig_record(&k->rig, "00000001", 0);
	daily(k);
	assert_int_equal(k->n_list, 2);
}

static void the_oldest_go_when_a_new_one_is_good(void **state) {
	struct keeping *k = *state;
	fill(k);
	assert_int_equal(generation(k, "before-reset-front-door"), FAULT_NONE);
	assert_string_equal(k->report.name, "before-reset-front-door-20260921T141320Z.backup");
	for (int i = 0; i < 5; i++) {
		k->now.s += 86400;
		rig_record(&k->rig, "00000001", 0);
		daily(k);
	}
	assert_int_equal(k->n_list, 4);
	assert_int_equal(k->list[0].made_at.s, NOW + 5 * 86400);
	assert_int_equal(k->list[2].made_at.s, NOW + 3 * 86400);
	assert_string_equal(k->list[3].reason, "before-reset-front-door");
}

static void remove_all(struct keeping *k);
static void a_generation_is_verified_by_its_name(void **state) {
	static const char *const none[] = { "", "daily", "daily-20260921T141320Z.backup",
		"before-test-20260921T141320Z.backup.part",
		"../backup/before-test-20260921T141320Z.backup", "link-20260921T141320Z.backup" };
	struct keeping *k = *state;
	char path[PATH_MAX];
	fill(k);
	assert_int_equal(generation(k, "before-test"), FAULT_NONE);
	assert_true(k->report.is_compared);
	assert_int_equal(k->report.n_differences, 0);
	const char *name = "before-test-20260921T141320Z.backup";
	assert_int_equal(verify_generation(k, name), FAULT_NONE);
	assert_string_equal(k->report.name, name);
	assert_true(k->report.is_automatic && k->report.is_compared && k->report.is_own_log);
	assert_int_equal(k->report.n_differences, 0);
	assert_int_equal(k->report.n_users, 1);
	remove_all(k);
	assert_int_equal(verify_generation(k, name), FAULT_NONE);
	assert_true(k->report.n_differences > 0);

	assert_int_equal(files_path(path, k->folder, "link-20260921T141320Z.backup", NULL), 0);
	assert_int_equal(symlink(name, path), 0);
	for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
		assert_int_equal(verify_generation(k, none[i]), FAULT_BAD_ARGUMENT);
	}
	assert_int_equal(files_path(path, k->folder, name, NULL), 0);
	assert_int_equal(truncate(path, 4000), 0);
	assert_int_equal(verify_generation(k, name), FAULT_BACKUP_DAMAGED);
}

/* In the place of what was written: a file that is whole, but was written before. */
static int stale_fd = -1;
static const char *stale_name;
static void give_back_stale(int fd) {
	char link[64], path[PATH_MAX], octets[4096];
	ssize_t n;
	off_t at = 0;
	(void) snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (stale_fd < 0 || n < 0 || (path[n] = '\0', strstr(path, stale_name) == NULL)) {
		return;
	}
	while ((n = pread(stale_fd, octets, sizeof(octets), at)) > 0) {
		assert_int_equal(pwrite(fd, octets, (size_t) n, at), n);
		at += n;
	}
	assert_int_equal(ftruncate(fd, at), 0);
}

static void what_is_not_what_was_put_in_is_no_backup(void **state) {
	struct keeping *k = *state;
	char path[PATH_MAX];
	fill(k);
	assert_int_equal(generation(k, "before-test"), FAULT_NONE);
	assert_int_equal(files_path(path, k->folder, k->report.name, NULL), 0);
	stale_fd = open(path, O_RDONLY | O_CLOEXEC);
	stale_name = "/new.part";
	assert_true(stale_fd >= 0);
	k->now.s += 60;
	/* Nothing has changed: then the old one will do. */
	assert_int_equal(generation(k, "before-same"), FAULT_NONE);
	rig_record(&k->rig, "00000001", 0);
	assert_int_equal(generation(k, "before-other"), FAULT_BACKUP_DAMAGED);
	close(stale_fd);
	stale_fd = -1;
	assert_int_equal(list(k), 2);
	assert_false(exists(k, "backup/new.part"));
}

static void a_reason_cannot_lead_elsewhere(void **state) {
	static const char *const bad[] = { "", "../x", "Before", "a b", "-x", "a/b",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };
	struct keeping *k = *state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(generation(k, bad[i]), FAULT_BAD_ARGUMENT);
	}
	assert_int_equal(list(k), 0);
}

static void one_that_cannot_be_written_costs_no_other(void **state) {
	struct keeping *k = *state;
	struct keeper_state keeper;
	if (geteuid() == 0) {
		/* Modes do not stop root; a folder that is a file does. */
		write_text(k->rig.folder, "backup", "");
	} else {
		assert_int_equal(mkdir(k->folder, 0500), 0);
	}
	k->n_changed = 0;
	keeper_run_daily(k->keeper);
	do {
		rig_turn(&k->rig);
		keeper_state(k->keeper, &keeper);
	} while (keeper.is_busy);
	assert_int_equal(keeper.fault.code, FAULT_DATABASE_IO);
	assert_int_equal(k->n_changed, 1);
	(void) unlink(k->folder);
	(void) rmdir(k->folder);
	daily(k);
	keeper_state(k->keeper, &keeper);
	assert_int_equal(keeper.fault.code, FAULT_NONE);
	assert_int_equal(k->n_list, 1);
}

/* ---- bringing one back ---- */

struct seen {
	struct secret keys, pin, slot_pin, code;
	char note[128];
	wall_t read_at;
	enum lock_state state;
	unsigned n_locks, n_users, n_codes;
};

static void see_lock(void *user, const struct lock_record *record, const struct event *last,
	const struct fault *fault) {
	struct seen *seen = user;
	assert_null(fault);
	seen->n_locks++;
	seen->keys = record->keys;
	seen->state = record->state;
}
static void see_setting(void *user, const char *key, const char *value) {
	struct seen *seen = user;
	if (strcmp(key, KEEPER_NOTE) == 0) {
		snprintf(seen->note, sizeof(seen->note), "%s", value);
	}
}
static void see_user(void *user, const struct user *row, const struct fault *fault) {
	struct seen *seen = user;
	assert_null(fault);
	seen->n_users++;
	seen->code = row->code;
}
static void see_credential(void *user, const struct credential *row, const struct fault *fault) {
	struct seen *seen = user;
	assert_null(fault);
	seen->n_codes++;
	seen->pin = row->pin;
}
static void see_slots(void *user, const char *lock_id, const struct slot *slots, size_t n,
	wall_t at, const struct fault *fault) {
	struct seen *seen = user;
	assert_null(fault);
	assert_int_equal(n, 1);
	seen->slot_pin = slots[0].pin;
	seen->read_at = at;
}

static struct seen see(struct keeping *k) {
	static const struct store_visitor visitor = { .lock = see_lock,
		.setting = see_setting,
		.user = see_user,
		.credential = see_credential,
		.slots = see_slots };
	struct seen seen = { .read_at = { -1 } };
	assert_int_equal(store_load(k->rig.store, &visitor, &seen, NULL), 0);
	return seen;
}

static void assert_text(const struct secret *secret, const char *text) {
	assert_int_equal(secret->len, strlen(text));
	assert_memory_equal(secret->bytes, text, strlen(text));
}

static void assert_all_is_back(struct keeping *k) {
	struct log_verify log;
	struct seen seen = see(k);
	assert_int_equal(seen.n_locks, 1);
	assert_int_equal(seen.n_users, 1);
	assert_int_equal(seen.n_codes, 1);
	assert_text(&seen.keys, LOCK_KEYS);
	assert_text(&seen.pin, "918273");
	assert_text(&seen.slot_pin, "918273");
	assert_text(&seen.code, "code-canary");
	/* What the locks told is not believed until they tell it again. */
	assert_int_equal(seen.read_at.s, 0);
	assert_int_equal(seen.state, LOCK_STATE_UNKNOWN);
	assert_int_equal(rig_verify(&k->rig, &log), FAULT_NONE);
	assert_int_equal(log.bad_seq, 0);
	assert_int_equal(log.n_rows, 1);
}

static void remove_all(struct keeping *k) {
	struct waiting waiting;
	struct txn *txn = rig_txn(&waiting);
	struct lock_record *lock = rig_add_lock(txn, TXN_LOCK_REMOVE, "00000001", "front-door");
	(void) lock;
	struct txn_item *item = txn_add(txn, TXN_CREDENTIAL_REMOVE);
	snprintf(item->row, sizeof(item->row), "000000c1");
	item = txn_add(txn, TXN_USER_REMOVE);
	snprintf(item->row, sizeof(item->row), "0000000a");
	assert_int_equal(rig_commit_wait(&k->rig, txn, &waiting), FAULT_NONE);
}

static bool settle(struct keeping *k) {
	bool is_swapped = false;
	struct fault fault = { 0 };
	if (keeper_settle(k->rig.folder, &is_swapped, &fault) < 0) {
		fail_msg("%s: %s", fault_name(fault.code), fault.detail);
	}
	return is_swapped;
}

static void a_restoration_happens_at_the_next_start(void **state) {
	struct keeping *k = *state;
	struct keeper_note note;
	int fd = new_file();
	fill(k);
	assert_int_equal(backup(k, fd, PASSPHRASE, true), FAULT_NONE);
	remove_all(k);
	k->now.s += 100;
	assert_int_equal(restore(k, fd, PASSPHRASE), FAULT_NONE);
	assert_int_equal(see(k).n_locks, 0);
	assert_int_equal(list(k), 1);
	assert_string_equal(k->list[0].reason, "before-restore");
	keeping_close(k);
	assert_true(settle(k));
	assert_false(exists(k, FILES_STAGE));
	keeping_open(k);
	assert_all_is_back(k);
	struct seen seen = see(k);
	assert_int_equal(keeper_note_parse(seen.note, &note), 0);
	assert_false(note.is_recovery);
	assert_int_equal(note.at.s, NOW + 100);
	assert_string_equal(note.from, "anna (uid 1000)");
	/* For a person to look at. */
	assert_true(exists(k, "restored/config/lockhubd.conf"));
	assert_true(exists(k, "restored/models/own.ini"));
	assert_true(exists(k, "restored/passwords/password"));
	keeping_close(k);
	assert_false(settle(k));
	keeping_open(k);
	close(fd);
}

static void what_was_there_can_be_had_back(void **state) {
	struct keeping *k = *state;
	char path[PATH_MAX];
	int fd = new_file();
	assert_int_equal(backup(k, fd, PASSPHRASE, false), FAULT_NONE);
	fill(k);
	assert_int_equal(restore(k, fd, PASSPHRASE), FAULT_NONE);
	keeping_close(k);
	assert_true(settle(k));
	keeping_open(k);
	assert_int_equal(see(k).n_locks, 0);
	assert_int_equal(list(k), 1);
	assert_int_equal(files_path(path, k->folder, k->list[0].name, NULL), 0);
	int generation_fd = open(path, O_RDONLY | O_CLOEXEC);
	k->now.s += 1;
	assert_int_equal(restore(k, generation_fd, ""), FAULT_NONE);
	/* The same by its name. */
	struct vault_source source = { .take_fd = -1 };
	(void) snprintf(source.name, sizeof(source.name), "%s", k->list[0].name);
	k->now.s += 1;
	vault(k)->impl->restore(vault(k), &source, "anna (uid 1000)", on_done, k);
	assert_int_equal(await(k), FAULT_NONE);
	assert_string_equal(k->report.name, source.name);
	keeping_close(k);
	assert_true(settle(k));
	keeping_open(k);
	assert_all_is_back(k);
	close(generation_fd);
	close(fd);
}

static void another_machine_seals_with_its_own_key(void **state) {
	struct keeping *k = *state;
	int fd = new_file();
	fill(k);
	assert_int_equal(backup(k, fd, PASSPHRASE, false), FAULT_NONE);
	keeping_close(k);
	files_remove_tree(k->folder);
	assert_int_equal(unlink(k->rig.path), 0);
	k->rig.key = secret(OTHER_KEY);
	keeping_open(k);
	assert_int_equal(restore(k, fd, PASSPHRASE), FAULT_NONE);
	keeping_close(k);
	assert_true(settle(k));
	keeping_open(k);
	assert_all_is_back(k);
	close(fd);
}

static void a_backup_is_installed_where_no_hub_runs(void **state) {
	struct keeping *k = *state;
	struct secret word = secret(PASSPHRASE), key = secret(OTHER_KEY);
	struct vault_report report;
	struct fault fault = { 0 };
	int fd = new_file();
	fill(k);
	assert_int_equal(backup(k, fd, PASSPHRASE, false), FAULT_NONE);
	keeping_close(k);
	wall_t now = { NOW };
	assert_true(keeper_install(k->rig.folder, fd, &word, &key, now, &report, &fault) < 0);
	assert_int_equal(fault.code, FAULT_NAME_TAKEN);
	assert_int_equal(unlink(k->rig.path), 0);
	assert_int_equal(keeper_install(k->rig.folder, fd, &word, &key, now, &report, &fault), 0);
	assert_int_equal(report.n_users, 1);
	assert_false(exists(k, FILES_SCRATCH));
	assert_true(settle(k));
	k->rig.key = key;
	keeping_open(k);
	assert_all_is_back(k);
	close(fd);
}

/* ---- damage ---- */

static void corrupt(const struct keeping *k) {
	int fd = open(k->rig.path, O_WRONLY | O_CLOEXEC);
	static const uint8_t junk[8192] = { 1, 2, 3 };
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, junk, sizeof(junk), 0), sizeof(junk));
	close(fd);
}

static void the_newest_good_generation_takes_over(void **state) {
	struct keeping *k = *state;
	struct fault fault = { 0 };
	struct keeper_note note;
	char name[VAULT_NAME_MAX], path[PATH_MAX];
	fill(k);
	daily(k);
	k->now.s += 86400;
	rig_record(&k->rig, "00000001", 0);
	daily(k);
	assert_int_equal(k->n_list, 2);
	/* The newest one has been hit as well. */
	assert_int_equal(files_path(path, k->folder, k->list[0].name, NULL), 0);
	assert_int_equal(truncate(path, k->list[0].size - 7), 0);
	keeping_close(k);
	corrupt(k);
	assert_true(rig_try_open(&k->rig, &fault) < 0);
	assert_int_equal(fault.code, FAULT_DATABASE_CORRUPT);
	wall_t now = { NOW + 90000 };
	assert_int_equal(
		keeper_recover(k->rig.folder, k->folder, &k->rig.key, now, name, &fault), 0);
	assert_string_equal(name, "daily-20260921T141320Z.backup");
	assert_true(settle(k));
	assert_true(exists(k, "lockhub.db.corrupt-20260922T151320Z"));
	keeping_open(k);
	assert_all_is_back(k);
	struct seen seen = see(k);
	assert_int_equal(keeper_note_parse(seen.note, &note), 0);
	assert_true(note.is_recovery);
	assert_string_equal(note.from, name);
}

static void without_a_good_one_nothing_is_touched(void **state) {
	struct keeping *k = *state;
	struct fault fault = { 0 };
	char name[VAULT_NAME_MAX], path[PATH_MAX];
	size_t n_before, n_after;
	fill(k);
	daily(k);
	assert_int_equal(files_path(path, k->folder, k->list[0].name, NULL), 0);
	assert_int_equal(truncate(path, k->list[0].size - 1), 0);
	keeping_close(k);
	corrupt(k);
	uint8_t *before = rig_slurp(k->rig.path, &n_before);
	assert_true(
		keeper_recover(k->rig.folder, k->folder, &k->rig.key, k->now, name, &fault) < 0);
	assert_int_equal(fault.code, FAULT_BACKUP_DAMAGED);
	assert_false(settle(k));
	uint8_t *after = rig_slurp(k->rig.path, &n_after);
	assert_int_equal(n_before, n_after);
	assert_memory_equal(before, after, n_before);
	free(before);
	free(after);
	assert_int_equal(unlink(k->rig.path), 0);
	keeping_open(k);
}

static void a_lost_database_is_noticed(void **state) {
	struct keeping *k = *state;
	fill(k);
	assert_false(keeper_is_database_lost(k->rig.folder, k->folder));
	daily(k);
	assert_false(keeper_is_database_lost(k->rig.folder, k->folder));
	keeping_close(k);
	assert_int_equal(truncate(k->rig.path, 0), 0);
	assert_true(keeper_is_database_lost(k->rig.folder, k->folder));
	assert_int_equal(unlink(k->rig.path), 0);
	assert_true(keeper_is_database_lost(k->rig.folder, k->folder));
	files_remove_tree(k->folder);
	assert_false(keeper_is_database_lost(k->rig.folder, k->folder));
	keeping_open(k);
}

static void a_suspect_database_is_looked_at(void **state) {
	struct keeping *k = *state;
	struct fault fault = { 0 };
	fill(k);
	keeping_close(k);
	keeper_suspect(k->rig.folder);
	assert_true(exists(k, FILES_SUSPECT));
	assert_int_equal(keeper_check_suspect(k->rig.folder, &fault), 0);
	assert_false(exists(k, FILES_SUSPECT));
	keeper_suspect(k->rig.folder);
	corrupt(k);
	assert_true(keeper_check_suspect(k->rig.folder, &fault) < 0);
	assert_int_equal(fault.code, FAULT_DATABASE_CORRUPT);
	assert_true(exists(k, FILES_SUSPECT));
	assert_int_equal(unlink(k->rig.path), 0);
	keeping_open(k);
}

/* ---- columns ---- */

/* Whoever adds a sealed column must name it in examine.c, or it is lost on another machine. */
static void every_blob_is_known(void **state) {
	static const char *const plain[] = { "chain.hash", "chain.seal", "event.hash" };
	struct keeping *k = *state;
	sqlite3 *db = NULL;
	sqlite3_stmt *stmt = NULL;
	unsigned n = 0;
	assert_int_equal(sqlite3_open_v2(k->rig.path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db,
				 "SELECT t.name || '.' || c.name FROM sqlite_schema t,"
				 " pragma_table_info(t.name) c WHERE t.type = 'table'"
				 " AND c.type = 'BLOB'",
				 -1, &stmt, NULL),
		SQLITE_OK);
	while (sqlite3_step(stmt) == SQLITE_ROW) {
		const char *name = (const char *) sqlite3_column_text(stmt, 0);
		bool is_known = false;
		for (size_t i = 0; i < ARRAY_SIZE(plain); i++) {
			is_known |= strcmp(plain[i], name) == 0;
		}
		for (const char *const *each = examine_sealed_columns(); *each != NULL; each++) {
			is_known |= strcmp(*each, name) == 0;
			n += strcmp(*each, name) == 0;
		}
		if (!is_known) {
			fail_msg("%s: is it sealed? see src/store/examine.c", name);
		}
	}
	assert_int_equal(n, 6);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
}

/* ---- the power goes ---- */

#define KILLS_MAX 4000

/*
 * Ends the process at its @n-th system call that changes a name or a file: with a counter in the
 * wrappers below. Static functions of the C library cannot be caught, so these are what the files'
 * functions call.
 */
static long kill_at, n_calls;
static void maybe_die(void) {
	if (kill_at > 0 && ++n_calls == kill_at) {
		_exit(77);
	}
}
int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to) {
	maybe_die();
	int r = __real_rename(from, to);
	maybe_die();
	return r;
}
int __real_unlink(const char *path);
int __wrap_unlink(const char *path);
int __wrap_unlink(const char *path) {
	maybe_die();
	int r = __real_unlink(path);
	maybe_die();
	return r;
}
int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __wrap_fsync(int fd) {
	maybe_die();
	give_back_stale(fd);
	int r = __real_fsync(fd);
	maybe_die();
	return r;
}
int __real_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode) {
	maybe_die();
	return __real_mkdir(path, mode);
}

/* In a child, which dies on its way. @return whether it got through. */
static bool in_child(struct keeping *k, long at, void (*fn)(struct keeping *k)) {
	int status;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		kill_at = at;
		fn(k);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_true(WEXITSTATUS(status) == 77 || WEXITSTATUS(status) == 0);
	return WEXITSTATUS(status) == 0;
}

static int install_fd;
static void install(struct keeping *k) {
	struct secret word = secret(PASSPHRASE);
	struct vault_report *report = calloc(1, sizeof(*report));
	wall_t now = { NOW };
	bool is_swapped;
	if (keeper_install(k->rig.folder, install_fd, &word, &k->rig.key, now, report, NULL) < 0 ||
		keeper_settle(k->rig.folder, &is_swapped, NULL) < 0) {
		_exit(1);
	}
}

/* Nothing, or all of it; and a second try always comes to an end. */
static void a_kill_while_installing_leaves_nothing_or_all(void **state) {
	struct keeping *k = *state;
	bool was_nothing = false, was_all = false;
	install_fd = new_file();
	fill(k);
	assert_int_equal(backup(k, install_fd, PASSPHRASE, false), FAULT_NONE);
	keeping_close(k);
	for (long at = 1; at < KILLS_MAX; at++) {
		files_remove_tree(k->rig.folder);
		assert_int_equal(mkdir(k->rig.folder, 0700), 0);
		bool is_through = in_child(k, at, install);
		settle(k);
		assert_false(exists(k, FILES_SCRATCH));
		assert_false(exists(k, FILES_STAGE));
		assert_false(exists(k, FILES_STAGE_PART));
		if (exists(k, FILES_DATABASE)) {
			rig_open(&k->rig);
			assert_all_is_back(k);
			rig_close(&k->rig);
			was_all = true;
		} else {
			was_nothing = true;
			assert_false(was_all);
		}
		if (is_through) {
			break;
		}
	}
	assert_true(was_nothing && was_all);
	close(install_fd);
	keeping_open(k);
}

static void recover(struct keeping *k) {
	char name[VAULT_NAME_MAX];
	bool is_swapped;
	wall_t now = { NOW + 5 };
	if (keeper_recover(k->rig.folder, k->folder, &k->rig.key, now, name, NULL) < 0 ||
		keeper_settle(k->rig.folder, &is_swapped, NULL) < 0) {
		_exit(1);
	}
}

static void a_kill_while_recovering_leaves_old_or_new(void **state) {
	struct keeping *k = *state;
	struct fault fault;
	bool was_old = false, was_new = false;
	fill(k);
	daily(k);
	keeping_close(k);
	corrupt(k);
	/* A WAL of the old one must never meet the new one. */
	write_text(k->rig.folder, "lockhub.db-wal", "not a WAL");
	char saved[PATH_MAX], command[3 * PATH_MAX];
	snprintf(saved, sizeof(saved), "%s.saved", k->rig.folder);
	snprintf(command, sizeof(command), "cp -a %s %s", k->rig.folder, saved);
	assert_int_equal(system(command), 0);
	for (long at = 1; at < KILLS_MAX; at++) {
		files_remove_tree(k->rig.folder);
		snprintf(command, sizeof(command), "cp -a %s %s", saved, k->rig.folder);
		assert_int_equal(system(command), 0);
		bool is_through = in_child(k, at, recover);
		settle(k);
		if (exists(k, "lockhub.db.corrupt-20260921T141325Z")) {
			assert_true(exists(k, "lockhub.db.corrupt-20260921T141325Z-wal"));
			rig_open(&k->rig);
			assert_all_is_back(k);
			rig_close(&k->rig);
			was_new = true;
		} else {
			assert_true(exists(k, "lockhub.db-wal"));
			assert_true(rig_try_open(&k->rig, &fault) < 0);
			assert_int_equal(fault.code, FAULT_DATABASE_CORRUPT);
			was_old = true;
			assert_false(was_new);
		}
		if (is_through) {
			break;
		}
	}
	assert_true(was_old && was_new);
	files_remove_tree(saved);
	keeping_open(k);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_backup_holds_everything_and_verifies),
		TEST(passwords_go_along_when_asked_for),
		TEST(a_weak_passphrase_is_refused),
		TEST(a_file_with_something_in_it_is_left_alone),
		TEST(what_is_secret_is_not_in_the_file_in_clear),
		TEST(verify_names_what_is_different),
		TEST(a_secret_that_was_put_again_is_no_difference),
		TEST(damage_and_a_wrong_passphrase_are_told_apart),
		TEST(a_generation_is_verified_by_its_name),
		TEST(what_is_not_what_was_put_in_is_no_backup),
		TEST(a_generation_is_made_when_something_changed),
		TEST(the_oldest_go_when_a_new_one_is_good),
		TEST(a_reason_cannot_lead_elsewhere),
		TEST(one_that_cannot_be_written_costs_no_other),
		TEST(a_restoration_happens_at_the_next_start),
		TEST(what_was_there_can_be_had_back),
		TEST(another_machine_seals_with_its_own_key),
		TEST(a_backup_is_installed_where_no_hub_runs),
		TEST(the_newest_good_generation_takes_over),
		TEST(without_a_good_one_nothing_is_touched),
		TEST(a_lost_database_is_noticed),
		TEST(a_suspect_database_is_looked_at),
		TEST(every_blob_is_known),
		TEST(a_kill_while_installing_leaves_nothing_or_all),
		TEST(a_kill_while_recovering_leaves_old_or_new),
	};
	return crypto_setup() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
