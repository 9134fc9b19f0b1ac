#!/bin/bash
# ramdisk.sh TREE AGENT OVERLAY OUT.cpio.zst
# The agent ramdisk: a Debian tree, ironic-python-agent (the folder AGENT, made by
# `pip install --target`) and the files of OVERLAY, as one cpio archive.
set -euo pipefail
tree=$1 agent=$2 overlay=$3 out=$4
root=$out.root
rm -rf "$root"
cp -a "$tree" "$root"
mkdir -p "$root/opt/ipa"
cp -rT "$agent" "$root/opt/ipa"
rm -rf "$root/opt/ipa/ironic_python_agent/tests"
# A .pth, not PYTHONPATH: the agent starts helpers with an empty environment.
echo /opt/ipa > "$root/usr/local/lib/python3.11/dist-packages/ipa.pth"
# Modes do not depend on the umask of who checked the files out.
tar -C "$overlay" --owner=0 --group=0 --mode=u=rwX,go=rX -c . | tar -C "$root" -xp
wants=$root/etc/systemd/system/multi-user.target.wants
mkdir -p "$wants"
for unit in lab-boot lab-devices ironic-python-agent; do
    ln -sf "/usr/lib/systemd/system/$unit.service" "$wants/"
done
chown -R 0:0 "$root/opt"
bsdtar -C "$root" --format newc --zstd --options zstd:compression-level=3,zstd:threads=2 -cf "$out" .
rm -rf "$root"
