#!/bin/sh
# enter.sh GROUP... -- PROGRAM ARGUMENT...
# Becomes a program inside control groups. If whoever started it dies, the program is asked to end.
set -eu
while [ "$1" != -- ]; do
	echo $$ >"$1/cgroup.procs"
	shift
done
shift
exec setpriv --pdeathsig TERM "$@"
