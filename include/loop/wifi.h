/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Whether this machine's way out is Wi-Fi, in which band, and how that Wi-Fi is protected: asked of
 * NetworkManager by D-Bus, where that does not know of wpa_supplicant. Both are only asked, never
 * started, and on a connection that is closed again when the answer is there. Loop thread only.
 *
 *	PrimaryConnection ─► its device ─► ActiveAccessPoint ─► Flags, WpaFlags, RsnFlags, Frequency
 *	     └─ nobody there, or nothing primary ─► GetInterface ─► CurrentBSS ─► WPA, RSN, Privacy,
 *	                                                                          Frequency
 *
 * Sources: networkmanager.dev, D-Bus API reference, AccessPoint and NM80211ApSecurityFlags; w1.fi,
 * "wpa_supplicant D-Bus API", fi.w1.wpa_supplicant1.BSS. Debian lets everybody read
 * NetworkManager's properties, but only root and the group netdev talk to wpa_supplicant.
 */

#include "loop/loop.h"

struct wifi;

struct wifi_facts {
	bool is_known; /* false: nobody could say whether it is Wi-Fi */
	bool is_wifi;
	unsigned mhz; /* 0: not known */
	/* As in diag/facts.h, "open" to "wpa3"; "" not known. */
	char security[16];
};

/* @address: of the bus; NULL: the system bus. NULL: no memory. */
struct wifi *wifi_new(struct loop *loop, const char *address);
/* Those who wait are told that nothing is known. */
struct wifi *wifi_free(struct wifi *wifi);
AUTO_DEFINE(struct wifi *, wifi_free);

/*
 * Answers from the loop, once, after 10 s at the latest. @interface: the one of the default route,
 * which wpa_supplicant is asked about; "" not known. Who asks while another asks gets the same
 * answer. 0 or -ENOMEM (@done is not called then).
 */
int wifi_ask(struct wifi *wifi, const char *interface,
	void (*done)(void *user, const struct wifi_facts *facts), void *user);

/* ---- what the answers mean: pure, for tests ---- */

/*
 * An access point as NetworkManager has it: NM80211ApFlags, NM80211ApSecurityFlags of WPA and RSN.
 * @return static, as in struct wifi_facts.
 */
const char *wifi_security_of_flags(uint32_t flags, uint32_t wpa, uint32_t rsn);
