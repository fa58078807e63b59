#!/usr/bin/env bash
# A base for services/Dockerfile, from packages of Debian and this machine's node, as a tar archive: usage `base.sh FILE.tar`.
set -euo pipefail

# shellcheck disable=SC1091
. /etc/os-release
packages=base-files,base-passwd,ca-certificates,coreutils,dash,libc6,libgcc-s1,libstdc++6
node="$(readlink -f "$(command -v node)")"
without=()
for folder in doc man locale lintian; do without+=(--dpkgopt="path-exclude=/usr/share/$folder/*"); done
# Unpacked and not configured, which takes seconds: nothing in there needs more.
mmdebstrap --quiet --variant=extract --include="$packages" "${without[@]}" \
  --extract-hook='ln -sf dash "$1/bin/sh"' \
  --extract-hook="install -D '$node' \"\$1/usr/local/bin/node\"" \
  "$VERSION_CODENAME" "$1"
