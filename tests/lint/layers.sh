#!/bin/sh
# Each folder of server/ includes only what the layering allows. usage: layers.sh SOURCE_DIR
set -eu
cd "$1/server"
status=0

# check FOLDER ALLOWED-FOLDER...: project includes of FOLDER that are neither its own nor allowed.
check() {
    folder=$1
    shift
    allowed="$folder base"
    for other; do allowed="$allowed $other"; done
    bad=$(grep -rnoE '#include "[a-z_]+/' "$folder" --include='*.[ch]' | while IFS= read -r hit; do
        used=$(printf '%s' "$hit" | sed 's/.*"\([a-z_]*\)\//\1/')
        case " $allowed " in *" $used "*) ;; *) printf '%s\n' "$hit" ;; esac
    done)
    if [ -n "$bad" ]; then
        printf 'server/%s may use %s only:\n%s\n' "$folder" "$allowed" "$bad"
        status=1
    fi
}

# door HEADER FOLDER...: the folders that may include a third party's header.
door() {
    header=$1
    shift
    for folder in */; do
        folder=${folder%/}
        case " $* " in *" $folder "*) continue ;; esac
        if grep -rnE "#include <($header)" "$folder"; then
            echo "server/$folder must not know $header: it stays behind $*"
            status=1
        fi
    done
}

check base
check target
check dwarf
check hook target
check symbolizer dwarf hook
check probe target
check profile dwarf
check session target dwarf symbolizer probe profile hook
check rpc
check export rpc session profile
check lsp rpc export session target profile symbolizer dwarf
check doctor session target symbolizer dwarf probe hook
check cli doctor lsp rpc export session target profile symbolizer dwarf

door 'bpf/' probe
door 'elfutils/|libelf|gelf|dwarf\.h|demangle' dwarf
door 'cJSON' rpc export lsp cli
door 'ev\.h' base
door 'Zydis|Zycore' hook
exit $status
