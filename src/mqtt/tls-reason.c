/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tls-reason.h"

#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "util/text.h"

static void day_of(const ASN1_TIME *time, char out[static 16]) {
	struct tm tm;

	if (time == NULL || ASN1_TIME_to_tm(time, &tm) != 1 ||
		strftime(out, 16, "%Y-%m-%d", &tm) == 0) {
		(void) text_copy(out, 16, "unknown");
	}
}

/* The first name that the certificate is for; strangers wrote it. */
static void holder_of(X509 *cert, char out[static 64]) {
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);

	out[0] = '\0';
	for (int i = 0; i < sk_GENERAL_NAME_num(names) && out[0] == '\0'; i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		if (name->type == GEN_DNS) {
			(void) text_copy(
				out, 64, (const char *) ASN1_STRING_get0_data(name->d.dNSName));
		}
	}
	GENERAL_NAMES_free(names);
	if (out[0] == '\0' && X509_NAME_get_text_by_NID(
				      X509_get_subject_name(cert), NID_commonName, out, 64) <= 0) {
		(void) text_copy(out, 64, "another name");
	}
	text_sanitize(out);
}

void tls_look(void *ssl, struct tls_facts *ret) {
	/* A certificate that was refused is found in what was sent only. */
	STACK_OF(X509) *chain = ssl != NULL ? SSL_get_peer_cert_chain(ssl) : NULL;
	X509 *cert = sk_X509_num(chain) > 0 ? sk_X509_value(chain, 0) : NULL;

	if (ssl != NULL) {
		ret->verified = SSL_get_verify_result(ssl);
	}
	if (cert != NULL) {
		holder_of(cert, ret->holder);
		day_of(X509_get0_notBefore(cert), ret->from);
		day_of(X509_get0_notAfter(cert), ret->until);
	}
}

static const char *signers(const struct client_config *config) {
	return config->ca_file != NULL && config->ca_file[0] != '\0'
		       ? config->ca_file
		       : "this system's certificates; set ca_file";
}

/* @return whether the certificate itself is what is wrong. */
static bool blame_certificate(const struct tls_facts *facts, bool is_name,
	const struct client_config *config, struct fault *ret) {
	switch (is_name ? X509_V_ERR_HOSTNAME_MISMATCH : facts->verified) {
	case X509_V_OK:
		return false;
	case X509_V_ERR_HOSTNAME_MISMATCH:
		(void) fault_set(ret, FAULT_BROKER_WRONG_NAME,
			"host name verification failed: the certificate is for %s, not for %.80s",
			facts->holder[0] != '\0' ? facts->holder : "another name", config->host);
		break;
	case X509_V_ERR_CERT_HAS_EXPIRED:
		(void) fault_set(ret, FAULT_BROKER_EXPIRED,
			"certificate has expired: it was valid until %s", facts->until);
		break;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		(void) fault_set(ret, FAULT_BROKER_EXPIRED,
			"certificate is not yet valid: it begins on %s", facts->from);
		break;
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		(void) fault_set(ret, FAULT_BROKER_TLS,
			"certificate is self-signed: if it is your broker's, set ca_file to it");
		break;
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
		(void) fault_set(ret, FAULT_BROKER_TLS,
			"certificate verify failed: its signer is not in %s", signers(config));
		break;
	default:
		(void) fault_set(ret, FAULT_BROKER_TLS, "certificate verify failed: %s",
			X509_verify_cert_error_string(facts->verified));
		break;
	}
	return true;
}

void tls_reason(const struct tls_facts *facts, const char *said, const struct client_config *config,
	struct fault *ret_fault) {
	bool is_name = strstr(said, "host name") != NULL;
	bool has_cert = config->cert_file != NULL && config->cert_file[0] != '\0';

	if (blame_certificate(facts, is_name, config, ret_fault)) {
		return;
	}
	/* An alert is what the broker said: it is then our certificate that it does not like. */
	bool is_ours = strstr(said, "alert unknown ca") != NULL ||
		       strstr(said, "alert bad certificate") != NULL ||
		       strstr(said, "alert certificate") != NULL ||
		       strstr(said, "certificate required") != NULL ||
		       strstr(said, "alert handshake failure") != NULL;
	if (is_ours) {
		(void) fault_set(ret_fault, FAULT_BROKER_TLS, "%s%s", said,
			has_cert ? ": the broker does not take the certificate in cert_file"
				 : ": the broker wants a certificate of ours; set cert_file and "
				   "key_file");
	} else if (strstr(said, "protocol version") != NULL ||
		   strstr(said, "unsupported protocol") != NULL) {
		(void) fault_set(ret_fault, FAULT_BROKER_TLS,
			"%s: the broker speaks no TLS 1.2 or newer, and older ones are not safe",
			said);
	} else {
		(void) fault_set(ret_fault, FAULT_BROKER_TLS, "%s",
			said[0] != '\0' ? said : "the handshake failed");
	}
}
