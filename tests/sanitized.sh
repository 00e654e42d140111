#!/bin/sh
# Unit tests, and the server's tests as a client sees it, under address and undefined behaviour sanitizers. There are no threads
# to watch. usage: sanitized.sh SOURCE_DIR BUILD_DIR; needs RSPROF_TARGET_BIN and RSPROF_TARGET_SRC as tests/lsp/run.sh does.
set -eu
cmake -S "$1" -B "$2/sanitized" -G Ninja -DCMAKE_BUILD_TYPE=Debug -DRSPROF_SANITIZE=address,undefined \
    -DDEBIAN_SOURCES="$2" >/dev/null
cmake --build "$2/sanitized" --target unit_tests rsprof
ctest --test-dir "$2/sanitized" -L unit --output-on-failure --no-tests=error
cd "$1/tests/lsp"
RSPROF=$2/sanitized/server/rsprof exec sh run.sh protocol.test.mjs stream.test.mjs standard.test.mjs live.test.mjs
