#!/bin/bash
# deploy_image.sh TREE OVERLAY OUT.raw
# A whole-disk image (GPT, one ext4 root), made without a virtual machine and without a mount.
# It has no boot loader: the firmware of a simulated machine starts the root file system itself.
set -euo pipefail
tree=$1 overlay=$2 out=$3
root=$out.root
rm -rf "$root"
cp -a "$tree" "$root"
# Modes do not depend on the umask of who checked the files out.
tar -C "$overlay" --owner=0 --group=0 --mode=u=rwX,go=rX -c . | tar -C "$root" -xp
wants=$root/etc/systemd/system/multi-user.target.wants
mkdir -p "$wants"
ln -sf /usr/lib/systemd/system/lab-platform.service "$wants/"
dpkg-query --admindir="$root/var/lib/dpkg" -W > "$out.packages"
# A quarter more than is used; the first boot grows the root to the disk's size.
used=$(du -sm --apparent-size "$root" | cut -f1)
size=$(((used * 5 / 4 + 128) / 64 * 64))
rm -f "$out" "$out.fs"
truncate -s $((size - 2))M "$out.fs"
mkfs.ext4 -q -L root -m 1 -d "$root" "$out.fs"
truncate -s ${size}M "$out"
printf 'label: gpt\nstart=2048, size=%d, type=linux, name=root\n' $(((size - 2) * 2048)) | sfdisk -q "$out"
dd if="$out.fs" of="$out" bs=1M seek=1 conv=notrunc,sparse status=none
rm -rf "$root" "$out.fs"
