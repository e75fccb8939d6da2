/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nuki.h"

/*
 * The vendor's app in somebody else's hands: what appears in the lock, changes and goes without the
 * hub having asked for it.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "util/text.h"

struct call {
	struct nuki *nuki;
	char **words; /* behind the command */
	uint32_t id;  /* to be told */
	char *why;
};

static int refuse(struct call *call, int error) {
	snprintf(call->why, SIM_TEXT_MAX, "the lock refuses with error 0x%02x", (unsigned) error);
	return -EIO;
}

static int number(struct call *call, const char *word, uint64_t most, uint64_t *ret) {
	if (text_to_u64(word, 0, most, ret) < 0) {
		snprintf(call->why, SIM_TEXT_MAX, "%s: a number from 0 to %llu is needed", word,
			(unsigned long long) most);
		return -EINVAL;
	}
	return 0;
}

static struct nuki_code *find_code(struct call *call) {
	uint64_t id = 0;
	if (number(call, call->words[0], UINT16_MAX, &id) < 0) {
		return NULL;
	}
	struct nuki_code *code = nuki_code_find(call->nuki, (uint16_t) id);
	if (code == NULL) {
		snprintf(
			call->why, SIM_TEXT_MAX, "there is no code with the id %s", call->words[0]);
	}
	return code;
}

static struct nuki_auth *find_phone(struct call *call) {
	uint64_t id = 0;
	if (number(call, call->words[0], UINT32_MAX, &id) < 0) {
		return NULL;
	}
	struct nuki_auth *auth = nuki_auth_find(call->nuki, (uint32_t) id);
	if (auth == NULL) {
		snprintf(call->why, SIM_TEXT_MAX, "there is no authorisation with the id %s",
			call->words[0]);
	}
	return auth;
}

static int add_code(struct call *call) {
	struct nuki_code code = { .is_enabled = true }, *added = NULL;
	uint64_t value = 0;
	if (number(call, call->words[0], UINT32_MAX, &value) < 0) {
		return -EINVAL;
	}
	code.code = (uint32_t) value;
	text_copy(code.name, sizeof(code.name), call->words[1]);
	int error = nuki_code_add(call->nuki, &code, &added);
	if (error != 0) {
		return refuse(call, error);
	}
	call->id = added->id;
	return 0;
}

static int change_code(struct call *call) {
	struct nuki_code *code = find_code(call);
	uint64_t value = 0;
	if (code == NULL || number(call, call->words[1], UINT32_MAX, &value) < 0) {
		return -EINVAL;
	}
	struct nuki_code next = *code;
	next.code = (uint32_t) value;
	int error = nuki_code_change(call->nuki, code, &next);
	return error == 0 ? 0 : refuse(call, error);
}

static int rename_code(struct call *call) {
	struct nuki_code *code = find_code(call);
	if (code == NULL) {
		return -EINVAL;
	}
	text_copy(code->name, sizeof(code->name), call->words[1]);
	nuki_config_changed(call->nuki);
	return 0;
}

static int switch_code(struct call *call, bool on) {
	struct nuki_code *code = find_code(call);
	if (code == NULL) {
		return -EINVAL;
	}
	code->is_enabled = on;
	nuki_config_changed(call->nuki);
	return 0;
}

static int enable_code(struct call *call) {
	return switch_code(call, true);
}

static int disable_code(struct call *call) {
	return switch_code(call, false);
}

static int remove_code(struct call *call) {
	const struct nuki_code *code = find_code(call);
	if (code == NULL) {
		return -EINVAL;
	}
	nuki_code_remove(call->nuki, code->id);
	return 0;
}

static int add_phone(struct call *call) {
	struct nuki *nuki = call->nuki;
	struct nuki_auth auth = {
		.id = nuki->next_auth_id,
		.type = NUKI_TYPE_APP,
		.is_enabled = true,
		.is_remote_allowed = true,
	};
	const struct sim_env *env = nuki->base.env;
	env->random(env->user, SIM_RANDOM_OTHER, auth.key, sizeof(auth.key));
	text_copy(auth.name, sizeof(auth.name), call->words[0]);
	const struct nuki_auth *added = nuki_auth_add(nuki, &auth);
	if (added == NULL) {
		return refuse(call, NUKI_E_MAX_USER);
	}
	call->id = added->id;
	return 0;
}

static int switch_phone(struct call *call, bool on) {
	struct nuki_auth *auth = find_phone(call);
	if (auth == NULL) {
		return -EINVAL;
	}
	auth->is_enabled = on;
	nuki_config_changed(call->nuki);
	return 0;
}

static int enable_phone(struct call *call) {
	return switch_phone(call, true);
}

static int disable_phone(struct call *call) {
	return switch_phone(call, false);
}

static int remove_phone(struct call *call) {
	const struct nuki_auth *auth = find_phone(call);
	if (auth == NULL) {
		return -EINVAL;
	}
	nuki_auth_remove(call->nuki, auth->id);
	nuki_config_changed(call->nuki);
	return 0;
}

static const struct {
	const char *name;
	unsigned n_words;
	const char *args;
	int (*fn)(struct call *call);
} verbs[] = {
	{ "add-code", 2, "CODE NAME", add_code },
	{ "change-code", 2, "ID CODE", change_code },
	{ "rename-code", 2, "ID NAME", rename_code },
	{ "enable-code", 1, "ID", enable_code },
	{ "disable-code", 1, "ID", disable_code },
	{ "remove-code", 1, "ID", remove_code },
	{ "add-phone", 1, "NAME", add_phone },
	{ "enable-phone", 1, "ID", enable_phone },
	{ "disable-phone", 1, "ID", disable_phone },
	{ "remove-phone", 1, "ID", remove_phone },
};

int nuki_person_app(struct sim_lock *lock, char **words, mono_t now, uint32_t *ret_id, char *why) {
	const char *names[ARRAY_SIZE(verbs)];
	struct call call = { .nuki = nuki_of(lock), .words = words + 1, .why = why };
	unsigned n_words = 0;
	call.nuki->now = now;
	while (call.words[n_words] != NULL) {
		n_words++;
	}
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		names[i] = verbs[i].name;
		if (!text_equal(verbs[i].name, words[0])) {
			continue;
		}
		if (n_words != verbs[i].n_words) {
			snprintf(
				why, SIM_TEXT_MAX, "%s %s is needed", verbs[i].name, verbs[i].args);
			return -EINVAL;
		}
		int r = verbs[i].fn(&call);
		*ret_id = call.id;
		return r;
	}
	const char *near = text_nearest(words[0], names, ARRAY_SIZE(names));
	snprintf(why, SIM_TEXT_MAX, "the app cannot %s%s%s", words[0],
		near == NULL ? "" : "; did you mean ", near == NULL ? "" : near);
	return -EINVAL;
}
