#!/bin/sh
# Fuzzes framing, JSON-RPC and the language server: sh tests/lsp/fuzz/run.sh [SECONDS [SEED]], 10 by default. With a seed,
# mutations are drawn alike each time.
# DEBIAN_SOURCES: where the source of cJSON is (default: the build folder). FUZZ_DIR: where to build and keep the corpus (default: a
# temporary folder that goes away when all is well).
set -eu
seconds=${1:-10}
seed=${2:-0}
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
cjson=${DEBIAN_SOURCES:-$root/build}/cjson
work=${FUZZ_DIR:-$(mktemp -d)}
mkdir -p "$work/corpus"

cd "$root/server"
${CLANG:-clang} -std=gnu11 -D_GNU_SOURCE -DRSPROF_VERSION='"fuzz"' -g -O1 -fsanitize=fuzzer,address,undefined \
    -fno-sanitize-recover=all -I. -I../bpf -isystem "$cjson" "$here/fuzz_server.c" lsp/*.c rpc/*.c export/*.c profile/*.c \
    base/*.c "$cjson/cJSON.c" -l:libev.a -l:libiberty.a -l:libz.a -lm -o "$work/fuzz_server"
# The server says on stderr why a stream was broken: libFuzzer must not show that for every input.
"$work/fuzz_server" -close_fd_mask=2 -max_total_time="$seconds" -seed="$seed" -max_len=16384 -timeout=10 -rss_limit_mb=2048 -only_ascii=0 \
    -dict="$here/words.dict" -print_final_stats=1 -artifact_prefix="$work/" "$work/corpus" "$here/corpus" >"$work/log" 2>&1 || {
    tail -60 "$work/log"
    echo "FAILED: the input is in $work"
    exit 1
}
grep -E 'cov:|stat::(number_of_executed_units|peak_rss_mb)' "$work/log" | tail -3
[ -n "${FUZZ_DIR:-}" ] || rm -rf "$work"
