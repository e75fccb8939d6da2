# SPDX-License-Identifier: LGPL-2.1-or-later
# bash completion for lockhubctl(1)

_lockhubctl_locks() {
    # Only what is answered at once: a completion must not ask for a password or wait.
    lockhubctl --no-ask-password list --names 2>/dev/null
}

_lockhubctl() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
    local commands='battery calibrate cancel help list lock lock-n-go log monitor pair reboot record refresh
        rename scan set-pin show signal status sync-clock unlatch unlock unpair version'
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
                user_changed' -- "$cur")
            return
            ;;
        -S | --since | -U | --until)
            mapfile -t COMPREPLY < <(compgen -W 'now today yesterday' -- "$cur")
            return
            ;;
        -n | --lines | --timeout | --seconds | --name | --bus-address | -u | --user)
            return
            ;;
    esac

    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        case $word in
            --color | --lock | --type | --since | --until | --lines | --timeout | --seconds | --name | \
                --bus-address | --user | -l | -t | -S | -U | -n | -u)
                ((i++))
                ;;
            -*) ;;
            *)
                if [[ -z $command ]]; then
                    command=$word
                else
                    ((n_args++))
                fi
                ;;
        esac
    done

    case $command in
        '') options='' ;;
        list) options='--json --names' ;;
        status | show | monitor | signal | rename) options='--json' ;;
        battery) options='--json --read' ;;
        log) options='--json --lines --follow --since --until --lock --user --type' ;;
        scan) options='--json --seconds' ;;
        record) options='--seconds' ;;
        pair) options='--json --no-wait --name --app --yes --pin-stdin --seconds' ;;
        unpair) options='--json --no-wait --force --yes' ;;
        set-pin) options='--json --no-wait --pin-stdin' ;;
        lock-n-go) options='--json --no-wait --unlatch' ;;
        lock | unlock | unlatch | refresh | calibrate | reboot | sync-clock) options='--json --no-wait' ;;
    esac

    if [[ $cur == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options $common" -- "$cur")
        return
    fi
    case $command in
        '') mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$cur") ;;
        help) ((n_args == 0)) && mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$cur") ;;
        log) ((n_args == 0)) && mapfile -t COMPREPLY < <(compgen -W "verify $(_lockhubctl_locks)" -- "$cur") ;;
        show | monitor | battery | signal)
            mapfile -t COMPREPLY < <(compgen -W "$(_lockhubctl_locks)" -- "$cur")
            ;;
        lock | unlock | unlatch | lock-n-go | refresh | calibrate | reboot | sync-clock | set-pin | unpair | rename | record)
            ((n_args == 0)) && mapfile -t COMPREPLY < <(compgen -W "$(_lockhubctl_locks)" -- "$cur")
            ;;
    esac
    return 0
}

complete -F _lockhubctl lockhubctl
