#!/usr/bin/env bash
# Installs packages of Debian without letting them start daemons of their own: usage `install-packages.sh PACKAGE...`.
set -euo pipefail

# Debian asks this file whether a service may be started (101: no); one that is there already comes back afterwards.
policy=/usr/sbin/policy-rc.d
before="$(mktemp -d)"
[ ! -e "$policy" ] || cp -a "$policy" "$before/"
restore() {
  rm -f "$policy"
  [ ! -e "$before/policy-rc.d" ] || cp -a "$before/policy-rc.d" "$policy"
  rm -rf "$before"
}
trap restore EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
rm -f "$policy"
printf '#!/bin/sh\nexit 101\n' >"$policy"
chmod 0755 "$policy"

echo "test:e2e: installing $*" >&2
export DEBIAN_FRONTEND=noninteractive
quietly=(-qq -o Dpkg::Use-Pty=0 -o Acquire::Retries=3)
apt-get "${quietly[@]}" update </dev/null >&2
apt-get "${quietly[@]}" install -y --no-install-recommends "$@" </dev/null >&2
