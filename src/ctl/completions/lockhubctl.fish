# SPDX-License-Identifier: LGPL-2.1-or-later
# fish completion for lockhubctl(1)

function __lockhubctl_locks
    lockhubctl --no-ask-password list --names 2>/dev/null
end

function __lockhubctl_users
    lockhubctl --no-ask-password user list --names 2>/dev/null
end

set -l commands access backup battery calibrate cancel care code doctor fix help holiday list lock lock-n-go log monitor pair reboot record \
    refresh rename reset restore rules scan schedule set-pin settings show signal status support-bundle sync-clock timer unlatch unlock unpair user version
set -l operations lock unlock unlatch lock-n-go refresh calibrate reboot sync-clock set-pin pair unpair
set -l on_lock lock unlock unlatch lock-n-go refresh calibrate reboot sync-clock set-pin settings reset unpair rename show \
    monitor battery signal log record doctor fix report support-bundle rules

complete -c lockhubctl -f
complete -c lockhubctl -n "not __fish_seen_subcommand_from $commands" -a battery -d 'Show the batteries'
complete -c lockhubctl -n "not __fish_seen_subcommand_from $commands" -a backup -d 'Write everything to an encrypted file'
complete -c lockhubctl -n '__fish_seen_subcommand_from backup' -a 'list verify'
complete -c lockhubctl -n '__fish_seen_subcommand_from backup restore' -F
complete -c lockhubctl -n '__fish_seen_subcommand_from backup restore' -l passphrase-file -r -d 'The passphrase is its first line'
complete -c lockhubctl -n '__fish_seen_subcommand_from backup' -l with-passwords -d 'With the password of the MQTT broker'
complete -c lockhubctl -n "not __fish_seen_subcommand_from $commands" -a restore -d 'Bring a backup back'
complete -c lockhubctl -n '__fish_seen_subcommand_from restore' -l into -r -d 'The state folder of a new hub'
complete -c lockhubctl -n "not __fish_seen_subcommand_from $commands" -a calibrate -d 'Let a lock find its end positions'
complete -c lockhubctl -n "not __fish_seen_subcommand_from $commands" -a cancel -d 'Take back an operation'
complete -c lockhubctl -n "not __fish_seen_subcommand_from $commands" -a care -d 'What is due, and guided care'
complete -c lockhubctl -n "not __fish_seen_subcommand_from $commands" -a help -d 'Explain a command'
complete -c lockhubctl -n "not __fish_seen_subcommand_from $commands" -a list -d 'List the locks'
complete -c lockhubctl -n "not __fish_seen_subcommand_from $commands" -a lock -d 'Lock a door'
complete -c lockhubctl -n "not __fish_seen_subcommand_from $commands" -a lock-n-go -d 'Unlock, and lock a little later'
complete -c lockhubctl -n "not __fish_seen_subcommand_from $commands" -a log -d 'Show who locked and unlocked'
complete -c lockhubctl -n "not __fish_seen_subcommand_from $commands" -a monitor -d 'Show changes as they happen'
complete -c lockhubctl -n "not __fish_seen_subcommand_from $commands" -a pair -d 'Add a lock'
complete -c lockhubctl -n "not __fish_seen_subcommand_from $commands" -a reboot -d 'Restart the electronics of a lock'
complete -c lockhubctl -n "not __fish_seen_subcommand_from $commands" -a record -d 'Write down what is said to a lock'
complete -c lockhubctl -n "not __fish_seen_subcommand_from $commands" -a refresh -d 'Read the state now'
complete -c lockhubctl -n "not __fish_seen_subcommand_from $commands" -a rename -d 'Give a lock another name'
complete -c lockhubctl -n "not __fish_seen_subcommand_from $commands" -a scan -d 'Look for locks in reach'
complete -c lockhubctl -n "not __fish_seen_subcommand_from $commands" -a set-pin -d 'Give the hub the PIN of a lock'
complete -c lockhubctl -n "not __fish_seen_subcommand_from $commands" -a settings -d 'What a lock lets people choose'
complete -c lockhubctl -n "not __fish_seen_subcommand_from $commands" -a reset -d 'Reset a lock and put back what it had'
complete -c lockhubctl -n '__fish_seen_subcommand_from reset' -l restore -d 'It has been reset'
complete -c lockhubctl -n '__fish_seen_subcommand_from reset' -l for-sale -d 'Wipe it'
complete -c lockhubctl -n '__fish_seen_subcommand_from reset' -l no-backup -d 'Do not back up'
complete -c lockhubctl -n '__fish_seen_subcommand_from settings' -l read -d 'Ask the lock now'
complete -c lockhubctl -n '__fish_seen_subcommand_from settings' -l json -d 'Print JSON'
complete -c lockhubctl -n "not __fish_seen_subcommand_from $commands" -a show -d 'Show all that is known about a lock'
complete -c lockhubctl -n "not __fish_seen_subcommand_from $commands" -a signal -d 'Show how well the radio reaches'
complete -c lockhubctl -n "not __fish_seen_subcommand_from $commands" -a status -d 'Show how the hub is doing'
complete -c lockhubctl -n "not __fish_seen_subcommand_from $commands" -a support-bundle -d 'Put together a file for support'
complete -c lockhubctl -n "not __fish_seen_subcommand_from $commands" -a sync-clock -d 'Set the clock of a lock'
complete -c lockhubctl -n "not __fish_seen_subcommand_from $commands" -a unlatch -d 'Unlock and pull the latch'
complete -c lockhubctl -n "not __fish_seen_subcommand_from $commands" -a unlock -d 'Unlock a door'
complete -c lockhubctl -n "not __fish_seen_subcommand_from $commands" -a unpair -d 'Remove a lock'
complete -c lockhubctl -n "not __fish_seen_subcommand_from $commands" -a version -d 'Show the versions'
complete -c lockhubctl -n "not __fish_seen_subcommand_from $commands" -a access -d 'Who may use which lock'
complete -c lockhubctl -n "not __fish_seen_subcommand_from $commands" -a code -d 'Keypad codes and keys'
complete -c lockhubctl -n "not __fish_seen_subcommand_from $commands" -a holiday -d 'Days in another mode'
complete -c lockhubctl -n "not __fish_seen_subcommand_from $commands" -a doctor -d 'Find out why a lock does not work'
complete -c lockhubctl -n "not __fish_seen_subcommand_from $commands" -a fix -d 'Let the hub do what it can about a fault'
complete -c lockhubctl -n '__fish_seen_subcommand_from doctor' -a security -d 'How well is it protected?'
complete -c lockhubctl -n '__fish_seen_subcommand_from doctor' -s v -l verbose -d 'Show each check'
complete -c lockhubctl -n '__fish_seen_subcommand_from doctor' -s q -l quiet -d 'Ask no lock anything'
complete -c lockhubctl -n '__fish_seen_subcommand_from fix' -a hub -d 'The hub itself'
complete -c lockhubctl -n '__fish_seen_subcommand_from fix' -s y -l yes -d 'Do not ask'
complete -c lockhubctl -n "not __fish_seen_subcommand_from $commands" -a report -d 'Write a page about the health of a lock'
complete -c lockhubctl -n "not __fish_seen_subcommand_from $commands" -a rules -d 'The rules of a lock'
complete -c lockhubctl -n "not __fish_seen_subcommand_from $commands" -a schedule -d 'When people may enter'
complete -c lockhubctl -n "not __fish_seen_subcommand_from $commands" -a timer -d 'What a lock does at a time of day'
complete -c lockhubctl -n "not __fish_seen_subcommand_from $commands" -a user -d 'People'
complete -c lockhubctl -n "__fish_seen_subcommand_from $on_lock" -a '(__lockhubctl_locks)'
complete -c lockhubctl -n '__fish_seen_subcommand_from log' -a verify -d 'Check the chain of entries'
complete -c lockhubctl -n '__fish_seen_subcommand_from help' -a "$commands"

