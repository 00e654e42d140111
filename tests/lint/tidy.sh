#!/bin/sh
# clang-tidy over every C file of the server, as .clang-tidy says. usage: tidy.sh SOURCE_DIR BUILD_DIR
set -eu
output=$(run-clang-tidy -quiet -p "$2" -j "$(nproc)" "$1/server/.*\.c" 2>/dev/null) || {
    echo "$output" | grep -vE '^clang-tidy|^$'
    exit 1
}
