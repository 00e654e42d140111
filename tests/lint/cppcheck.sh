#!/bin/sh
# cppcheck over every C file of the server. usage: cppcheck.sh BUILD_DIR
# comparePointers: distances between labels of one piece of assembly. memleak: it does not follow cleanup attributes.
set -eu
exec cppcheck --project="$1/compile_commands.json" --file-filter='*/server/*' --enable=warning,performance,portability --library="$(dirname "$0")/libbpf.cfg" \
    --suppress=comparePointers --suppress=memleak --error-exitcode=1 --inline-suppr --quiet -j "$(nproc)"
