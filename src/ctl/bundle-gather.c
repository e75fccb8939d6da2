/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bundle.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "util/text.h"

#define EVENTS 500
#define ACCOUNT_FIRST 1000
#define ACCOUNT_LAST 59999

void bundle_finish(struct bundle *bundle) {
	redactor_free(bundle->redactor);
	json_decref(bundle->diagnosis);
	json_decref(bundle->locks);
	json_decref(bundle->hub);
	json_decref(bundle->events);
	for (size_t i = 0; i < ARRAY_SIZE(bundle->journals); i++) {
		free(bundle->journals[i]);
	}
	for (size_t i = 0; i < bundle->n_members; i++) {
		free(bundle->members[i].octets);
	}
}

/* ---- names ---- */

static void learn(struct bundle *bundle, enum redact_kind kind, const char *word) {
	if (word[0] != '\0' && redactor_add(bundle->redactor, kind, word) < 0) {
		complain(bundle->ctl, "out of memory");
	}
}

/* A lock that is called by a word of every day gives nobody away, and the text stays readable. */
static void learn_lock(struct bundle *bundle, const char *name) {
	static const char *const plain[] = { "lock", "door", "hub", "front door", "front-door",
		"back door", "back-door", "garage", "front", "back" };
	for (size_t i = 0; i < ARRAY_SIZE(plain); i++) {
		if (strcasecmp(plain[i], name) == 0) {
			return;
		}
	}
	learn(bundle, REDACT_LOCK, name);
}

/* Those who asked for something are known by their accounts. */
static void learn_account(struct bundle *bundle, const char *name) {
	static const char *const nobody[] = { "root", "hub", "lockhub", "lockhubd", "mqtt" };
	for (size_t i = 0; name != NULL && i < ARRAY_SIZE(nobody); i++) {
		name = strcasecmp(nobody[i], name) == 0 ? NULL : name;
	}
	if (name != NULL) {
		learn(bundle, REDACT_USER, name);
	}
}

static void learn_people(struct bundle *bundle) {
	AUTO(json_decref) json_t *all = facts_fetch_all(bundle->ctl);
	size_t i, k;
	const json_t *each, *credential;
	json_array_foreach(json_object_get(all, "users"), i, each) {
		learn(bundle, REDACT_USER, facts_text(each, "name"));
		json_array_foreach(json_object_get(each, "credentials"), k, credential) {
			learn(bundle, REDACT_PLACE, facts_text(credential, "label"));
		}
	}
	json_array_foreach(json_object_get(all, "operations"), i, each) {
		learn_account(bundle, facts_text(each, "actor"));
	}
	json_array_foreach(json_object_get(all, "locks"), i, each) {
		learn_lock(bundle, facts_text(each, "name"));
		learn_lock(bundle, facts_text(each, "slug"));
		learn(bundle, REDACT_SERIAL, facts_text(each, "serial"));
		learn(bundle, REDACT_ADDRESS, facts_text(each, "address"));
	}
}

static void learn_accounts(struct bundle *bundle) {
	const struct passwd *account;
	setpwent();
	while ((account = getpwent()) != NULL) {
		if (account->pw_uid < ACCOUNT_FIRST || account->pw_uid > ACCOUNT_LAST) {
			continue;
		}
		char full[256];
		snprintf(full, sizeof(full), "%.*s", (int) strcspn(account->pw_gecos, ","),
			account->pw_gecos);
		learn_account(bundle, account->pw_name);
		learn_account(bundle, full);
	}
	endpwent();
	learn_account(bundle, getenv("USER"));
	learn_account(bundle, getenv("SUDO_USER"));
}

static void learn_host(struct bundle *bundle) {
	char name[256] = "";
	if (gethostname(name, sizeof(name) - 1) < 0 || name[0] == '\0') {
		return;
	}
	learn(bundle, REDACT_HOST, name);
	name[strcspn(name, ".")] = '\0';
	learn(bundle, REDACT_HOST, name);
}

