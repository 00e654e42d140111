# Completion of rsprof for bash.
_rsprof() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}
    local profile="--cpu-freq --heap --heap-interval --budget --window --source-map"
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        COMPREPLY=($(compgen -W "serve list watch snapshot doctor symbolize --help --version" -- "$word"))
        return
    fi
    case $before in
    --heap) COMPREPLY=($(compgen -W "auto hook uprobe off" -- "$word")) && return ;;
    --format) COMPREPLY=($(compgen -W "json folded pprof firefox" -- "$word")) && return ;;
    --workspace) COMPREPLY=($(compgen -d -- "$word")) && return ;;
    -o) COMPREPLY=($(compgen -f -- "$word")) && return ;;
    --cpu-freq | --heap-interval | --budget | --window | --source-map | --duration) return ;;
    esac
    local pids="" options=""
    case $command in
    serve) options=$profile ;;
    list) options="--all --json" ;;
    watch) options="$profile --workspace" ;;
    snapshot) options="$profile --workspace --duration --format --output" ;;
    doctor) options=--json ;;
    symbolize) COMPREPLY=($(compgen -f -- "$word")) && return ;;
    esac
    case $command in watch | snapshot | doctor) pids=$(rsprof list 2>/dev/null | awk '$1 ~ /^[0-9]+$/ { print $1 }') ;; esac
    COMPREPLY=($(compgen -W "$options $pids" -- "$word"))
}
complete -F _rsprof rsprof
