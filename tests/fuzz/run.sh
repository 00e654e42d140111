#!/bin/sh
# All fuzz targets. usage: run.sh [SECONDS [SEED]], for each target; 1800 by default.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
[ $# -gt 0 ] || set -- 1800
sh "$here/symbols.sh" "$@"
echo "== fuzz_server"
sh "$here/../lsp/fuzz/run.sh" "$@"
