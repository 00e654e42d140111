#!/bin/sh
# One spec in one headless Neovim, with folders of its own, so that no state of the user is seen or left.
# usage: spec.sh NVIM FILE
set -u
cd "$(dirname "$0")" || exit 1
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
RSPROF_SPEC=$2 HOME=$home XDG_STATE_HOME=$home XDG_CACHE_HOME=$home XDG_DATA_HOME=$home XDG_CONFIG_HOME=$home \
    timeout 60 "$1" --headless -u NONE --clean -c 'luafile harness.lua'
