#!/bin/sh
# node_root.sh TREE OVERLAY DRAFT PACKAGE...
# Lays the overlay and the packages over a Debian tree; what that writes becomes DRAFT/layer. Starts no service.
set -eu
tree=$1 overlay=$2 draft=$3
shift 3
mkdir "$draft/layer" "$draft/work" "$draft/root"
mount -t overlay overlay -o "lowerdir=$tree,upperdir=$draft/layer,workdir=$draft/work" "$draft/root"
root=$draft/root
# Modes do not depend on the umask of who checked the files out.
tar -C "$overlay" --owner=0 --group=0 --mode=u=rwX,go=rX -c . | tar -C "$root" -xp
mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
ln -sf /usr/lib/systemd/system/lab-platform.service "$root/etc/systemd/system/multi-user.target.wants/"
# Nobody logs in, and there are no keys.
ln -sf /dev/null "$root/etc/systemd/system/ssh.service"
: >"$root/etc/cloud/cloud-init.disabled"
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
mkdir "$root/packages"
cp "$@" "$root/packages"
mount -t proc proc "$root/proc"
chroot "$root" sh -c 'DEBIAN_FRONTEND=noninteractive dpkg --install /packages/*.deb'
umount "$root/proc"
rm -r "$root/packages" "$root/usr/sbin/policy-rc.d"
umount "$root"
rmdir "$draft/root"
rm -r "$draft/work"
