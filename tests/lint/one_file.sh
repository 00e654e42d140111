#!/bin/sh
# The program is one file: it needs libc's own libraries only. usage: one_file.sh RSPROF
set -eu
others=$(ldd "$1" | awk '{print $1}' | grep -vE '^(linux-vdso\.so|libc\.so|libm\.so|libpthread\.so|librt\.so|libdl\.so|/lib64/ld-linux)' || true)
[ -z "$others" ] || { echo "also needs: $others"; exit 1; }
