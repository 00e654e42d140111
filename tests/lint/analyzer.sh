#!/bin/sh
# gcc's static analyzer over every C file of the server. usage: analyzer.sh SOURCE_DIR BUILD_DIR
# malloc-leak: it loses what is pushed into a vector; leaks are the sanitizers' work (tests/sanitized.sh).
set -eu
cmake -S "$1" -B "$2/analyzed" -G Ninja -DBUILD_TESTING=OFF -DCMAKE_BUILD_TYPE=None -DDEBIAN_SOURCES="$2" \
    -DCMAKE_C_FLAGS='-O1 -fanalyzer -Wno-analyzer-malloc-leak' >/dev/null
exec cmake --build "$2/analyzed"
