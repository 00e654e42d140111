#!/bin/sh
# Emacs 29 or newer, whose eglot shows inlay hints. Debian 12 has it in its backports only; /etc/apt is left as it is.
# usage: install-emacs.sh CACHE_FOLDER
set -eu
new_enough() { emacs --batch --eval '(kill-emacs (if (>= emacs-major-version 29) 0 1))' 2>/dev/null; }
new_enough && exit 0
export DEBIAN_FRONTEND=noninteractive
. /etc/os-release
if [ "$ID:$VERSION_ID" = debian:12 ]; then
    work=$1/backports
    mkdir -p "$work/lists/partial"
    mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | head -n 1)
    keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    echo "deb [signed-by=$keyring] $mirror bookworm-backports main" >"$work/backports.list"
    apt-get indextargets --format 'deb $(SITE) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' | sort -u |
        sed "s|^deb |deb [signed-by=$keyring] |" >"$work/release.list"
    set -- -qq -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$work" -o Dir::State::lists="$work/lists" \
        -o Acquire::Languages=none
    apt-get "$@" update
    apt-get "$@" install -y --no-install-recommends -t bookworm-backports emacs-nox
else
    apt-get -qq install -y --no-install-recommends emacs-nox
fi
new_enough
