# Becomes a container: run as root, as the first process of a new PID namespace, in new mount, IPC and UTS namespaces.
#   POD_ROOT     empty directory, becomes the root of the container: read-only, nothing writable but the volumes
#   POD_CGROUP   directory of its memory cgroup      POD_CGROUP_AT  where the container sees it, below /sys/fs/cgroup
#   POD_NODE     the node binary                     POD_APP        what the image has in /app
#   POD_VOLUMES  lines of `ro|rw directory mount-path`   POD_HOSTNAME   name of the pod
#   POD_UID, POD_GID, POD_GROUPS, POD_CAPS (keep or drop), POD_WRITABLE_ROOT (true or false), POD_NO_NEW_PRIVS
# The command is "$@"; it replaces this shell and is process 1.
set -eu
mount --make-rprivate /
mount -t tmpfs -o mode=755,size=1m commander-root "$POD_ROOT"
cd "$POD_ROOT"
for directory in usr bin lib lib64 etc/ssl etc/alternatives; do
  [ -e "/$directory" ] || continue
  mkdir -p "$directory"
  mount --rbind "/$directory" "$directory"
  mount -o remount,bind,ro "$directory"
done
for file in etc/passwd etc/group etc/hosts etc/nsswitch.conf etc/resolv.conf etc/ld.so.cache; do
  [ -e "/$file" ] || continue
  touch "$file"
  mount --bind "/$file" "$file"
  mount -o remount,bind,ro "$file"
done
mkdir -p proc dev opt/bin app tmp "sys/fs/cgroup$POD_CGROUP_AT"
mount -t proc -o nosuid,nodev,noexec proc proc
for device in null zero full random urandom; do
  touch "dev/$device"
  mount --bind "/dev/$device" "dev/$device"
done
touch opt/bin/node
mount --bind "$POD_NODE" opt/bin/node
mount -o remount,bind,ro opt/bin/node
mount --bind "$POD_APP" app
mount -o remount,bind,ro app
mount --bind "$POD_CGROUP" "sys/fs/cgroup$POD_CGROUP_AT"
mount -o remount,bind,ro "sys/fs/cgroup$POD_CGROUP_AT"
printf '%s\n' "$POD_VOLUMES" | while read -r mode directory path; do
  [ -n "$directory" ] || continue
  mkdir -p ".$path"
  mount --bind "$directory" ".$path"
  [ "$mode" = rw ] || mount -o remount,bind,ro ".$path"
done
[ "$POD_WRITABLE_ROOT" = true ] || mount -o remount,ro "$POD_ROOT"
hostname "$POD_HOSTNAME"

set -- env -C /app -u POD_ROOT -u POD_CGROUP -u POD_CGROUP_AT -u POD_NODE -u POD_APP -u POD_VOLUMES -u POD_HOSTNAME \
  -u POD_UID -u POD_GID -u POD_GROUPS -u POD_CAPS -u POD_WRITABLE_ROOT -u POD_NO_NEW_PRIVS -u OLDPWD -u PWD "$@"
[ "$POD_NO_NEW_PRIVS" = true ] && set -- --no-new-privs -- "$@" || set -- -- "$@"
[ "$POD_CAPS" = drop ] && set -- --bounding-set=-all --inh-caps=-all "$@"
[ -n "$POD_GROUPS" ] && set -- --groups "$POD_GROUPS" "$@" || set -- --clear-groups "$@"
# A change of the user clears the one that was asked for before.
set -- --reuid "$POD_UID" --regid "$POD_GID" --pdeathsig KILL "$@"
# Last: what this shell needed is not charged to the container.
echo 0 >"$POD_CGROUP/cgroup.procs"
exec unshare --cgroup chroot "$POD_ROOT" setpriv "$@"