complete -c lockhubctl -s h -l help -d 'Show help'
complete -c lockhubctl -l version -d 'Show the version'
complete -c lockhubctl -l timeout -x -d 'Wait so long for an outcome'
complete -c lockhubctl -l color -x -a 'auto always never' -d 'When to use colours'
complete -c lockhubctl -l no-ask-password -d 'Let polkit refuse instead of asking'
complete -c lockhubctl -l bus-address -x -d 'D-Bus address'
complete -c lockhubctl -l system-bus -d 'Use the system bus'
complete -c lockhubctl -n "__fish_seen_subcommand_from $operations list status show monitor log battery signal scan rename" \
    -l json -d 'Print JSON'
complete -c lockhubctl -n "__fish_seen_subcommand_from $operations" -l no-wait -d 'Do not wait for the outcome'
complete -c lockhubctl -n '__fish_seen_subcommand_from list' -l names -d 'Only the names'
complete -c lockhubctl -n '__fish_seen_subcommand_from battery' -l read -d 'Ask the locks now'
complete -c lockhubctl -n '__fish_seen_subcommand_from lock-n-go' -l unlatch -d 'Pull the latch too'
complete -c lockhubctl -n '__fish_seen_subcommand_from log' -s n -l lines -x -d 'Newest N entries'
complete -c lockhubctl -n '__fish_seen_subcommand_from log' -s f -l follow -d 'Go on with new entries'
complete -c lockhubctl -n '__fish_seen_subcommand_from log' -s S -l since -x -a 'now today yesterday' -d 'From then on'
complete -c lockhubctl -n '__fish_seen_subcommand_from log' -s U -l until -x -a 'now today yesterday' -d 'Before then'
complete -c lockhubctl -n '__fish_seen_subcommand_from log' -s l -l lock -x -a '(__lockhubctl_locks)' -d 'Only this lock'
complete -c lockhubctl -n '__fish_seen_subcommand_from log' -s u -l user -x -d 'Only this person'
complete -c lockhubctl -n '__fish_seen_subcommand_from log' -s t -l type -x -d 'Only such entries' \
    -a 'locked unlocked unlatched jammed wrong_code denied door_opened door_closed battery_low fault'
