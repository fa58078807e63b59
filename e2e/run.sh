#!/usr/bin/env bash
# Real engines, real registry, real network: `npm run test:e2e`.
# With `--run COMMAND...` that command runs in there instead of the tests; so do benches that need links.
#
# Installs what is missing, then runs the tests in namespaces of their own (mounts, network, processes), so that whatever
# happens in there, a killed run included, the kernel ends every process and undoes every mount and link with it.
set -euo pipefail
cd "$(dirname "$0")/.."

images=
if [ "${1-}" = --run ]; then
  shift
else
  [ $# -gt 0 ] && [[ "$*" != *images* ]] || images=yes
  # Not the end of a hanging test, which has a limit of its own, but of a hanging runner.
  set -- timeout --foreground --kill-after=10 900 \
    node node_modules/jest/bin/jest.js --config e2e/jest.config.js --runInBand "$@"
fi

fail() {
  echo "test:e2e: $*" >&2
  exit 1
}

# What is needed, as command:package of Debian.
needs=(docker-registry:docker-registry dockerd:docker.io docker:docker.io containerd:containerd ctr:containerd
  runc:runc skopeo:skopeo podman:podman strace:strace ip:iproute2 tc:iproute2 nsenter:util-linux setpriv:util-linux
  unshare:util-linux)
# Of a bench that needs more.
# shellcheck disable=SC2206
needs+=(${E2E_NEEDS-})
[ -z "$images" ] || needs+=(mmdebstrap:mmdebstrap)
# The daemons live in sbin, which a user's PATH may leave out.
export PATH="$PATH:/usr/sbin:/sbin"

missing=()
for need in "${needs[@]}"; do
  if ! command -v "${need%%:*}" >/dev/null && [[ " ${missing[*]-} " != *" ${need#*:} "* ]]; then
    missing+=("${need#*:}")
  fi
done

[ "$(uname -s)" = Linux ] || fail "needs Linux, this is $(uname -s)."
[ "$(id -u)" -eq 0 ] || fail "needs root (network namespaces, dockerd)${missing[*]:+; also missing: ${missing[*]}}."
if [ ${#missing[@]} -gt 0 ]; then
  (. /etc/os-release && [[ " $ID ${ID_LIKE-} " == *" debian "* ]]) && command -v apt-get >/dev/null ||
    fail "missing: ${missing[*]}. They are installed by themselves on Debian only; install them and try again."
  bash e2e/install-packages.sh "${missing[@]}"
fi
unshare --mount --net --pid --fork --kill-child true 2>/dev/null ||
  fail "may not make namespaces; run it with CAP_SYS_ADMIN, such as in a privileged container."

# Not in TMPDIR: the path of a socket may have 107 characters, and the engines put theirs deep in there.
scratch="$(mktemp -d /tmp/dragonfly-e2e.XXXXXX)"
world=
cleanup() {
  [ -z "$world" ] || kill -KILL "$world" 2>/dev/null || true
  rm -rf --one-file-system "$scratch"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

if [ -n "$images" ]; then
  npm run --silent bundle
  # Here, since in there nobody reaches the archive of Debian.
  bash e2e/images/base.sh "$scratch/base.tar"
fi

# In the background, so that a signal is not held back until the tests end. Whoever ends `unshare` ends all that is in it,
# and it ends with this script however that ends.
E2E_SCRATCH="$scratch" setpriv --pdeathsig KILL unshare --mount --net --pid --fork --kill-child --mount-proc -- bash e2e/inside.sh "$@" &
world=$!
status=0
wait "$world" || status=$?
world=

# The tests check from within that they leave nothing; this looks for what would have got out.
if grep -F "$scratch" /proc/mounts || grep -lsF "$scratch" /proc/[0-9]*/cmdline; then
  fail "left mounts or processes behind, see above."
fi
exit "$status"
