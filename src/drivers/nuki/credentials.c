/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Putting and removing one credential: which messages it takes. A slot has all the fields that an
 * update sends, so nothing needs to be read before. Authorisations are not made here (that would be
 * pairing, or inviting somebody's app), and this hub's own is never touched: without it the lock
 * would not listen any more.
 */

#include "machine.h"

#include "slots.h"

#define CHANGE (STEP_PIN | STEP_CHANGES)

static void fill_code(const struct nuki_session *session, struct nuki_message *message) {
	nuki_slot_to_code(&session->job.slot, &message->code);
	/* Of a code that was only just added, the lock has told the id. */
	message->code.code_id = (uint16_t) session->ref;
}

static void fill_auth(const struct nuki_session *session, struct nuki_message *message) {
	nuki_slot_to_auth(&session->job.slot, &message->auth);
}

static void fill_code_id(const struct nuki_session *session, struct nuki_message *message) {
	message->code.code_id = (uint16_t) session->job.slot.ref;
}

static void fill_auth_id(const struct nuki_session *session, struct nuki_message *message) {
	message->auth.auth_id = (uint32_t) session->job.slot.ref;
}

/* clang-format off */
#define ADD_CODE { NUKI_ADD_CODE, 0, NUKI_CODE_ID, CHANGE, fill_code }
#define UPDATE_CODE { NUKI_UPDATE_CODE, 0, NUKI_STATUS, CHANGE, fill_code }

static const struct nuki_plan add_code = { ACT_PUT_CREDENTIAL, 1, { ADD_CODE } };
/* A new code is always enabled. */
static const struct nuki_plan add_disabled_code =
	{ ACT_PUT_CREDENTIAL, 2, { ADD_CODE, UPDATE_CODE } };
static const struct nuki_plan update_code = { ACT_PUT_CREDENTIAL, 1, { UPDATE_CODE } };
static const struct nuki_plan update_auth = { ACT_PUT_CREDENTIAL, 1, {
	{ NUKI_UPDATE_AUTH, 0, NUKI_STATUS, CHANGE, fill_auth } } };
static const struct nuki_plan remove_code = { ACT_REMOVE_CREDENTIAL, 1, {
	{ NUKI_REMOVE_CODE, 0, NUKI_STATUS, CHANGE, fill_code_id } } };
static const struct nuki_plan remove_auth = { ACT_REMOVE_CREDENTIAL, 1, {
	{ NUKI_REMOVE_AUTH, 0, NUKI_STATUS, CHANGE, fill_auth_id } } };
/* clang-format on */

static int put_plan(
	const struct slot *slot, const struct nuki_plan **ret, struct fault *ret_fault) {
	int r = nuki_slot_check(slot, ret_fault);

	if (r < 0) {
		return r;
	}
	if (slot->type == CREDENTIAL_APP_KEY && slot->ref == 0) {
		return fault_set(ret_fault, FAULT_NOT_SUPPORTED,
			"an app is authorised in the Nuki app, not by the hub");
	}
	*ret = slot->type == CREDENTIAL_APP_KEY ? &update_auth
	       : slot->ref != 0                 ? &update_code
	       : slot->is_enabled               ? &add_code
						: &add_disabled_code;
	return 0;
}

int nuki_credential_plan(
	const struct nuki_session *session, const struct nuki_plan **ret, struct fault *ret_fault) {
	const struct slot *slot = &session->job.slot;
	const bool is_key = slot->type == CREDENTIAL_APP_KEY;

	if (!is_key && slot->type != CREDENTIAL_PIN) {
		return fault_set(ret_fault, FAULT_NOT_SUPPORTED, "a Nuki takes no %s from the hub",
			credential_type_name(slot->type));
	}
	if (is_key && (slot->is_own || slot->ref == session->keys.auth_id)) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
			"that is this hub's own authorisation: unpair the lock instead");
	}
	if (session->job.act == ACT_PUT_CREDENTIAL) {
		return put_plan(slot, ret, ret_fault);
	}
	if (slot->ref <= 0 || slot->ref > (is_key ? UINT32_MAX : NUKI_CODE_REF_MAX)) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT, "no id of a Nuki: %lld",
			(long long) slot->ref);
	}
	*ret = is_key ? &remove_auth : &remove_code;
	return 0;
}
