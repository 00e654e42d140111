#!/bin/sh
# clang-format decides the layout of C. usage: format.sh SOURCE_DIR
set -eu
cd "$1"
find bpf server tests -name '*.[ch]' | xargs clang-format --dry-run -Werror