/* Who tried something, and whom the log names though the book does not know him. */
static void learn_records(struct bundle *bundle) {
	const char *slug;
	json_t *lock;
	const json_t *each;
	size_t i;
	json_array_foreach(bundle->events, i, each) {
		learn_account(bundle, facts_text(each, "user"));
		learn_lock(bundle, facts_text(each, "lock"));
	}
	json_object_foreach(bundle->locks, slug, lock) {
		json_array_foreach(
			json_object_get(json_object_get(lock, "history"), "attempts"), i, each) {
			learn_account(bundle, facts_text(each, "by"));
		}
	}
}

/* "https://support.nuki.io/x", "contact@nuki.io": the host of each in the text. */
static void allow_hosts_in(struct bundle *bundle, const char *text) {
	for (const char *p = text; *p != '\0'; p++) {
		size_t skip = strncmp(p, "://", 3) == 0 ? 3 : *p == '@' ? 1 : 0;
		char host[128];
		size_t n = strcspn(p + skip, "/:@ \t\n\"'<>,;)");
		if (skip > 0 && n > 0 && n < sizeof(host)) {
			memcpy(host, p + skip, n);
			host[n] = '\0';
			(void) redactor_allow_host(bundle->redactor, host);
		}
	}
}

/* How the maker is reached, by the model's data, may be named: that is what it is for. */
static void allow_makers(struct bundle *bundle) {
	const json_t *target, *finding, *remedy, *step;
	size_t i, k, m, s;
	json_array_foreach(json_object_get(bundle->diagnosis, "targets"), i, target) {
		allow_hosts_in(bundle, facts_text(target, "support"));
		json_array_foreach(json_object_get(target, "findings"), k, finding) {
			json_array_foreach(json_object_get(finding, "remedies"), m, remedy) {
				if (strcmp(facts_text(remedy, "name"), "contact-support") != 0) {
					continue;
				}
				json_array_foreach(json_object_get(remedy, "steps"), s, step) {
					allow_hosts_in(bundle, json_is_string(step)
								       ? json_string_value(step)
								       : "");
				}
			}
		}
	}
}

/* ---- facts ---- */

static json_t *read_property(struct ctl *ctl, const char *property) {
	AUTO(sd_bus_message_unref) sd_bus_message *reply = NULL;
	if (talk_call(ctl, MANAGER_PATH, "org.freedesktop.DBus.Properties", "Get", NULL, &reply,
		    "ss", MANAGER_INTERFACE, property) < 0) {
		return NULL;
	}
	return wire_read(reply);
}

static json_t *read_statistics(struct ctl *ctl, const char *path, const char *interface) {
	AUTO(sd_bus_message_unref) sd_bus_message *reply = NULL;
	if (talk_call(ctl, path, interface, "GetRadioStatistics", NULL, &reply, "") < 0) {
		return NULL;
	}
	return wire_read(reply);
}

static void put(json_t *object, const char *key, json_t *take_value) {
	if (take_value != NULL) {
		json_object_set_new(object, key, take_value);
	}
}

/* PRETTY_NAME of os-release(5). */
static void read_os(char *out, size_t size) {
	char line[256];
	FILE *file = fopen("/etc/os-release", "re");
	text_copy(out, size, "");
	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		char *value = line + 13;
		if (strncmp(line, "PRETTY_NAME=\"", 13) == 0) {
			value[strcspn(value, "\"\n")] = '\0';
			text_copy(out, size, value);
		}
	}
	if (file != NULL) {
		fclose(file);
	}
}

