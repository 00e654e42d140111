#!/bin/sh
# A picture of a real terminal: xterm under Xvfb, Neovim with the plugin, the real server and a program under load.
# usage: picture.sh NVIM OUT.png dark|light SECONDS [COMMAND]
# The command is one of Neovim's, run two seconds before the picture. RSPROF, RSPROF_TARGET_BIN, RSPROF_TARGET_SRC: see run.sh
set -eu
: "${RSPROF:?}" "${RSPROF_TARGET_BIN:?}" "${RSPROF_TARGET_SRC:?}"
nvim=$1 out=$2 shade=$3 seconds=$4 command=${5-}
plugin=$(cd "$(dirname "$0")/../../editors/nvim" && pwd)
background='#1e1e1e' foreground='#d4d4d4'
[ "$shade" = dark ] || { background=white foreground=black; }
home=$(mktemp -d)
"$RSPROF_TARGET_BIN" --seconds 120 >/dev/null &
target=$!
mkfifo "$home/display"
Xvfb -displayfd 3 -screen 0 1018x572x24 -nolisten tcp 3>"$home/display" >/dev/null 2>&1 &
screen=$!
terminal=
trap 'kill $terminal $target $screen 2>/dev/null; rm -rf "$home"' EXIT
DISPLAY=:$(head -n 1 "$home/display")
export DISPLAY LC_ALL=C.UTF-8 COLORTERM=truecolor HOME="$home"
cd "$(dirname "$RSPROF_TARGET_SRC")"
xterm -fa 'DejaVu Sans Mono' -fs 11 -geometry 112x30+0+0 -bg "$background" -fg "$foreground" +sb -e "$nvim" -u NONE --clean \
    --cmd "set rtp^=$plugin noswapfile termguicolors background=$shade number signcolumn=yes" \
    --cmd 'filetype plugin on | syntax on' \
    --cmd "lua vim.g.rsprof = { server = '$RSPROF' }" -c "Rsprof attach $target" \
    -c "lua vim.defer_fn(function() vim.cmd([[$command]]) end, ($seconds - 2) * 1000)" "$RSPROF_TARGET_SRC" &
terminal=$!
sleep "$seconds"
import -window root "$out"
