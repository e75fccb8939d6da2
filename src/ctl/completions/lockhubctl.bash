# SPDX-License-Identifier: LGPL-2.1-or-later
# bash completion for lockhubctl(1)

_lockhubctl_locks() {
    # Only what is answered at once: a completion must not ask for a password or wait.
    lockhubctl --no-ask-password list --names 2>/dev/null
}

_lockhubctl_users() {
    lockhubctl --no-ask-password user list --names 2>/dev/null
}

_lockhubctl() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
    local commands='access backup battery calibrate cancel care code help holiday list lock lock-n-go log monitor pair reboot
        record refresh rename report reset restore rules scan schedule set-pin settings show signal status support-bundle sync-clock timer unlatch unlock unpair
        user version'
    local common='--help --version --timeout --color --no-ask-password --bus-address --system-bus'
    local command='' options='' word i n_args=0
    COMPREPLY=()

    # A value belongs to the option before it.
    case $prev in
        --color)
            mapfile -t COMPREPLY < <(compgen -W 'auto always never' -- "$cur")
            return
            ;;
        -l | --lock)
            mapfile -t COMPREPLY < <(compgen -W "$(_lockhubctl_locks)" -- "$cur")
            return
            ;;
        -t | --type)
            mapfile -t COMPREPLY < <(compgen -W 'locked unlocked unlatched lock_failed unlock_failed
                unlatch_failed wrong_code denied jammed wrong_code_limit door_forced door_ajar tamper alarm
                door_opened door_closed door_jammed state_changed battery_ok battery_low battery_critical
                fault fault_cleared log_gap paired unpaired reachable unreachable hub_started hub_stopped
                requested finished failed outcome_unknown setting_changed clock_set renamed
                user_changed code_revealed synced locked_out backed_up restored' -- "$cur")
            return
            ;;
        -S | --since | -U | --until)
            mapfile -t COMPREPLY < <(compgen -W 'now today yesterday' -- "$cur")
            return
            ;;
        -u | --user)
            mapfile -t COMPREPLY < <(compgen -W "$(_lockhubctl_users)" -- "$cur")
            return
            ;;
        --mode)
            mapfile -t COMPREPLY < <(compgen -W 'normal vacation privacy no_remote_lock_unlock passage' -- "$cur")
            return
            ;;
        -o | --output | --attach | --key-file | --passphrase-file | --into)
            compopt -o default 2>/dev/null
            return
            ;;
        -n | --lines | --timeout | --seconds | --name | --bus-address | --valid | --label | --digits | --skip | --cycles | \
            --expires-after)
            return
            ;;
    esac

    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        case $word in
            --color | --lock | --type | --since | --until | --lines | --timeout | --seconds | --name | \
                --bus-address | --user | --valid | --label | --digits | --expires-after | --mode | --skip | --cycles | -l | -t | -S | -U | -n | -u | -o | --output | --attach | \
                --key-file | --passphrase-file | --into)
                ((i++))
                ;;
            -*) ;;
            *)
                if [[ -z $command ]]; then
                    command=$word
                elif [[ $command == @(access|care|code|holiday|schedule|timer|user) || "$command $word" == @(log\ @(export|verify)|doctor\ security) ]]; then
                    command+=" $word"
                else
                    ((n_args++))
                fi
                ;;
        esac
    done

    case $command in
        '') options='' ;;
        list) options='--json --names' ;;
        status | show | monitor | rename) options='--json' ;;
        signal) options='--json --watch --seconds' ;;
        doctor | 'doctor security') options='--json --verbose --quiet' ;;
        fix) options='--json --yes' ;;
        report) options='--output' ;;
        support-bundle) options='--output --attach --text' ;;
        battery | settings) options='--json --read' ;;
        care) options='--json' ;;
        'care restart' | 'care key') options='--json --yes --no-input --status --restart --skip' ;;
        'care '*) options='--json --yes --no-input --status --restart --skip --cycles' ;;
        'log export') options='--csv --since --until --lock --user --type' ;;
        'log verify') options='--json' ;;
        'user export') options='--csv --with-codes --stdin' ;;
        'user import') options='--dry-run --stdin' ;;
        backup) options='--json --passphrase-file --stdin --with-passwords' ;;
        'backup verify') options='--json --passphrase-file --stdin' ;;
        'backup list') options='--json' ;;
        restore) options='--passphrase-file --stdin --into --yes' ;;
        log) options='--json --csv --lines --follow --since --until --lock --user --type' ;;
        scan) options='--json --seconds' ;;
        record) options='--seconds' ;;
        pair) options='--json --no-wait --name --app --yes --pin-stdin --key-file --accept-weak --seconds' ;;
        unpair) options='--json --no-wait --force --no-backup --yes' ;;
        reset) options='--json --restore --for-sale --force --no-backup --yes --pin-stdin --seconds' ;;
        set-pin) options='--json --no-wait --pin-stdin' ;;
        lock-n-go) options='--json --no-wait --unlatch' ;;
        unlock | unlatch) options='--json --no-wait --code --stdin' ;;
        lock | refresh | calibrate | reboot | sync-clock) options='--json --no-wait' ;;
        'user add') options='--json --type --expires-after --lock --valid' ;;
        'user list') options='--json --names' ;;
        'user edit') options='--json --type --expires-after --name --enable --disable --code --no-code --totp
            --no-totp --stdin' ;;
        'user remove') options='--json --no-wait --yes' ;;
        'code add') options='--json --no-wait --lock --generate --digits --stdin --valid --until --once --label
            --type' ;;
        'code change') options='--json --no-wait --generate --stdin' ;;
        'code list' | 'schedule add') options='--json --lock' ;;
        'code revoke') options='--json --no-wait --type' ;;
        'access revoke') options='--json --no-wait' ;;
        'access grant') options='--json --no-wait --valid' ;;
        'code adopt') options='--json --type' ;;
        'code learn') options='--json --no-wait --type --label --seconds' ;;
        'holiday add') options='--json --mode' ;;
        'timer add' | 'timer change') options='--json --enable --disable' ;;
        'user show' | 'access show' | 'code reveal' | 'code sync' | 'schedule '* | 'holiday '* | 'timer '* | rules)
            options='--json'
            ;;
    esac

    if [[ $cur == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options $common" -- "$cur")
        return
    fi
    case $command in
        '') mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$cur") ;;
        user) mapfile -t COMPREPLY < <(compgen -W 'add edit export import list remove show' -- "$cur") ;;
        code) mapfile -t COMPREPLY < <(compgen -W 'add adopt change learn list reveal revoke sync' -- "$cur") ;;
        schedule | holiday) mapfile -t COMPREPLY < <(compgen -W 'add list remove' -- "$cur") ;;
        timer) mapfile -t COMPREPLY < <(compgen -W 'add change list remove' -- "$cur") ;;
        care)
            mapfile -t COMPREPLY < <(compgen -W "batteries firmware install key restart $(_lockhubctl_locks)" -- "$cur")
            ;;
        access) mapfile -t COMPREPLY < <(compgen -W 'grant revoke show' -- "$cur") ;;
        rules)
            ((n_args == 0)) && mapfile -t COMPREPLY < <(compgen -W "$(_lockhubctl_locks)" -- "$cur")
            ((n_args > 0)) && mapfile -t COMPREPLY < <(compgen -W 'zone= factor= mode= wrong-code-limit=
                code-disable-s= open-period-minutes=' -- "$cur")
            ;;
        backup) ((n_args == 0)) && mapfile -t COMPREPLY < <(compgen -W 'list verify' -- "$cur")
            compopt -o default 2>/dev/null ;;
        restore | 'backup verify' | 'user export' | 'user import' | 'log export') compopt -o default 2>/dev/null ;;
        'access grant' | 'access revoke')
            ((n_args == 0)) && mapfile -t COMPREPLY < <(compgen -W "$(_lockhubctl_users)" -- "$cur")
            ((n_args == 1)) && mapfile -t COMPREPLY < <(compgen -W "$(_lockhubctl_locks)" -- "$cur")
            ;;
        'user edit' | 'user remove' | 'user show' | 'code add' | 'code list' | 'schedule add' | 'schedule list' | \
            'access show')
            ((n_args == 0)) && mapfile -t COMPREPLY < <(compgen -W "$(_lockhubctl_users)" -- "$cur")
            ;;
        'code adopt' | 'code learn' | 'code sync' | 'holiday add' | 'holiday list' | 'timer '*)
            ((n_args == 0)) && mapfile -t COMPREPLY < <(compgen -W "$(_lockhubctl_locks)" -- "$cur")
            ;;
        doctor) ((n_args == 0)) && mapfile -t COMPREPLY < <(compgen -W "security $(_lockhubctl_locks)" -- "$cur") ;;
        fix) ((n_args == 0)) && mapfile -t COMPREPLY < <(compgen -W "hub $(_lockhubctl_locks)" -- "$cur") ;;
        'doctor security') ((n_args == 0)) && mapfile -t COMPREPLY < <(compgen -W "$(_lockhubctl_locks)" -- "$cur") ;;
        help) ((n_args == 0)) && mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$cur") ;;
        log) ((n_args == 0)) && mapfile -t COMPREPLY < <(compgen -W "export verify $(_lockhubctl_locks)" -- "$cur") ;;
        settings)
            ((n_args == 0)) && mapfile -t COMPREPLY < <(compgen -W "$(_lockhubctl_locks)" -- "$cur")
            ((n_args > 0)) && mapfile -t COMPREPLY < <(compgen -W 'AutoRelockTime= RelockWhenClosed= EnableAutoUnlock=
                EnableAutoUnlatch= UnlatchTime= LockNGoTime= EnableButton= ButtonSinglePress= ButtonDoublePress=
                FobSinglePress= FobDoublePress= FobTriplePress= EnableInsideStatusLED= LEDBrightness=
                EnableBluetoothPairing= AdvertisingMode= SingleLock= DetachedCylinder= EnableNightMode=
                NightModeStart= NightModeEnd= NightModeRelock= NightModeAutoUnlock= NightModeLockAtStart=
                MotorSpeed= NightModeGentle= TimeZone= TimeZoneOffset= DaylightSaving= EnableAutoUpdate= NodeLabel=
                BatteryType= DetectBatteryType=' -- "$cur")
            ;;
        'care '*) ((n_args == 0)) && mapfile -t COMPREPLY < <(compgen -W "$(_lockhubctl_locks)" -- "$cur") ;;
        show | monitor | battery | signal)
            mapfile -t COMPREPLY < <(compgen -W "$(_lockhubctl_locks)" -- "$cur")
            ;;
        lock | unlock | unlatch | lock-n-go | refresh | calibrate | reboot | sync-clock | set-pin | unpair | rename | record | reset | report | support-bundle)
            ((n_args == 0)) && mapfile -t COMPREPLY < <(compgen -W "$(_lockhubctl_locks)" -- "$cur")
            ;;
    esac
    return 0
}

complete -F _lockhubctl lockhubctl