complete -c lockhubctl -n '__fish_seen_subcommand_from pair unpair' -s y -l yes -d 'Do not ask'
complete -c lockhubctl -n '__fish_seen_subcommand_from pair' -l name -x -d 'What it shall be called'
complete -c lockhubctl -n '__fish_seen_subcommand_from pair' -l app -d 'Register as an app'
complete -c lockhubctl -n '__fish_seen_subcommand_from pair scan record signal' -l seconds -x -d 'Do it for so many seconds'
complete -c lockhubctl -n '__fish_seen_subcommand_from pair set-pin' -l pin-stdin -d 'Read the PIN from standard input'
complete -c lockhubctl -n '__fish_seen_subcommand_from report support-bundle' -s o -l output -r -F -d 'Write it there'
complete -c lockhubctl -n '__fish_seen_subcommand_from support-bundle' -l attach -r -F -d 'Put a picture or a transcript in'
complete -c lockhubctl -n '__fish_seen_subcommand_from support-bundle' -l text -d 'Print a text for a form or a mail'
complete -c lockhubctl -n '__fish_seen_subcommand_from signal' -l watch -d 'Listen and show it live'
complete -c lockhubctl -n '__fish_seen_subcommand_from pair' -l key-file -r -F -d 'The key that its maker keeps is in it'
complete -c lockhubctl -n '__fish_seen_subcommand_from pair' -l accept-weak -d 'Although its protocol is weak'
complete -c lockhubctl -n '__fish_seen_subcommand_from unpair' -l force -d 'Do not try to reach the lock'
complete -c lockhubctl -n '__fish_seen_subcommand_from unpair' -l no-backup -d 'Do not back up before'

complete -c lockhubctl -n '__fish_seen_subcommand_from log' -a export -d 'Write it to a file'
complete -c lockhubctl -n '__fish_seen_subcommand_from log user' -l csv -d 'Comma-separated values'
complete -c lockhubctl -n '__fish_seen_subcommand_from export' -l with-codes -d 'Encrypted, with the codes'
complete -c lockhubctl -n '__fish_seen_subcommand_from import' -l dry-run -d 'Only say what would be done'
complete -c lockhubctl -n '__fish_seen_subcommand_from export import' -F
set -l words add adopt change edit export grant import learn list remove reveal revoke show sync
complete -c lockhubctl -n "__fish_seen_subcommand_from user; and not __fish_seen_subcommand_from $words" -a 'add edit export import list remove show'
complete -c lockhubctl -n "__fish_seen_subcommand_from code; and not __fish_seen_subcommand_from $words" \
    -a 'add adopt change learn list reveal revoke sync'
complete -c lockhubctl -n "__fish_seen_subcommand_from schedule holiday; and not __fish_seen_subcommand_from $words" -a 'add list remove'
complete -c lockhubctl -n "__fish_seen_subcommand_from timer; and not __fish_seen_subcommand_from $words" -a 'add change list remove'
complete -c lockhubctl -n '__fish_seen_subcommand_from timer; and __fish_seen_subcommand_from add change list remove' \
    -a '(__lockhubctl_locks)'
