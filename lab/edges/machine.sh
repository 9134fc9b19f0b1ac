#!/bin/sh
# machine.sh FOLDER NAMESPACE LAYER TREE
# Becomes systemd-nspawn, which boots FOLDER's machine over the layers, in a network name space that is there.
# Runs in a mount name space of its own: what is mounted here goes with the machine, however it ends.
set -eu
folder=$1 namespace=$2 layer=$3 tree=$4
mount -t overlay overlay -o "lowerdir=$layer:$tree,upperdir=$folder/upper,workdir=$folder/work" "$folder/root"
# nspawn mounts /sys before it enters the name space: the machine would see this machine's ports.
nsenter --net="/run/netns/$namespace" mount -t sysfs sysfs "$folder/sys"
# containerd's own overlays do not lie on an overlay.
exec systemd-nspawn --quiet --register=no --keep-unit --link-journal=no --resolv-conf=off --timezone=off \
	--private-users=no --capability=all --system-call-filter="add_key keyctl bpf @memlock" --bind=/dev/kmsg \
	--machine="$(cat "$folder/root/etc/hostname")" --hostname="$(cat "$folder/root/etc/hostname")" \
	--directory="$folder/root" --network-namespace-path="/run/netns/$namespace" \
	--bind-ro="$folder/sys/class/net:/sys/class/net" --bind-ro="$folder/sys/devices/virtual/net:/sys/devices/virtual/net" \
	--bind="$folder/containerd:/var/lib/containerd" --bind="$folder/kubelet:/var/lib/kubelet" \
	--bind="$folder/etcd:/var/lib/etcd" --boot
