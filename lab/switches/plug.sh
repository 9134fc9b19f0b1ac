#!/bin/sh
# A switch that has power: boots it, and boots it again when it asks for a reboot.
# plug.sh NAME ROOT OOB_ADDRESS PULLED PORT...
# The switch's name space outlives its kernel, so each boot begins and each power-off ends with what a
# kernel that is gone would have forgotten: light on the ports, addresses, routes, neighbours, filters.
# PULLED/NAME.PORT exists for each port whose cable somebody pulled on purpose.
set -u
name=$1 root=$2 address=$3 pulled=$4
shift 4
reboot=133 # how nspawn ends when the payload wants a reboot

forget() {
	{
		for port in eth0 "$@"; do
			echo "link set $port down"
			echo "addr flush dev $port"
		done
		echo "link set lo down"
		echo "addr flush dev lo"
		echo "link set lo up"
		echo "route flush table main"
		echo "-6 route flush table main"
		echo "neigh flush nud permanent"
		echo "nexthop flush"
	} | ip -n "$name" -force -batch - >/dev/null 2>&1
	ip netns exec "$name" chroot "$root" nft flush ruleset
}

light() {
	{
		echo "addr add $address dev eth0"
		for port in eth0 "$@"; do
			[ -e "$pulled/$name.$port" ] || echo "link set $port up"
		done
	} | ip -n "$name" -force -batch -
}

while :; do
	forget "$@"
	light "$@"
	systemd-nspawn --quiet --register=no --keep-unit --machine="$name" --directory="$root" \
		--network-namespace-path="/run/netns/$name" --link-journal=no \
		--resolv-conf=off --timezone=off --private-users=no --capability=all \
		--system-call-filter="add_key keyctl bpf @memlock" --boot
	[ $? -eq $reboot ] || break
done
forget "$@"