complete -c lockhubctl -n "__fish_seen_subcommand_from access; and not __fish_seen_subcommand_from $words" -a 'grant revoke show'
complete -c lockhubctl -n "__fish_seen_subcommand_from user code schedule access; and __fish_seen_subcommand_from $words" \
    -a '(__lockhubctl_users)'
complete -c lockhubctl -n '__fish_seen_subcommand_from access holiday adopt learn sync; and __fish_seen_subcommand_from grant revoke add list adopt learn sync' \
    -a '(__lockhubctl_locks)'
complete -c lockhubctl -n '__fish_seen_subcommand_from user code schedule holiday access rules timer' -l json -d 'Print JSON'
complete -c lockhubctl -n '__fish_seen_subcommand_from code access user' -l no-wait -d 'Do not wait for the locks'
complete -c lockhubctl -n '__fish_seen_subcommand_from user code schedule; and __fish_seen_subcommand_from add list' \
    -l lock -x -a '(__lockhubctl_locks)' -d 'At this lock only'
complete -c lockhubctl -n '__fish_seen_subcommand_from add grant' -l valid -x -d 'Only then'
complete -c lockhubctl -n '__fish_seen_subcommand_from code' -l generate -d 'Make up a code and show it once'
complete -c lockhubctl -n '__fish_seen_subcommand_from code' -l digits -x -d 'As many digits'
complete -c lockhubctl -n '__fish_seen_subcommand_from code' -l until -x -d 'Not after'
complete -c lockhubctl -n '__fish_seen_subcommand_from code' -l once -d 'Works one time only'
complete -c lockhubctl -n '__fish_seen_subcommand_from code' -l label -x -d 'What it is'
complete -c lockhubctl -n '__fish_seen_subcommand_from code user' -l type -x -d 'Of which kind'
complete -c lockhubctl -n '__fish_seen_subcommand_from user' -l expires-after -x -d 'Minutes after the first use'
complete -c lockhubctl -n '__fish_seen_subcommand_from edit' -l name -x -d 'The new name'
complete -c lockhubctl -n '__fish_seen_subcommand_from edit timer' -l enable -d 'On, or may enter again'
complete -c lockhubctl -n '__fish_seen_subcommand_from edit timer' -l disable -d 'Off, or may not enter for now'
complete -c lockhubctl -n '__fish_seen_subcommand_from edit unlock unlatch' -l code -d 'Ask for the personal code'
complete -c lockhubctl -n '__fish_seen_subcommand_from edit' -l no-code -d 'Take the personal code away'
complete -c lockhubctl -n '__fish_seen_subcommand_from edit' -l totp -d 'Set up one-time passwords'
complete -c lockhubctl -n '__fish_seen_subcommand_from edit' -l no-totp -d 'No one-time passwords any more'
complete -c lockhubctl -n '__fish_seen_subcommand_from code edit unlock unlatch' -l stdin -d 'Read the secret from standard input'
complete -c lockhubctl -n '__fish_seen_subcommand_from holiday' -l mode -x -d 'Mode' \
    -a 'normal vacation privacy no_remote_lock_unlock passage'

set -l care batteries firmware install key restart
complete -c lockhubctl -n "__fish_seen_subcommand_from care; and not __fish_seen_subcommand_from $care" -a "$care"
complete -c lockhubctl -n '__fish_seen_subcommand_from care' -a '(__lockhubctl_locks)'
complete -c lockhubctl -n '__fish_seen_subcommand_from care' -l json -d 'Print JSON'
complete -c lockhubctl -n "__fish_seen_subcommand_from $care" -s y -l yes -d 'Do not ask'
complete -c lockhubctl -n "__fish_seen_subcommand_from $care" -l no-input -d 'Ask nothing'
complete -c lockhubctl -n "__fish_seen_subcommand_from $care" -l status -d 'Only show where it stands'
complete -c lockhubctl -n "__fish_seen_subcommand_from $care" -l restart -d 'Begin anew'
complete -c lockhubctl -n "__fish_seen_subcommand_from $care" -l skip -x -d 'Leave this step out'
complete -c lockhubctl -n "__fish_seen_subcommand_from $care" -l cycles -x -d 'Move the bolt so many times'
