/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fault-rows.h"

#include <syslog.h>

/* clang-format off */
const struct fault_row fault_rows[FAULT_COUNT_] = {
	[FAULT_NONE] = {
		.name = "none", .dbus = "", .priority = LOG_INFO, .message_id = "",
		.summary = "No fault", .hint = "" },

	/* radio and link */
	[FAULT_LOCK_NOT_HEARD] = {
		.name = "lock-not-heard", .dbus = "org.lockhub1.Error.LockNotHeard", .priority = LOG_WARNING,
		.message_id = "59125ab3408fa1a64820584313a4b3c1",
		.summary = "The lock is not heard",
		.hint = "Stand at the lock and see whether it reacts to its own button; if not, change its batteries. If it does, move the hub closer and run: lockhubctl signal LOCK" },
	[FAULT_LOCK_UNREACHABLE] = {
		.name = "lock-unreachable", .dbus = "org.lockhub1.Error.LockUnreachable", .priority = LOG_WARNING,
		.message_id = "2b6f910b166c020e09409db7d6a7c176",
		.summary = "The lock cannot be connected",
		.hint = "It may be talking to a phone or be at the edge of range. Close the vendor's app, wait a minute, then run: lockhubctl signal LOCK" },
	[FAULT_LINK_LOST] = {
		.name = "link-lost", .dbus = "org.lockhub1.Error.LinkLost", .priority = LOG_WARNING,
		.message_id = "6d6e0b86cdb3b6b539996cde8af451cb",
		.summary = "The radio link broke off",
		.hint = "Try again; if it happens often run: lockhubctl signal LOCK and move the hub closer" },
	[FAULT_LOCK_SILENT] = {
		.name = "lock-silent", .dbus = "org.lockhub1.Error.LockSilent", .priority = LOG_WARNING,
		.message_id = "1890a16787434314d1d44b3bc15e47d5",
		.summary = "The lock did not answer in time",
		.hint = "Try again; if it stays silent take its batteries out for ten seconds" },
	[FAULT_RADIO_BUSY] = {
		.name = "radio-busy", .dbus = "org.lockhub1.Error.RadioBusy", .priority = LOG_WARNING,
		.message_id = "e7fede5529423dd4b250b742687d4320",
		.summary = "The radio is busy",
		.hint = "Other locks are being served, or Bluetooth has just been restarted. Try again in ten seconds; where it happens often a second Bluetooth adapter helps" },
	[FAULT_GATT_MISMATCH] = {
		.name = "gatt-mismatch", .dbus = "org.lockhub1.Error.GattMismatch", .priority = LOG_WARNING,
		.message_id = "04fe3c82b76487bc87b0ea7e094dc60c",
		.summary = "The lock does not offer the expected Bluetooth services",
		.hint = "Its firmware may have changed. Try again; lockhub has asked BlueZ to read the service table anew" },
	[FAULT_LINK_STUCK] = {
		.name = "link-stuck", .dbus = "org.lockhub1.Error.LinkStuck", .priority = LOG_ERR,
		.message_id = "0d6c73b44f0fa41e8acae8c2dad121a8",
		.summary = "Bluetooth does not let go of a connection",
		.hint = "Run: systemctl restart bluetooth" },
	[FAULT_ADAPTER_MISSING] = {
		.name = "adapter-missing", .dbus = "org.lockhub1.Error.AdapterMissing", .priority = LOG_ERR,
		.message_id = "57bca22a9ad32d11c9f7f68a91558986",
		.summary = "No Bluetooth adapter was found",
		.hint = "Plug in a Bluetooth adapter, or see whether it is disabled: bluetoothctl list" },
	[FAULT_ADAPTER_OFF] = {
		.name = "adapter-off", .dbus = "org.lockhub1.Error.AdapterOff", .priority = LOG_ERR,
		.message_id = "bf381c3d3ad5c69bbee3d5ef3c18f7a8",
		.summary = "The Bluetooth adapter is switched off",
		.hint = "Run: bluetoothctl power on" },
	[FAULT_ADAPTER_BLOCKED] = {
		.name = "adapter-blocked", .dbus = "org.lockhub1.Error.AdapterBlocked", .priority = LOG_ERR,
		.message_id = "b42155e641e36add42fe24db51591d78",
		.summary = "The Bluetooth adapter is blocked by rfkill",
		.hint = "Run: rfkill unblock bluetooth" },
	[FAULT_BLUEZ_MISSING] = {
		.name = "bluez-missing", .dbus = "org.lockhub1.Error.BluezMissing", .priority = LOG_ERR,
		.message_id = "a6f39d190e3ab330d60437baec015f5f",
		.summary = "BlueZ (bluetoothd) is not running",
		.hint = "Run: systemctl start bluetooth; lockhub goes on by itself when it is back" },
	[FAULT_BLUEZ_HUNG] = {
		.name = "bluez-hung", .dbus = "org.lockhub1.Error.BluezHung", .priority = LOG_ERR,
		.message_id = "5d404607074416f135e4b5e7dbb9c177",
		.summary = "BlueZ (bluetoothd) does not answer",
		.hint = "Run: systemctl restart bluetooth" },
	[FAULT_BLUEZ_DENIED] = {
		.name = "bluez-denied", .dbus = "org.lockhub1.Error.BluezDenied", .priority = LOG_ERR,
		.message_id = "bba49bdb46f35c8a4706ce520d55897d",
		.summary = "The system bus does not allow lockhubd to talk to BlueZ",
		.hint = "See that /usr/share/dbus-1/system.d/org.lockhub1.conf is installed, then run: systemctl reload dbus" },
	[FAULT_ADAPTER_FAILING] = {
		.name = "adapter-failing", .dbus = "org.lockhub1.Error.AdapterFailing", .priority = LOG_ERR,
		.message_id = "e44c70d32e9140749f57884d7a7359d4",
		.summary = "The Bluetooth adapter does not do its work",
		.hint = "End other programs that scan (bluetoothctl scan off), then run: systemctl restart bluetooth. If that does not help unplug the adapter for a moment, or restart the computer" },
	[FAULT_RESTART_DENIED] = {
		.name = "restart-denied", .dbus = "org.lockhub1.Error.RestartDenied", .priority = LOG_ERR,
		.message_id = "4e1af3e9d37f40b1b54623e3f40cae5d",
		.summary = "lockhub could not restart bluetooth.service",
		.hint = "Run: systemctl restart bluetooth. To allow it to lockhub copy examples/systemd/bluetooth-restart.rules from lockhub's documentation to /etc/polkit-1/rules.d, or set restart_service = no" },
	[FAULT_BUS_LOST] = {
		.name = "bus-lost", .dbus = "org.lockhub1.Error.BusLost", .priority = LOG_ERR,
		.message_id = "527af8d28cc48e2e0742f5814dec12b2",
		.summary = "The D-Bus system bus is not reachable",
		.hint = "Run: systemctl status dbus; lockhub reconnects by itself" },
	[FAULT_LOCK_TAKEN] = {
		.name = "lock-taken", .dbus = "org.lockhub1.Error.LockTaken", .priority = LOG_WARNING,
		.message_id = "30032de3e1d040e5a8c128b0fc4e4dfa",
		.summary = "The lock is heard but takes no connection",
		.hint = "Something else most probably holds it: close the vendor's app on all phones, switch off other bridges and gateways, wait a minute, then run: lockhubctl doctor LOCK" },
	[FAULT_LOCK_DEAD] = {
		.name = "lock-dead", .dbus = "org.lockhub1.Error.LockDead", .priority = LOG_ERR,
		.message_id = "337b811656dc431993e12db96b9d4f83",
		.summary = "The lock has gone silent with weak batteries",
		.hint = "Open with the key and change the batteries: lockhubctl care batteries LOCK" },
	[FAULT_OUT_OF_RANGE] = {
		.name = "out-of-range", .dbus = "org.lockhub1.Error.OutOfRange", .priority = LOG_WARNING,
		.message_id = "dd29d52961324d869fb9fd5188402257",
		.summary = "The lock is out of range of the hub",
		.hint = "Move the hub closer, or give it a Bluetooth adapter on an extension cable; place it with: lockhubctl signal LOCK --watch" },
	[FAULT_SIGNAL_WEAK] = {
		.name = "signal-weak", .dbus = "org.lockhub1.Error.SignalWeak", .priority = LOG_WARNING,
		.message_id = "110474c117584dfa8a80a685f2696b0a",
		.summary = "The lock is heard only weakly",
		.hint = "Move the hub closer to the door, or put its Bluetooth adapter on an extension cable; place it with: lockhubctl signal LOCK --watch" },
	[FAULT_LINKS_FAILING] = {
		.name = "links-failing", .dbus = "org.lockhub1.Error.LinksFailing", .priority = LOG_WARNING,
		.message_id = "6a66309e89b04634acdf48e83d11069d",
		.summary = "Many attempts to connect to the lock fail",
		.hint = "See what stands above it in: lockhubctl doctor LOCK" },
	[FAULT_LINKS_SLOW] = {
		.name = "links-slow", .dbus = "org.lockhub1.Error.LinksSlow", .priority = LOG_NOTICE,
		.message_id = "b966804578e14c0a8ad91cfc7a59bd54",
		.summary = "It takes long to connect to the lock",
		.hint = "Everything works, but slowly. A place closer to the door, or a USB adapter, makes it quicker: lockhubctl signal LOCK --watch" },
	[FAULT_LINKS_DROPPING] = {
		.name = "links-dropping", .dbus = "org.lockhub1.Error.LinksDropping", .priority = LOG_WARNING,
		.message_id = "6903e690255b4cb2b500476218124b0d",
		.summary = "The connection to the lock often breaks off",
		.hint = "Move the hub closer to the door and away from metal and other radios: lockhubctl signal LOCK --watch" },
	[FAULT_RADIO_INTERFERENCE] = {
		.name = "radio-interference", .dbus = "org.lockhub1.Error.RadioInterference", .priority = LOG_WARNING,
		.message_id = "ac326bc7925b48b5aa47a2a87d8cafc0",
		.summary = "The radio is disturbed at certain times of the day",
		.hint = "Find out what runs at these hours (microwave oven, baby monitor, busy Wi-Fi) and move the hub away from it" },
	[FAULT_WIFI_INTERFERENCE] = {
		.name = "wifi-interference", .dbus = "org.lockhub1.Error.WifiInterference", .priority = LOG_WARNING,
		.message_id = "a8995325e9e446d5986a872468571476",
		.summary = "The hub's own Wi-Fi disturbs its Bluetooth",
		.hint = "Connect the hub by network cable or 5 GHz Wi-Fi, or use a USB Bluetooth adapter on a short extension cable" },
	[FAULT_USB_INTERFERENCE] = {
		.name = "usb-interference", .dbus = "org.lockhub1.Error.UsbInterference", .priority = LOG_WARNING,
		.message_id = "4de39850064247c38eda087d166e10d7",
		.summary = "A USB 3 port beside the adapter disturbs the radio",
		.hint = "Put the Bluetooth adapter on an extension cable of half a metre, or into a USB 2 port" },
	[FAULT_ADAPTER_AUTOSUSPEND] = {
		.name = "adapter-autosuspend", .dbus = "org.lockhub1.Error.AdapterAutosuspend", .priority = LOG_WARNING,
		.message_id = "508e364d40634affac3b02b1941e5bf7",
		.summary = "The computer puts the Bluetooth adapter to sleep",
		.hint = "Switch its power saving off: echo on > /sys/bus/usb/devices/DEVICE/power/control; to keep it, use a udev rule as in docs/troubleshooting" },
	[FAULT_ADAPTER_DEAF] = {
		.name = "adapter-deaf", .dbus = "org.lockhub1.Error.AdapterDeaf", .priority = LOG_ERR,
		.message_id = "9a40a2d7f84d47a584ca42a6d1972d19",
		.summary = "The Bluetooth adapter hears nothing at all",
		.hint = "Restart it: lockhubctl fix hub adapter-deaf, or unplug it for ten seconds. If it stays deaf use another adapter" },
	[FAULT_ADAPTER_UNSTABLE] = {
		.name = "adapter-unstable", .dbus = "org.lockhub1.Error.AdapterUnstable", .priority = LOG_WARNING,
		.message_id = "c62465dc2c5d443fafe0664ff3e6d1ce",
		.summary = "The Bluetooth adapter disappears now and then",
		.hint = "Look for bad contact and weak power: another USB port, a powered hub, a better power supply" },
	[FAULT_BLUEZ_UNSTABLE] = {
		.name = "bluez-unstable", .dbus = "org.lockhub1.Error.BluezUnstable", .priority = LOG_WARNING,
		.message_id = "5a0b7823d81c4acd96a40a1672fb3860",
		.summary = "bluetoothd was restarted or removed the lock several times",
		.hint = "See why: journalctl -u bluetooth. Another program may manage the same adapter" },

	/* requests and operations */
	[FAULT_EXPIRED] = {
		.name = "expired", .dbus = "org.lockhub1.Error.Expired", .priority = LOG_WARNING,
		.message_id = "a09bdc7d378aaffb4d4f7aa238d94f55",
		.summary = "The request was too old to be carried out",
		.hint = "Nothing was sent to the lock. Ask again if it is still wanted" },
	[FAULT_CANCELLED] = {
		.name = "cancelled", .dbus = "org.lockhub1.Error.Cancelled", .priority = LOG_NOTICE,
		.message_id = "5b2e1bd5e431cb54ed08d091c1bc32f7",
		.summary = "The operation was cancelled",
		.hint = "Nothing needs to be done" },
	[FAULT_DUPLICATE] = {
		.name = "duplicate", .dbus = "org.lockhub1.Error.Duplicate", .priority = LOG_NOTICE,
		.message_id = "8421eea58da14897e5c691887a710db4",
		.summary = "The same request came twice; it was carried out once",
		.hint = "Nothing needs to be done" },
	[FAULT_RETAINED_COMMAND] = {
		.name = "retained-command", .dbus = "org.lockhub1.Error.RetainedCommand", .priority = LOG_WARNING,
		.message_id = "5007d664725e638108bc3ae5a1d8d401",
		.summary = "A retained command on the broker was ignored",
		.hint = "Commands must not be retained. Clear it: mosquitto_pub -r -n -t TOPIC" },
	[FAULT_BAD_COMMAND] = {
		.name = "bad-command", .dbus = "org.lockhub1.Error.BadCommand", .priority = LOG_WARNING,
		.message_id = "1f897cb7736f5ab17854a99b757612f8",
		.summary = "A command could not be understood",
		.hint = "See lockhubd(8), MQTT COMMANDS, for what may be sent" },
	[FAULT_NOT_SUPPORTED] = {
		.name = "not-supported", .dbus = "org.lockhub1.Error.NotSupported", .priority = LOG_NOTICE,
		.message_id = "20b688612035facf825c09fe3c7e9e5f",
		.summary = "This lock cannot do that",
		.hint = "lockhubctl show LOCK lists what it can do" },
	[FAULT_OUTCOME_UNKNOWN] = {
		.name = "outcome-unknown", .dbus = "org.lockhub1.Error.OutcomeUnknown", .priority = LOG_WARNING,
		.message_id = "0e6148bf5892f910ae8a628f2f24e3fd",
		.summary = "It is not known whether the lock carried it out",
		.hint = "The state shown was read from the lock afterwards; look at the door before asking again" },
	[FAULT_INTERRUPTED] = {
		.name = "interrupted", .dbus = "org.lockhub1.Error.Interrupted", .priority = LOG_WARNING,
		.message_id = "0f303faa754a505df490167d1941ae5b",
		.summary = "lockhub was stopped while the operation ran",
		.hint = "The outcome is not known and it was not sent again; the lock's state is being read" },
	[FAULT_DENIED] = {
		.name = "denied", .dbus = "org.lockhub1.Error.Denied", .priority = LOG_NOTICE,
		.message_id = "e683540436d277e0030d9fb6bebbd1a1",
		.summary = "Not allowed",
		.hint = "Ask whoever manages this hub; see lockhubctl(1), ROLES" },
	[FAULT_BAD_ARGUMENT] = {
		.name = "bad-argument", .dbus = "org.lockhub1.Error.BadArgument", .priority = LOG_NOTICE,
		.message_id = "a4878b1082215fdf59d2f1def2f09bb2",
		.summary = "The request is not valid",
		.hint = "Correct it as the message says and try again" },
	[FAULT_NO_SUCH_LOCK] = {
		.name = "no-such-lock", .dbus = "org.lockhub1.Error.NoSuchLock", .priority = LOG_NOTICE,
		.message_id = "d17d89edb515fd1ebce98fbab8ba5e62",
		.summary = "There is no such lock",
		.hint = "lockhubctl list shows the locks" },
	[FAULT_NO_SUCH_OPERATION] = {
		.name = "no-such-operation", .dbus = "org.lockhub1.Error.NoSuchOperation", .priority = LOG_NOTICE,
		.message_id = "c720c4555220770842592f10b2c5ebb9",
		.summary = "There is no such operation",
		.hint = "Finished operations are in: lockhubctl log" },
	[FAULT_NAME_TAKEN] = {
		.name = "name-taken", .dbus = "org.lockhub1.Error.NameTaken", .priority = LOG_NOTICE,
		.message_id = "579139f140d47297811526ff06a5bc06",
		.summary = "Another lock has that name",
		.hint = "Choose another name" },
	[FAULT_ALREADY_PAIRED] = {
		.name = "already-paired", .dbus = "org.lockhub1.Error.AlreadyPaired", .priority = LOG_NOTICE,
		.message_id = "2c137836b365470d04dc9fceb8e2e533",
		.summary = "This lock is paired already",
		.hint = "lockhubctl list shows it. To pair it anew run: lockhubctl unpair LOCK first" },
	[FAULT_HUB_FULL] = {
		.name = "hub-full", .dbus = "org.lockhub1.Error.HubFull", .priority = LOG_WARNING,
		.message_id = "655f63ebd51f72c6753e6dd393e376c2",
		.summary = "The hub has no room for more locks",
		.hint = "Unpair a lock that is not in use" },
	[FAULT_QUEUE_FULL] = {
		.name = "queue-full", .dbus = "org.lockhub1.Error.QueueFull", .priority = LOG_WARNING,
		.message_id = "bff689190726aa387d014ecb120ef248",
		.summary = "Too many operations are waiting for this lock",
		.hint = "Wait until they are done: lockhubctl show LOCK" },
	[FAULT_NOT_DISCOVERED] = {
		.name = "not-discovered", .dbus = "org.lockhub1.Error.NotDiscovered", .priority = LOG_NOTICE,
		.message_id = "61468a1187ae60922ffde01328b5a2bd",
		.summary = "No lock with that address was heard",
		.hint = "Bring the lock into pairing mode and run: lockhubctl scan" },

	/* pairing */
	[FAULT_NOT_PAIRING] = {
		.name = "not-pairing", .dbus = "org.lockhub1.Error.NotPairing", .priority = LOG_WARNING,
		.message_id = "c558c33bb46336fcad2ca8e7537c8daa",
		.summary = "The lock is not in pairing mode",
		.hint = "Hold the lock's button for five seconds until its light stays on; in the vendor's app, Bluetooth pairing must be allowed" },
	[FAULT_PAIRING_FAILED] = {
		.name = "pairing-failed", .dbus = "org.lockhub1.Error.PairingFailed", .priority = LOG_WARNING,
		.message_id = "412ce3af9223803426adb2002d50ed5f",
		.summary = "Pairing failed",
		.hint = "Nothing was changed. Close the vendor's app on all phones, start pairing mode again and retry" },
	[FAULT_TOO_MANY_USERS] = {
		.name = "too-many-users", .dbus = "org.lockhub1.Error.TooManyUsers", .priority = LOG_WARNING,
		.message_id = "c1f8e28560c06e1a7a7813866eaaf43e",
		.summary = "The lock has no room for another authorisation",
		.hint = "Delete unused ones in the vendor's app, then pair again" },
	[FAULT_PIN_REQUIRED] = {
		.name = "pin-required", .dbus = "org.lockhub1.Error.PinRequired", .priority = LOG_NOTICE,
		.message_id = "402f0832d2b1d7b8bdb292520dfc4ec1",
		.summary = "The lock's security PIN is needed for this",
		.hint = "Give it once: lockhubctl set-pin LOCK" },
	[FAULT_KEY_REQUIRED] = {
		.name = "key-required", .dbus = "org.lockhub1.Error.KeyRequired", .priority = LOG_NOTICE,
		.message_id = "cfdbb4c9f7984780b105bc0eaee1ebf4",
		.summary = "This lock can be paired only with the key that its maker keeps",
		.hint = "Get it from the maker's app or account, then run: lockhubctl pair ADDRESS --key-file FILE" },

	/* answers of the lock */
	[FAULT_NOT_AUTHORIZED] = {
		.name = "not-authorized", .dbus = "org.lockhub1.Error.NotAuthorized", .priority = LOG_ERR,
		.message_id = "24e64838c8fecb4e16fe9ac1d56ae799",
		.summary = "The lock does not know this hub any more",
		.hint = "Its pairing was removed or the lock was reset. Pair it again as the same lock, with its users, codes and settings: lockhubctl reset --restore LOCK" },
	[FAULT_BAD_PIN] = {
		.name = "bad-pin", .dbus = "org.lockhub1.Error.BadPin", .priority = LOG_ERR,
		.message_id = "33e2f3a3cb9943b910491db2e6fe3999",
		.summary = "The lock refused the security PIN",
		.hint = "Look it up in the vendor's app, then run: lockhubctl set-pin LOCK (while pairing: pair again). lockhub does not try the old one again" },
	[FAULT_PIN_BLOCKED] = {
		.name = "pin-blocked", .dbus = "org.lockhub1.Error.PinBlocked", .priority = LOG_ERR,
		.message_id = "cf6e0aa5a57fe7f399d20553d5275802",
		.summary = "The lock refuses PINs for a while: too many wrong ones",
		.hint = "Wait ten minutes, then run: lockhubctl set-pin LOCK" },
	[FAULT_PROTOCOL_ERROR] = {
		.name = "protocol-error", .dbus = "org.lockhub1.Error.ProtocolError", .priority = LOG_WARNING,
		.message_id = "320aefe5c107bbccdacd6c20fbb03598",
		.summary = "The lock and lockhub did not understand each other",
		.hint = "Try again. If it comes back, send a report with: journalctl -u lockhubd" },
	[FAULT_BAD_PARAMETER] = {
		.name = "bad-parameter", .dbus = "org.lockhub1.Error.BadParameter", .priority = LOG_WARNING,
		.message_id = "3177bf28b000dce23ee79dbe5def77af",
		.summary = "The lock refused a value",
		.hint = "See the message for which one; its firmware may be older than lockhub expects" },
	[FAULT_NO_SUCH_ENTRY] = {
		.name = "no-such-entry", .dbus = "org.lockhub1.Error.NoSuchEntry", .priority = LOG_WARNING,
		.message_id = "25e6d2201c68b40b679f06cb254e2c04",
		.summary = "The lock does not have that entry",
		.hint = "The list has changed in the meantime; it is being read again" },
	[FAULT_KEY_DISABLED] = {
		.name = "key-disabled", .dbus = "org.lockhub1.Error.KeyDisabled", .priority = LOG_WARNING,
		.message_id = "4127f3a23bdc01f5913ba230c12052e2",
		.summary = "This hub's key is disabled at the lock",
		.hint = "Enable it in the vendor's app" },
	[FAULT_REMOTE_NOT_ALLOWED] = {
		.name = "remote-not-allowed", .dbus = "org.lockhub1.Error.RemoteNotAllowed", .priority = LOG_WARNING,
		.message_id = "2d7da63bf91f187e8562bec561161014",
		.summary = "This key may not be used from afar",
		.hint = "Allow remote access for it in the vendor's app" },
	[FAULT_TIME_NOT_ALLOWED] = {
		.name = "time-not-allowed", .dbus = "org.lockhub1.Error.TimeNotAllowed", .priority = LOG_WARNING,
		.message_id = "2328c9d65310f1ed0c3be04571aea80e",
		.summary = "Outside of the permitted time",
		.hint = "Check the schedule, and the lock's clock: lockhubctl show LOCK" },
	[FAULT_LIST_FULL] = {
		.name = "list-full", .dbus = "org.lockhub1.Error.ListFull", .priority = LOG_WARNING,
		.message_id = "3bdd82cfdfed7361644cceb56cbc65b7",
		.summary = "The lock's list is full",
		.hint = "Delete entries that are not needed" },
	[FAULT_CODE_EXISTS] = {
		.name = "code-exists", .dbus = "org.lockhub1.Error.CodeExists", .priority = LOG_NOTICE,
		.message_id = "9dfd6b65bbdc67d468ab6e655fed5d24",
		.summary = "The lock has that code already",
		.hint = "Choose another code" },
	[FAULT_CODE_INVALID] = {
		.name = "code-invalid", .dbus = "org.lockhub1.Error.CodeInvalid", .priority = LOG_WARNING,
		.message_id = "c470249fb42fee03326e66802f8a6193",
		.summary = "A wrong code was entered",
		.hint = "Nothing needs to be done unless it happens often" },
	[FAULT_KEYPAD_LOCKED] = {
		.name = "keypad-locked", .dbus = "org.lockhub1.Error.KeypadLocked", .priority = LOG_WARNING,
		.message_id = "e43b2035035ad82632acf859e4918af9",
		.summary = "The keypad is blocked after several wrong codes",
		.hint = "Wait some minutes. If nobody of yours did this, someone is guessing codes" },
	[FAULT_AUTO_UNLOCK_TOO_RECENT] = {
		.name = "auto-unlock-too-recent", .dbus = "org.lockhub1.Error.AutoUnlockTooRecent", .priority = LOG_NOTICE,
		.message_id = "f5d6c5c00f32f1d12c81a3df77db4111",
		.summary = "The lock was unlocked automatically a moment ago",
		.hint = "Wait a moment and try again" },
	[FAULT_POSITION_UNKNOWN] = {
		.name = "position-unknown", .dbus = "org.lockhub1.Error.PositionUnknown", .priority = LOG_WARNING,
		.message_id = "7d9d3dd62d036707366054d107d94ceb",
		.summary = "The lock does not know where its bolt is",
		.hint = "Turn it once by hand at the door; if that does not help, calibrate: lockhubctl calibrate LOCK" },
	[FAULT_JAMMED] = {
		.name = "jammed", .dbus = "org.lockhub1.Error.Jammed", .priority = LOG_ERR,
		.message_id = "82ff49f8715d3738917e585d00b63792",
		.summary = "The motor is blocked",
		.hint = "See that the door is closed and no key is turned in the cylinder, push or pull the door gently, and try again. If it needs force, the strike plate is misaligned" },
	[FAULT_HANDLE_NOT_LIFTED] = {
		.name = "handle-not-lifted", .dbus = "org.lockhub1.Error.HandleNotLifted", .priority = LOG_WARNING,
		.message_id = "260699a02fb24e76ab74a8c8791e0ee8",
		.summary = "The door's handle was not lifted",
		.hint = "Shut the door, lift its handle up as far as it goes, and lock once more" },
	[FAULT_DOOR_SENSOR_FAULTY] = {
		.name = "door-sensor-faulty", .dbus = "org.lockhub1.Error.DoorSensorFaulty", .priority = LOG_WARNING,
		.message_id = "756e90857a3d4ce79052f95ee6bbc9bd",
		.summary = "The lock gets nothing useful from its door sensor",
		.hint = "See that the magnet on the frame sits firmly across from the lock, then calibrate the sensor in the vendor's app" },
	[FAULT_CLUTCH_FAILURE] = {
		.name = "clutch-failure", .dbus = "org.lockhub1.Error.ClutchFailure", .priority = LOG_ERR,
		.message_id = "d8efed06330dc2a1f2bc7bda0009c40e",
		.summary = "The lock's clutch failed",
		.hint = "Take the lock off, see that it is mounted firmly, and put it back; if it stays, ask the vendor's support" },
	[FAULT_MOTOR_TIMEOUT] = {
		.name = "motor-timeout", .dbus = "org.lockhub1.Error.MotorTimeout", .priority = LOG_ERR,
		.message_id = "3e5b5d8a88c2ccde2886105143e2f350",
		.summary = "The motor turned without finding its stop",
		.hint = "The adapter may slip on the cylinder or key: tighten it, then calibrate: lockhubctl calibrate LOCK" },
	[FAULT_LOCK_BUSY] = {
		.name = "lock-busy", .dbus = "org.lockhub1.Error.LockBusy", .priority = LOG_NOTICE,
		.message_id = "92c69aba03a0c410bf1836470630283b",
		.summary = "The lock is busy with another action",
		.hint = "Wait two seconds and try again" },
	[FAULT_CANCELLED_AT_LOCK] = {
		.name = "cancelled-at-lock", .dbus = "org.lockhub1.Error.CancelledAtLock", .priority = LOG_NOTICE,
		.message_id = "e7d8640f904735c0b44de201d69c7d96",
		.summary = "Someone stopped the action at the lock",
		.hint = "Nothing needs to be done" },
	[FAULT_NOT_CALIBRATED] = {
		.name = "not-calibrated", .dbus = "org.lockhub1.Error.NotCalibrated", .priority = LOG_ERR,
		.message_id = "04b89d70cfba533e976f10cc02332dce",
		.summary = "The lock is not calibrated",
		.hint = "Open the door and run: lockhubctl calibrate LOCK" },
	[FAULT_MOTOR_LIMIT] = {
		.name = "motor-limit", .dbus = "org.lockhub1.Error.MotorLimit", .priority = LOG_ERR,
		.message_id = "12be743be9d218ff39f661e7f84b68a5",
		.summary = "The motor reached its limit during calibration",
		.hint = "See that the lock is mounted straight and firmly, then calibrate again" },
	[FAULT_MOTOR_LOW_VOLTAGE] = {
		.name = "motor-low-voltage", .dbus = "org.lockhub1.Error.MotorLowVoltage", .priority = LOG_ERR,
		.message_id = "db882b973f5ec0e0b071de092009e1b3",
		.summary = "The batteries are too weak to turn the motor",
		.hint = "Change the batteries now; keep a mechanical key with you" },
	[FAULT_MOTOR_POWER] = {
		.name = "motor-power", .dbus = "org.lockhub1.Error.MotorPower", .priority = LOG_ERR,
		.message_id = "94ae0489c18bd47ee6e2b2304facc7e4",
		.summary = "The motor draws no current",
		.hint = "Take the batteries out for ten seconds; if it stays, ask the vendor's support" },
	[FAULT_CLUTCH_POWER] = {
		.name = "clutch-power", .dbus = "org.lockhub1.Error.ClutchPower", .priority = LOG_ERR,
		.message_id = "9cc7f47d25c03788877a9b01da971bcf",
		.summary = "The clutch draws no current",
		.hint = "Take the batteries out for ten seconds; if it stays, ask the vendor's support" },
	[FAULT_VOLTAGE_TOO_LOW] = {
		.name = "voltage-too-low", .dbus = "org.lockhub1.Error.VoltageTooLow", .priority = LOG_ERR,
		.message_id = "2e172afd78b389933e21d8ca66e96f1a",
		.summary = "The batteries are too weak for calibration",
		.hint = "Change the batteries, then calibrate again" },
	[FAULT_FIRMWARE_UPDATE_NEEDED] = {
		.name = "firmware-update-needed", .dbus = "org.lockhub1.Error.FirmwareUpdateNeeded", .priority = LOG_WARNING,
		.message_id = "403f81695e993773b9d20709911023a9",
		.summary = "The lock demands a firmware update",
		.hint = "Update it in the vendor's app" },
	[FAULT_ACTION_REJECTED] = {
		.name = "action-rejected", .dbus = "org.lockhub1.Error.ActionRejected", .priority = LOG_WARNING,
		.message_id = "90cd3bfb79bf722a22498218389c8c46",
		.summary = "The lock refused the action",
		.hint = "Night mode or another of its settings may forbid it: look in the vendor's app" },
	[FAULT_WRONG_LOCK] = {
		.name = "wrong-lock", .dbus = "org.lockhub1.Error.WrongLock", .priority = LOG_ERR,
		.message_id = "9444dffc6f357e5ceee7164d4c170fe6",
		.summary = "Another lock answered at this address",
		.hint = "Its identity differs from the paired one. Run: lockhubctl show LOCK, and pair again if the lock was replaced" },
	[FAULT_NOT_PRESENTED] = {
		.name = "not-presented", .dbus = "org.lockhub1.Error.NotPresented", .priority = LOG_NOTICE,
		.message_id = "ff57e979525b46afbe738072f394da32",
		.summary = "Nobody presented a card or a finger in time",
		.hint = "Stand at the lock with it and ask again: lockhubctl code learn LOCK USER --type rfid or fingerprint" },
	[FAULT_LOCK_ERROR] = {
		.name = "lock-error", .dbus = "org.lockhub1.Error.LockError", .priority = LOG_WARNING,
		.message_id = "df3ec6fda46d4e086b8f2100cc68320b",
		.summary = "The lock reported an error",
		.hint = "Try again; if it stays, note the number in the message and ask the vendor's support" },

	/* users, codes and rights */
	[FAULT_NO_SUCH_USER] = {
		.name = "no-such-user", .dbus = "org.lockhub1.Error.NoSuchUser", .priority = LOG_NOTICE,
		.message_id = "58a3468b55033412849f9301736c9e8e",
		.summary = "There is no such user",
		.hint = "See who there is: lockhubctl user list" },
	[FAULT_NO_SUCH_CODE] = {
		.name = "no-such-code", .dbus = "org.lockhub1.Error.NoSuchCode", .priority = LOG_NOTICE,
		.message_id = "f8c3f65cd554c34dd85362f01c955c44",
		.summary = "There is no such code",
		.hint = "See what there is: lockhubctl code list" },
	[FAULT_NO_SUCH_SCHEDULE] = {
		.name = "no-such-schedule", .dbus = "org.lockhub1.Error.NoSuchSchedule", .priority = LOG_NOTICE,
		.message_id = "dc0c75582d68e76920b7750a321af310",
		.summary = "There is no such schedule",
		.hint = "See what there is: lockhubctl schedule list" },
	[FAULT_WEAK_CODE] = {
		.name = "weak-code", .dbus = "org.lockhub1.Error.WeakCode", .priority = LOG_NOTICE,
		.message_id = "ec041f6663a7a39a210ed46cf8adfddc",
		.summary = "The code is too easy to guess",
		.hint = "Choose another one, or let the hub make one: lockhubctl code add USER --generate" },
	[FAULT_CODE_TAKEN] = {
		.name = "code-taken", .dbus = "org.lockhub1.Error.CodeTaken", .priority = LOG_NOTICE,
		.message_id = "e695d1fa94bcb71a6cda653a46567e89",
		.summary = "The code is used already",
		.hint = "Choose another one: with a code of their own the log can tell people apart" },
	[FAULT_FACTOR_REQUIRED] = {
		.name = "factor-required", .dbus = "org.lockhub1.Error.FactorRequired", .priority = LOG_NOTICE,
		.message_id = "6dac38c83cc2fe9e7123e57199fd061f",
		.summary = "This lock opens remotely only with a personal code or one-time password",
		.hint = "Give it with the command; set one for a user with: lockhubctl user edit USER --code or --totp" },
	[FAULT_FACTOR_WRONG] = {
		.name = "factor-wrong", .dbus = "org.lockhub1.Error.FactorWrong", .priority = LOG_WARNING,
		.message_id = "2cd2ffff64d269b7a80a0bc751c994ad",
		.summary = "The personal code or one-time password is wrong",
		.hint = "Try again with care: after some wrong ones every remote command that opens is refused for a while. For one-time passwords see that the clocks of phone and hub agree" },
	[FAULT_LOCKED_OUT] = {
		.name = "locked-out", .dbus = "org.lockhub1.Error.LockedOut", .priority = LOG_WARNING,
		.message_id = "1b9bee6bd1fd66ae9b8a2ca53a144d38",
		.summary = "Too many wrong codes: remote opening is refused for a while",
		.hint = "Wait, or open the lock with its key or keypad. See who tried: lockhubctl log" },
	[FAULT_USER_DISABLED] = {
		.name = "user-disabled", .dbus = "org.lockhub1.Error.UserDisabled", .priority = LOG_NOTICE,
		.message_id = "d010387b2fb0737eddbf6a27ae21ec77",
		.summary = "The user is disabled",
		.hint = "A manager can change that: lockhubctl user edit USER --enable" },
	[FAULT_USER_RESTRICTED] = {
		.name = "user-restricted", .dbus = "org.lockhub1.Error.UserRestricted", .priority = LOG_NOTICE,
		.message_id = "971c845e11cd523567e4ce7a46e7f37f",
		.summary = "The user may not open this lock at this time",
		.hint = "See the schedules: lockhubctl schedule list" },
	[FAULT_NO_ACCESS] = {
		.name = "no-access", .dbus = "org.lockhub1.Error.NoAccess", .priority = LOG_NOTICE,
		.message_id = "513ec5786ad0ce65d10d95bc38087868",
		.summary = "The user has no access to this lock",
		.hint = "A manager can give it: lockhubctl access grant USER LOCK" },
	[FAULT_MODE_FORBIDS] = {
		.name = "mode-forbids", .dbus = "org.lockhub1.Error.ModeForbids", .priority = LOG_NOTICE,
		.message_id = "ffc3deb47a7c81d9675db81713e391b9",
		.summary = "The mode of the lock does not allow that",
		.hint = "See the mode and the holidays: lockhubctl show LOCK" },
	[FAULT_REVOCATION_PENDING] = {
		.name = "revocation-pending", .dbus = "org.lockhub1.Error.RevocationPending", .priority = LOG_WARNING,
		.message_id = "7b3000d1fe2fc1c833cef10f8289d939",
		.summary = "A revoked code may still open the lock",
		.hint = "The hub removes it as soon as the lock can be reached. If that is urgent, take the hub closer or remove the code with the vendor's app, then run: lockhubctl code sync LOCK" },
	[FAULT_SYNC_BROKEN] = {
		.name = "sync-broken", .dbus = "org.lockhub1.Error.SyncBroken", .priority = LOG_WARNING,
		.message_id = "1558a7f7525b500d1cdc36c9894d9757",
		.summary = "The codes of the lock cannot be made to agree",
		.hint = "lockhub has stopped trying to spare the batteries. See what the lock refused: lockhubctl code list --lock LOCK; then try again: lockhubctl code sync LOCK" },
	[FAULT_SYNC_PENDING] = {
		.name = "sync-pending", .dbus = "org.lockhub1.Error.SyncPending", .priority = LOG_NOTICE,
		.message_id = "ad83a31fe37a403796822eaa3e5474bf",
		.summary = "Changes of codes wait for the lock",
		.hint = "They are written as soon as the lock can be reached; to try now run: lockhubctl code sync LOCK" },
	[FAULT_CODES_HELD] = {
		.name = "codes-held", .dbus = "org.lockhub1.Error.CodesHeld", .priority = LOG_WARNING,
		.message_id = "6840f54299ba405281d9df8864177002",
		.summary = "Codes of a restored backup are held back",
		.hint = "The lock does not hold them as the backup says: they may have been revoked or changed since. Look at them: lockhubctl code list --lock LOCK; revoke what must not open; then put the rest into the lock: lockhubctl code sync LOCK" },
	[FAULT_CODES_SHORT] = {
		.name = "codes-short", .dbus = "org.lockhub1.Error.CodesShort", .priority = LOG_NOTICE,
		.message_id = "34dd3470c3b34118a9c1476444325bed",
		.summary = "Some codes are shorter than they could be",
		.hint = "Change them to six digits or more: lockhubctl code change" },
	[FAULT_CODES_OLD] = {
		.name = "codes-old", .dbus = "org.lockhub1.Error.CodesOld", .priority = LOG_NOTICE,
		.message_id = "2ccf49a6fb8d4b1b84be242424b49143",
		.summary = "Some codes have not been changed for years",
		.hint = "Change those that many people know: lockhubctl code change" },
	[FAULT_CODE_GUESSING] = {
		.name = "code-guessing", .dbus = "org.lockhub1.Error.CodeGuessing", .priority = LOG_ERR,
		.message_id = "e33dfa78afc144868c07daf47f44f6e2",
		.summary = "Many wrong codes were entered at the keypad",
		.hint = "If nobody of yours did this, someone is guessing: see when with lockhubctl log --lock LOCK, and use longer codes" },
	[FAULT_FACTOR_MISSING] = {
		.name = "factor-missing", .dbus = "org.lockhub1.Error.FactorMissing", .priority = LOG_NOTICE,
		.message_id = "bc9a10f54ddf48a689abdad07968eb84",
		.summary = "The lock opens remotely without a second factor",
		.hint = "Ask for a personal code or one-time password: lockhubctl rules LOCK" },
	[FAULT_PIN_DEFAULT] = {
		.name = "pin-default", .dbus = "org.lockhub1.Error.PinDefault", .priority = LOG_ERR,
		.message_id = "02f4899920f447b2bae4c138fc8ef95f",
		.summary = "The lock still has the maker's security code",
		.hint = "Set one of your own in the vendor's app, then give it to the hub: lockhubctl set-pin LOCK" },
	[FAULT_PIN_OLD] = {
		.name = "pin-old", .dbus = "org.lockhub1.Error.PinOld", .priority = LOG_NOTICE,
		.message_id = "232427c7d58f4af8a155bcb1cc88198b",
		.summary = "The lock's security PIN has not been changed for years",
		.hint = "Change it in the vendor's app, then give it to the hub: lockhubctl set-pin LOCK" },
	[FAULT_TAMPERED] = {
		.name = "tampered", .dbus = "org.lockhub1.Error.Tampered", .priority = LOG_ERR,
		.message_id = "2c0a368856bf454888c9a03aebeca76e",
		.summary = "The lock reported tampering",
		.hint = "Look at the door and the lock now; see what was reported: lockhubctl log --lock LOCK" },
	[FAULT_PAIRING_OPEN] = {
		.name = "pairing-open", .dbus = "org.lockhub1.Error.PairingOpen", .priority = LOG_NOTICE,
		.message_id = "b36d5bfad9464a60a7fdc007d7d6c1c8",
		.summary = "Anybody who reaches the lock's button can pair with it",
		.hint = "Switch Bluetooth pairing off in the vendor's app when no pairing is planned" },
	[FAULT_PROTOCOL_WEAK] = {
		.name = "protocol-weak", .dbus = "org.lockhub1.Error.ProtocolWeak", .priority = LOG_WARNING,
		.message_id = "20b8574df1c0422594118d9a26c3c62d",
		.summary = "The lock's radio protocol is not secure by today's standard",
		.hint = "Nothing in the hub can mend that: do not rely on this lock where much is at stake" },
	[FAULT_PIN_WEAK] = {
		.name = "pin-weak", .dbus = "org.lockhub1.Error.PinWeak", .priority = LOG_NOTICE,
		.message_id = "2239407dd76b45cb9149d185b1ec19f7",
		.summary = "The lock's security PIN is easy to guess",
		.hint = "Set another one in the vendor's app, no sequence and no date, then give it to the hub: lockhubctl set-pin LOCK" },
	[FAULT_CODES_WEAK] = {
		.name = "codes-weak", .dbus = "org.lockhub1.Error.CodesWeak", .priority = LOG_NOTICE,
		.message_id = "96605411693d4db494d6fb116b24cc5f",
		.summary = "Some codes are easy to guess",
		.hint = "Change them, or let the hub make others: lockhubctl code change" },

	/* conditions */
	[FAULT_BATTERY_LOW] = {
		.name = "battery-low", .dbus = "org.lockhub1.Error.BatteryLow", .priority = LOG_WARNING,
		.message_id = "b126cc29db9c89616132a937b5059b18",
		.summary = "The lock's batteries are low",
		.hint = "Change them soon; lockhubctl battery LOCK shows how fast they fall" },
	[FAULT_BATTERY_CRITICAL] = {
		.name = "battery-critical", .dbus = "org.lockhub1.Error.BatteryCritical", .priority = LOG_ERR,
		.message_id = "a6d4055801af386a0fc5db1ab07b6182",
		.summary = "The lock's batteries are nearly empty",
		.hint = "Change them now, before the lock stops" },
	[FAULT_CLOCK_WRONG] = {
		.name = "clock-wrong", .dbus = "org.lockhub1.Error.ClockWrong", .priority = LOG_WARNING,
		.message_id = "6a4c122a79857587910e881c3b3285f9",
		.summary = "The lock's clock is wrong",
		.hint = "lockhub sets it at the next link when its own clock is synchronised and the PIN is known" },
	[FAULT_LOG_GAP] = {
		.name = "log-gap", .dbus = "org.lockhub1.Error.LogGap", .priority = LOG_WARNING,
		.message_id = "27617cd6b6ae4874efbc960de8090234",
		.summary = "Entries of the lock's own log are missing",
		.hint = "The lock overwrote them before they could be read; nothing can bring them back" },
	[FAULT_CELLS_WEAK] = {
		.name = "cells-weak", .dbus = "org.lockhub1.Error.CellsWeak", .priority = LOG_WARNING,
		.message_id = "e2b7dc5919364ea68a1c348a3155dd58",
		.summary = "The batteries give way under load",
		.hint = "Change all of them at once, same make and age, no old ones among them: lockhubctl care batteries LOCK" },
	[FAULT_BATTERY_SOON] = {
		.name = "battery-soon", .dbus = "org.lockhub1.Error.BatterySoon", .priority = LOG_NOTICE,
		.message_id = "a258b00c40cf4c52a2293e3bb361ea9d",
		.summary = "The batteries will soon be empty",
		.hint = "Buy new ones now; change them with: lockhubctl care batteries LOCK" },
	[FAULT_BATTERY_DRAIN] = {
		.name = "battery-drain", .dbus = "org.lockhub1.Error.BatteryDrain", .priority = LOG_WARNING,
		.message_id = "20aa545f90d947d2b694e13af59ab99d",
		.summary = "The batteries empty faster than usual",
		.hint = "See what costs so much: lockhubctl doctor LOCK --verbose" },
	[FAULT_LINKS_MANY] = {
		.name = "links-many", .dbus = "org.lockhub1.Error.LinksMany", .priority = LOG_WARNING,
		.message_id = "fabb240abda044f99152f49b7214d86d",
		.summary = "The hub connects to the lock too often",
		.hint = "See who asks so much: automations that refresh the lock every minute are the usual reason. Let them listen to its topics instead" },
	[FAULT_USED_OFTEN] = {
		.name = "used-often", .dbus = "org.lockhub1.Error.UsedOften", .priority = LOG_NOTICE,
		.message_id = "ec3f076bee2d45bface50fde88cbfa01",
		.summary = "The motor runs more often than most",
		.hint = "Nothing is wrong; expect to change batteries more often. A longer auto-lock time saves runs" },
	[FAULT_KEYPAD_BATTERY_LOW] = {
		.name = "keypad-battery-low", .dbus = "org.lockhub1.Error.KeypadBatteryLow", .priority = LOG_WARNING,
		.message_id = "ea93a7b7bc404c229be9d00d0e1d31c6",
		.summary = "The keypad's battery is low",
		.hint = "Change it soon: codes do not work without it" },
	[FAULT_DOOR_SENSOR_BATTERY_LOW] = {
		.name = "door-sensor-battery-low", .dbus = "org.lockhub1.Error.DoorSensorBatteryLow", .priority = LOG_NOTICE,
		.message_id = "31a6dc7b2f17410081a89918ad56bcd3",
		.summary = "The door sensor's battery is low",
		.hint = "Change it soon: without it the hub does not know whether the door is shut" },
	[FAULT_LOCKOUT_RISK] = {
		.name = "lockout-risk", .dbus = "org.lockhub1.Error.LockoutRisk", .priority = LOG_CRIT,
		.message_id = "3f08317c7bdc42caaf1d84f280117dd6",
		.summary = "You may soon be locked out",
		.hint = "This lock has no mechanical key and its batteries are ending: change them now, while the door can be opened" },
	[FAULT_MISALIGNED] = {
		.name = "misaligned", .dbus = "org.lockhub1.Error.Misaligned", .priority = LOG_ERR,
		.message_id = "0ba88c7b5f964f3392824f501e1e5918",
		.summary = "The bolt binds when the door is shut",
		.hint = "Push or pull the shut door while it locks: if that helps, move the strike plate or the hinges until it locks without" },
	[FAULT_BOLT_STIFF] = {
		.name = "bolt-stiff", .dbus = "org.lockhub1.Error.BoltStiff", .priority = LOG_ERR,
		.message_id = "94957682dd3e48efb43929b79d304aff",
		.summary = "The bolt jams whether the door is open or shut",
		.hint = "With the door open turn the bolt by hand: if it is stiff, the cylinder or the mounting is the cause, not the frame" },
	[FAULT_MOTOR_SLOW] = {
		.name = "motor-slow", .dbus = "org.lockhub1.Error.MotorSlow", .priority = LOG_WARNING,
		.message_id = "b645d90423684b969043072c998c95c6",
		.summary = "The motor takes longer than it used to",
		.hint = "Batteries, cold, or a bolt that begins to bind: run lockhubctl doctor LOCK --verbose" },
	[FAULT_CLOCK_LOST] = {
		.name = "clock-lost", .dbus = "org.lockhub1.Error.ClockLost", .priority = LOG_WARNING,
		.message_id = "02c4ca121b874767bc30d745060f1b3a",
		.summary = "The lock has lost its time",
		.hint = "It was without power. lockhub sets the clock at the next link when its own is right: lockhubctl sync-clock LOCK" },
	[FAULT_ZONE_WRONG] = {
		.name = "zone-wrong", .dbus = "org.lockhub1.Error.ZoneWrong", .priority = LOG_NOTICE,
		.message_id = "bb859a36f7444c6abfaa526cbd7d0b49",
		.summary = "The lock is set to another time zone",
		.hint = "Times of codes may be off by hours: set the zone in the vendor's app" },
	[FAULT_LOG_DISABLED] = {
		.name = "log-disabled", .dbus = "org.lockhub1.Error.LogDisabled", .priority = LOG_NOTICE,
		.message_id = "98fddb6647194519bee4c4cc3d897f6d",
		.summary = "The lock does not keep a log",
		.hint = "Switch its activity log on in the vendor's app, else nobody knows who came and went" },
	[FAULT_LOCK_RESET] = {
		.name = "lock-reset", .dbus = "org.lockhub1.Error.LockReset", .priority = LOG_ERR,
		.message_id = "7dccb209da744dab8228db2d1ba0cd1c",
		.summary = "The lock was reset, or the hub's key was deleted at it",
		.hint = "It is the same lock, but it refuses our key. Pair and restore it: lockhubctl reset --restore LOCK" },
	[FAULT_FIRMWARE_FAULTY] = {
		.name = "firmware-faulty", .dbus = "org.lockhub1.Error.FirmwareFaulty", .priority = LOG_WARNING,
		.message_id = "4942c5fb7f3b42928e74b1460f91eb09",
		.summary = "The lock's firmware has a known fault",
		.hint = "Update it in the vendor's app: lockhubctl care firmware LOCK" },
	[FAULT_FIRMWARE_OUTDATED] = {
		.name = "firmware-outdated", .dbus = "org.lockhub1.Error.FirmwareOutdated", .priority = LOG_NOTICE,
		.message_id = "10f502e33edd437ba781dc574f5c9948",
		.summary = "There is newer firmware for the lock",
		.hint = "Update it in the vendor's app when convenient: lockhubctl care firmware LOCK" },
	[FAULT_WORSE_SINCE_UPDATE] = {
		.name = "worse-since-update", .dbus = "org.lockhub1.Error.WorseSinceUpdate", .priority = LOG_WARNING,
		.message_id = "b120d40482904129a7c5d3baa26a4a6c",
		.summary = "The lock works worse since its firmware was updated",
		.hint = "Calibrate it, then ask the vendor's support: lockhubctl support-bundle LOCK" },

	/* store */
	[FAULT_DATABASE_NEWER] = {
		.name = "database-newer", .dbus = "org.lockhub1.Error.DatabaseNewer", .priority = LOG_ERR,
		.message_id = "ce29095c86dccae9408baaa9515fd08f",
		.summary = "The database was written by a newer lockhub",
		.hint = "Install that version again, or restore the backup made before the upgrade. Nothing was changed" },
	[FAULT_DATABASE_CORRUPT] = {
		.name = "database-corrupt", .dbus = "org.lockhub1.Error.DatabaseCorrupt", .priority = LOG_ERR,
		.message_id = "1a1183c72369ccf82503723d11ec6813",
		.summary = "The database is damaged",
		.hint = "It was left as it is. Restore a backup, or move it away and pair the locks again" },
	[FAULT_DATABASE_IN_USE] = {
		.name = "database-in-use", .dbus = "org.lockhub1.Error.DatabaseInUse", .priority = LOG_ERR,
		.message_id = "4a53888f25972057abb25645b8a7894d",
		.summary = "Another lockhubd uses this database",
		.hint = "Run: systemctl status lockhubd, and stop one of the two" },
	[FAULT_DATABASE_FULL] = {
		.name = "database-full", .dbus = "org.lockhub1.Error.DatabaseFull", .priority = LOG_CRIT,
		.message_id = "ff2d5f5edb45d542ab624e10d3d47722",
		.summary = "The disk is full",
		.hint = "Free some space; until then only locking is carried out, since nothing can be recorded" },
	[FAULT_DATABASE_IO] = {
		.name = "database-io", .dbus = "org.lockhub1.Error.DatabaseIo", .priority = LOG_CRIT,
		.message_id = "73c989de1dc1b9461a66bd2b6c41afa7",
		.summary = "The database cannot be written",
		.hint = "The SD card may be failing: run dmesg, make a copy now. Until then only locking is carried out" },
	[FAULT_DATABASE_OPEN] = {
		.name = "database-open", .dbus = "org.lockhub1.Error.DatabaseOpen", .priority = LOG_ERR,
		.message_id = "8e4e156c3b3ec38a9c4bef9486d4c10d",
		.summary = "The database cannot be opened",
		.hint = "See that its folder exists and belongs to the user lockhub" },
	[FAULT_KEY_MISSING] = {
		.name = "key-missing", .dbus = "org.lockhub1.Error.KeyMissing", .priority = LOG_ERR,
		.message_id = "5399b0b772753cd11f9e5abafc10f272",
		.summary = "The database's key is missing or does not fit",
		.hint = "Restore the key file that belongs to this database; without it the locks must be paired again" },
	[FAULT_LOG_BROKEN] = {
		.name = "log-broken", .dbus = "org.lockhub1.Error.LogBroken", .priority = LOG_CRIT,
		.message_id = "092f5a36bef018f0f326b40db5d63762",
		.summary = "The event log was changed from outside",
		.hint = "Someone edited, removed or reordered rows: lockhubctl log verify names the first. Keep a copy of the database" },
	[FAULT_DISK_LOW] = {
		.name = "disk-low", .dbus = "org.lockhub1.Error.DiskLow", .priority = LOG_WARNING,
		.message_id = "2819852bd85442d2abb7efb2e57280c3",
		.summary = "The disk is nearly full",
		.hint = "Free some space: when it is full, nothing can be recorded and only locking works" },
	[FAULT_BACKUP_FAILED] = {
		.name = "backup-failed", .dbus = "org.lockhub1.Error.BackupFailed", .priority = LOG_ERR,
		.message_id = "7dc0ff8a4a114283bd19bc39392fc6b9",
		.summary = "The last backup failed",
		.hint = "See the message for the reason, then run: lockhubctl backup" },
	[FAULT_BACKUP_OLD] = {
		.name = "backup-old", .dbus = "org.lockhub1.Error.BackupOld", .priority = LOG_NOTICE,
		.message_id = "d7f0e92e4687412e819eec846bd61422",
		.summary = "There is no recent backup",
		.hint = "Make one and keep it elsewhere: lockhubctl backup FILE" },
	[FAULT_BACKUP_DAMAGED] = {
		.name = "backup-damaged", .dbus = "org.lockhub1.Error.BackupDamaged", .priority = LOG_ERR,
		.message_id = "49ebde4717be45429161f1c25eee4509",
		.summary = "The backup is damaged or not complete",
		.hint = "Nothing of it is used. Take another one: lockhubctl backup list shows those that the hub made by itself" },
	[FAULT_BACKUP_NEWER] = {
		.name = "backup-newer", .dbus = "org.lockhub1.Error.BackupNewer", .priority = LOG_ERR,
		.message_id = "4fb87c06a2624a6890b613c99ccd32c6",
		.summary = "The backup was made by a newer lockhub",
		.hint = "Upgrade lockhub on this hub, then try again" },
	[FAULT_PASSPHRASE_WRONG] = {
		.name = "passphrase-wrong", .dbus = "org.lockhub1.Error.PassphraseWrong", .priority = LOG_WARNING,
		.message_id = "4a8d5798d08b43a1896cae68c34ddc67",
		.summary = "The passphrase does not open the backup",
		.hint = "Try again, with an eye on the keyboard's layout and on capitals; without the passphrase nobody can open it" },
	[FAULT_PASSPHRASE_WEAK] = {
		.name = "passphrase-weak", .dbus = "org.lockhub1.Error.PassphraseWeak", .priority = LOG_WARNING,
		.message_id = "6662395565ef459198c3734d838dc1ca",
		.summary = "The passphrase can be guessed",
		.hint = "Take four words that have nothing to do with each other, or twelve characters or more of a password manager" },
	[FAULT_DATABASE_RESTORED] = {
		.name = "database-restored", .dbus = "org.lockhub1.Error.DatabaseRestored", .priority = LOG_CRIT,
		.message_id = "428114ece07844afb76401785ee91188",
		.summary = "The database was damaged, and a backup was put in its place",
		.hint = "What was changed after that backup is lost: look at users and codes, above all at those that were revoked since. The locks are being read again. Have the SD card or disk checked" },

	/* mqtt */
	[FAULT_BROKER_UNREACHABLE] = {
		.name = "broker-unreachable", .dbus = "org.lockhub1.Error.BrokerUnreachable", .priority = LOG_WARNING,
		.message_id = "58e6b3dc3eb59a4a9a933bd888fbc597",
		.summary = "The MQTT broker cannot be reached",
		.hint = "See [mqtt] host and port in lockhubd.conf, and whether the broker runs. lockhubctl works without it" },
	[FAULT_BROKER_REFUSED] = {
		.name = "broker-refused", .dbus = "org.lockhub1.Error.BrokerRefused", .priority = LOG_ERR,
		.message_id = "6859fcbd74ecf7893d23cf2430cd3eed",
		.summary = "The MQTT broker refused the connection",
		.hint = "See username and password in [mqtt]; the broker's own log names the reason" },
	[FAULT_BROKER_TLS] = {
		.name = "broker-tls", .dbus = "org.lockhub1.Error.BrokerTls", .priority = LOG_ERR,
		.message_id = "da8d96fe101af61adfda4bb9ed673865",
		.summary = "No secure connection to the MQTT broker",
		.hint = "See ca_file and the broker's certificate: its name must be the host in lockhubd.conf. A clock that is not set can be the cause too" },
	[FAULT_BROKER_DENIED] = {
		.name = "broker-denied", .dbus = "org.lockhub1.Error.BrokerDenied", .priority = LOG_ERR,
		.message_id = "b873adcd02d4f1298ada7521a8333adb",
		.summary = "The MQTT broker does not let us publish or subscribe",
		.hint = "Its access list must allow this user lockhub/# and the discovery prefix" },
	[FAULT_DISCOVERY_CLEARED] = {
		.name = "discovery-cleared", .dbus = "org.lockhub1.Error.DiscoveryCleared", .priority = LOG_NOTICE,
		.message_id = "62d58aa27b633aee743434698a9629fe",
		.summary = "Someone removed this lock's Home Assistant discovery message",
		.hint = "It is published again; to remove the lock for good run: lockhubctl unpair LOCK" },
	[FAULT_BROKER_NAME] = {
		.name = "broker-name", .dbus = "org.lockhub1.Error.BrokerName", .priority = LOG_WARNING,
		.message_id = "64923aa8684e4f38abed21f14e9a2d9e",
		.summary = "The name of the MQTT broker cannot be resolved",
		.hint = "Correct [mqtt] host in lockhubd.conf, or use the broker's address; see whether the network's DNS works" },
	[FAULT_BROKER_EXPIRED] = {
		.name = "broker-expired", .dbus = "org.lockhub1.Error.BrokerExpired", .priority = LOG_ERR,
		.message_id = "f51bf06de69e4deab14c5f744bfee44e",
		.summary = "The certificate of the MQTT broker is not valid at this time",
		.hint = "Renew the broker's certificate. If it is not expired, the hub's clock is wrong: timedatectl" },
	[FAULT_BROKER_WRONG_NAME] = {
		.name = "broker-wrong-name", .dbus = "org.lockhub1.Error.BrokerWrongName", .priority = LOG_ERR,
		.message_id = "9e93440abf7d44e896e489f21d84764e",
		.summary = "The certificate of the MQTT broker is for another name",
		.hint = "Set [mqtt] host in lockhubd.conf to a name that is in the certificate, or make a new certificate" },
	[FAULT_BROKER_UNPROTECTED] = {
		.name = "broker-unprotected", .dbus = "org.lockhub1.Error.BrokerUnprotected", .priority = LOG_WARNING,
		.message_id = "dccc6a7014294f02bcd88605f3235498",
		.summary = "The MQTT broker is not protected",
		.hint = "Anybody in the network may read and command the locks: ask for a password (allow_anonymous false) and use TLS outside of the hub" },
	[FAULT_WIFI_UNPROTECTED] = {
		.name = "wifi-unprotected", .dbus = "org.lockhub1.Error.WifiUnprotected", .priority = LOG_WARNING,
		.message_id = "ca5e27a3d8b34e1880c6e4b28ddac019",
		.summary = "The hub's Wi-Fi is not protected, or only weakly",
		.hint = "Use WPA2 or WPA3 with a good password" },

	/* set-up */
	[FAULT_CONFIG_INVALID] = {
		.name = "config-invalid", .dbus = "org.lockhub1.Error.ConfigInvalid", .priority = LOG_ERR,
		.message_id = "f78923a0a248fe9191395edc593b6daf",
		.summary = "The configuration file has an error",
		.hint = "Correct the line named in the message; lockhubd --check-config tests it" },
	[FAULT_SECRET_EXPOSED] = {
		.name = "secret-exposed", .dbus = "org.lockhub1.Error.SecretExposed", .priority = LOG_ERR,
		.message_id = "dceb7e6bda7981dc07d6bf9511dc32cf",
		.summary = "A secret file can be read by others",
		.hint = "Run: chmod 600 on the file named in the message" },
	[FAULT_HUB_CLOCK] = {
		.name = "hub-clock", .dbus = "org.lockhub1.Error.HubClock", .priority = LOG_WARNING,
		.message_id = "fba91ffa933b4c838616fa670499084a",
		.summary = "The hub's clock is not synchronised",
		.hint = "Schedules do not begin until it is: run timedatectl and see that a time server can be reached" },
	[FAULT_UNCLEAN_STOP] = {
		.name = "unclean-stop", .dbus = "org.lockhub1.Error.UncleanStop", .priority = LOG_NOTICE,
		.message_id = "a7b8d73442b34b5c85906a0823d906bb",
		.summary = "The hub was not shut down in order",
		.hint = "If it lost power, use a good power supply; everything that was confirmed is still there" },
	[FAULT_HUB_RESTARTING] = {
		.name = "hub-restarting", .dbus = "org.lockhub1.Error.HubRestarting", .priority = LOG_ERR,
		.message_id = "fb2387aa00f2419e94c411a6842bb161",
		.summary = "lockhubd was restarted several times",
		.hint = "See why: journalctl -u lockhubd -p warning" },
	[FAULT_UNDERVOLTAGE] = {
		.name = "undervoltage", .dbus = "org.lockhub1.Error.Undervoltage", .priority = LOG_ERR,
		.message_id = "6c0749916a4544ddb1eb453260d87bd5",
		.summary = "The hub's power supply is too weak",
		.hint = "Use the maker's power supply and a short, thick cable: radio, USB and SD card fail without warning otherwise" },
	[FAULT_NO_MEMORY] = {
		.name = "no-memory", .dbus = "org.lockhub1.Error.NoMemory", .priority = LOG_CRIT,
		.message_id = "5dc54980f0243438b396a48e06097fc7",
		.summary = "Out of memory",
		.hint = "Stop other programs on this hub, or give it more memory" },
	[FAULT_INTERNAL] = {
		.name = "internal", .dbus = "org.lockhub1.Error.Internal", .priority = LOG_ERR,
		.message_id = "c87ab6715cbee7e846db25f0c9d0fa28",
		.summary = "Something went wrong inside lockhub",
		.hint = "Please report it with: journalctl -u lockhubd" },
};
/* clang-format on */
