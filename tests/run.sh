#!/bin/sh
# Installs what the tests need, builds, and runs every test. usage: run.sh [ctest options, e.g. -L unit]
# RSPROF_BUILD: the build folder (build); RSPROF_CACHE: where editors and kernels are kept between runs.
set -eu
cd "$(dirname "$0")/.."

sh .ci/install.sh build nvim test
build=${RSPROF_BUILD:-build}
cmake -S . -B "$build" -G Ninja >"$build.configure.log" 2>&1 || { cat "$build.configure.log"; exit 1; }
rm -f "$build.configure.log"
cmake --build "$build" -- -k 0

labels=$(ctest --test-dir "$build" --print-labels | sed -n 's/^  //p' | tr '\n' ' ')
echo "labels: $labels"
ctest --test-dir "$build" -j "$(nproc)" --output-on-failure --no-tests=error "$@"