static void gather_hub(struct bundle *bundle, bool is_there) {
	struct utsname name;
	char os[128];
	bundle->hub = json_object();
	put(bundle->hub, "lockhubctl", json_string(LOCKHUB_VERSION));
	if (uname(&name) == 0) {
		put(bundle->hub, "kernel", json_sprintf("%s %s", name.release, name.machine));
	}
	read_os(os, sizeof(os));
	put(bundle->hub, "os", json_string(os));
	if (is_there) {
		put(bundle->hub, "version", read_property(bundle->ctl, "Version"));
		put(bundle->hub, "status", read_property(bundle->ctl, "Status"));
		put(bundle->hub, "adapters",
			read_statistics(bundle->ctl, MANAGER_PATH, MANAGER_INTERFACE));
	}
}

static void gather_lock_statistics(struct bundle *bundle) {
	const char *slug;
	json_t *lock;
	json_object_foreach(bundle->locks, slug, lock) {
		const char *path = facts_text(json_object_get(lock, "facts"), "path");
		if (path[0] != '\0') {
			put(lock, "statistics", read_statistics(bundle->ctl, path, LOCK_INTERFACE));
		}
	}
}

int bundle_gather(struct ctl *ctl, const char *word, struct bundle *ret) {
	char path[PATH_TEXT_MAX];
	int r = CTL_DONE;
	*ret = (struct bundle){ .ctl = ctl, .now = moment_now(), .redactor = redactor_new() };
	if (ret->redactor == NULL) {
		complain(ctl, "out of memory");
		return CTL_FAILED;
	}
	bool is_there = talk_connect(ctl) >= 0;
	if (is_there && word != NULL && talk_find_lock(ctl, word, path) < 0) {
		return CTL_FAILED; /* most likely mistyped: another lock is not what was meant */
	}
	ret->diagnosis = is_there ? diagnosis_fetch(ctl, word, false) : NULL;
	ret->locks = ret->diagnosis != NULL ? diagnosis_locks(ctl, ret->diagnosis) : json_object();
	gather_hub(ret, ret->diagnosis != NULL);
	if (ret->diagnosis != NULL) {
		gather_lock_statistics(ret);
		ret->events = log_page(ctl, word, EVENTS, 0, 0, &r);
		learn_people(ret);
		allow_makers(ret);
	}
	learn_accounts(ret);
	learn_host(ret);
	learn_records(ret);
	bundle_read_journal(ret);
	return CTL_DONE;
}

/* ---- members ---- */

static struct member *next_member(struct bundle *bundle, const char *name) {
	if (bundle->n_members == MEMBERS_MAX) {
		return NULL;
	}
	struct member *member = &bundle->members[bundle->n_members];
	text_copy(member->name, sizeof(member->name), name);
	return member;
}

int bundle_put_text(struct bundle *bundle, const char *name, const char *text, unsigned flags) {
	struct member *member = next_member(bundle, name);
	if (member == NULL) {
		return -ENOSPC;
	}
	member->octets = redact_text(bundle->redactor, text, flags);
	if (member->octets == NULL) {
		return -ENOMEM;
	}
	member->n = strlen(member->octets);
	bundle->n_members++;
	return 0;
}

int bundle_put_json(struct bundle *bundle, const char *name, const json_t *value) {
	struct member *member = next_member(bundle, name);
	if (member == NULL) {
		return -ENOSPC;
	}
	/* As values, for "Müller" may be "M\u00fcller" in the text; the text is not looked at
	 * again. */
	AUTO(json_decref) json_t *clean = redact_json(bundle->redactor, value);
	member->octets = clean != NULL ? json_dumps(clean, JSON_INDENT(1) | JSON_ENCODE_ANY) : NULL;
	if (member->octets == NULL) {
		return -ENOMEM;
	}
	member->n = strlen(member->octets);
	bundle->n_members++;
	return 0;
}

int bundle_put_picture(struct bundle *bundle, const char *name, char *take_octets, size_t n) {
	struct member *member = next_member(bundle, name);
	if (member == NULL) {
		free(take_octets);
		return -ENOSPC;
	}
	member->octets = take_octets;
	member->n = n;
	bundle->n_members++;
	return 0;
}
