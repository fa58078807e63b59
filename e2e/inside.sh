#!/usr/bin/env bash
# The part of run.sh that runs as process 1 of the test's own namespaces: usage `inside.sh COMMAND...`.
set -euo pipefail
cd "$(dirname "$0")/.."

# Whatever the engines write outside their folders (keys, caches, plug-in folders) goes to memory, unseen by anybody else.
mount -t tmpfs -o mode=0755 e2e /run
for folder in /etc /var/lib; do
  layer="/run/e2e$folder"
  mkdir -p "$layer/upper" "$layer/work"
  mount -t overlay -o "lowerdir=$folder,upperdir=$layer/upper,workdir=$layer/work" e2e "$folder"
done
mkdir -p /run/netns
mount -t tmpfs e2e /run/netns
mount --make-shared /run/netns

# dockerd starts only where control groups are mounted.
if ! grep -qE '^[^ ]+ /sys/fs/cgroup cgroup2 |^[^ ]+ [^ ]+ cgroup [^ ]*\bdevices\b' /proc/mounts; then
  mount -t cgroup2 e2e /sys/fs/cgroup
fi
ip link set lo up

"$@"
