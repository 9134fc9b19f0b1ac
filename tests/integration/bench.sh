#!/bin/sh
# A bench of its own for a lab under test: name spaces for network, mounts, processes and control groups,
# so that it neither sees nor harms a lab that runs on this machine. Sleeps until it is killed; all that was
# made on the bench goes with it.
# bench.sh HOME GROUP...
#   HOME    directory of the lab that runs on this machine ("none" if there is none): its mounts are let go of
#   GROUP   one control group in each hierarchy of this machine, made and removed by the caller
set -eu
if [ "$1" != --inside ]; then
	home=$1
	shift
	for group in "$@"; do
		echo $$ >"$group/cgroup.procs"
	done
	exec unshare --mount --net --pid --fork --cgroup --mount-proc --kill-child=KILL \
		--propagation private "$0" --inside "$home"
fi
# A copy of another lab's mount would keep its loop device or name space alive after its end.
awk '{ print $5 }' /proc/self/mountinfo | tac | while read -r mount; do
	case $mount in
	"$2"/* | /run/netns/*) umount --lazy "$mount" 2>/dev/null || true ;;
	esac
done
hierarchies=$(cd /sys/fs/cgroup && echo *)
unified=$([ ! -e /sys/fs/cgroup/cgroup.controllers ] || echo yes)
mount -t tmpfs -o mode=755 tmpfs /run
mkdir /run/netns /run/lock
mount -t sysfs sysfs /sys
if [ "$unified" ]; then
	mount -t cgroup2 cgroup2 /sys/fs/cgroup
else
	mount -t tmpfs tmpfs /sys/fs/cgroup
	for hierarchy in $hierarchies; do
		mkdir "/sys/fs/cgroup/$hierarchy"
		case $hierarchy in
		unified) mount -t cgroup2 cgroup2 "/sys/fs/cgroup/$hierarchy" ;;
		systemd) mount -t cgroup -o none,name=systemd cgroup "/sys/fs/cgroup/$hierarchy" ;;
		*) mount -t cgroup -o "$hierarchy" cgroup "/sys/fs/cgroup/$hierarchy" ;;
		esac
	done
fi
ip link set lo up
echo ready
# Reaps the orphans of whatever is killed here, as the first process of a machine does.
while :; do
	sleep 1
done
