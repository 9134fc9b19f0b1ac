#!/bin/sh
# Starts a long-lived program of the lab: launch.sh RECORD GROUP... -- PROGRAM ARGUMENT...
# The record is written by the process that becomes the program, before it does: whoever
# started this may be killed at any moment, and the record is still right.
set -eu
record=$1
shift
while [ "$1" != -- ]; do
	echo $$ >"$1/cgroup.procs"
	shift
done
shift
{
	cat /proc/sys/kernel/random/boot_id
	cat "/proc/$$/stat"
} >"$record.new"
mv "$record.new" "$record"
exec "$@"
