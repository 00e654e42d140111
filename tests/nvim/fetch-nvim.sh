#!/bin/sh
# A newer Neovim beside the system's: packages of another Debian suite, unpacked in a folder of their own. Nothing is
# installed and the system's libc stays as it is: the copy runs with the loader and the libraries of its suite.
# usage: fetch-nvim.sh SUITE FOLDER      gives FOLDER/bin/nvim; does nothing where it is there already
set -eu
suite=$1 folder=$2
[ -x "$folder/bin/nvim" ] && exit 0

command -v patchelf >/dev/null || { echo "patchelf is missing: apt-get install patchelf" >&2; exit 1; }

work=$folder.part
rm -rf "$work"
mkdir -p "$work/tree" "$work/bin" "$work/lib"
# An empty list of installed packages makes apt bring everything that Neovim needs, libc included.
apt() { sh "$(dirname "$0")/../apt-suite.sh" "$suite" "$work" get -y --no-install-recommends "$@"; }
apt update
apt --download-only install neovim >/dev/null

for package in "$work"/archives/neovim*.deb "$work"/archives/lib*.deb "$work"/archives/lua*.deb; do
    dpkg-deb --fsys-tarfile "$package" | tar -x -C "$work/tree" --exclude=./usr/share/doc --keep-directory-symlink
done
rm -rf "$work/lists" "$work/archives"

libraries=$(dirname "$(find "$work/tree" -name libc.so.6 | head -n 1)")
cp "$(readlink -f "$work/tree/usr/bin/nvim")" "$work/bin/nvim.real"
ln -s ../tree/usr/lib/nvim "$work/lib/nvim" # Neovim looks for its parsers beside its own binary
final=$(readlink -m "$folder")
patchelf --force-rpath --set-rpath "$final/${libraries#"$work"/}:$final/tree/usr/lib/x86_64-linux-gnu" \
    --set-interpreter "$final/${libraries#"$work"/}/ld-linux-x86-64.so.2" "$work/bin/nvim.real"
cat >"$work/bin/nvim" <<S
#!/bin/sh
export VIMRUNTIME="$final/tree/usr/share/nvim/runtime"
export LOCPATH="\${LOCPATH-$final/tree/usr/lib/locale}"
exec "$final/bin/nvim.real" "\$@"
S
chmod +x "$work/bin/nvim"
rm -rf "$folder"
mv "$work" "$folder"
"$folder/bin/nvim" --version | head -n 1
