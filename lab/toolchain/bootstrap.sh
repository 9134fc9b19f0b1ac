#!/bin/sh
# Makes a Debian 12 machine able to run this project: Debian packages, uv, the locked Python environment.
#
# Needs root (for missing packages only), git, make, Python 3.11 or newer and Go. Installs what is missing and
# changes nothing else: no service is started, and a policy-rc.d that was there before is put back.
# A second run compares digests and ends at once.
set -eu

cd "$(dirname "$0")/../.."
packages_file=lab/toolchain/debian-packages.txt
uv_lock=lab/toolchain/uv.lock
uv=.tools/uv/bin/uv
policy=/usr/sbin/policy-rc.d
log=.tools/bootstrap.log
started=$(date +%s)

say() { printf '%s\n' "$*"; }
fail() {
    printf 'bootstrap: %s\n    remedy: %s\n' "$1" "$2" >&2
    exit 1
}
digest() { cat "$@" | sha256sum | cut -d' ' -f1; }
# stamp_is FOLDER DIGEST: whether FOLDER was made from what has this digest
stamp_is() { [ "$(cat "$1/.made-from" 2>/dev/null)" = "$2" ]; }

find_python() {
    for name in python3.11 python3 python3.12 python3.13; do
        path=$(command -v "$name") || continue
        if "$path" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            printf '%s\n' "$path"
            return
        fi
    done
    fail "no Python 3.11 or newer is on PATH" "apt-get install python3"
}

missing_packages() {
    wanted=$(sed 's/#.*//' "$packages_file" | awk '{ print $1 }')
    # shellcheck disable=SC2086 # a list of words
    installed=$(dpkg-query -W -f='${db:Status-Abbrev} ${Package}\n' $wanted 2>/dev/null | sed -n 's/^ii *//p')
    for package in $wanted; do
        case "
$installed
" in
            *"
$package
"*) ;;
            *) printf '%s ' "$package" ;;
        esac
    done
}

restore_policy() {
    rm -f "$policy"
    [ ! -e "$policy.before-bootstrap" ] || mv "$policy.before-bootstrap" "$policy"
}

install_packages() {
    [ "$(id -u)" = 0 ] || fail "these Debian packages are missing: $*" "run this as root, or install them yourself"
    say "installing $# Debian packages: $*"
    # Installed services must not start: the lab runs its own copies, in its own name spaces.
    [ ! -e "$policy" ] || [ -e "$policy.before-bootstrap" ] || mv "$policy" "$policy.before-bootstrap"
    trap restore_policy EXIT
    trap 'exit 130' INT TERM
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    export DEBIAN_FRONTEND=noninteractive
    mkdir -p .tools
    apt-get -q -o DPkg::Lock::Timeout=300 -o APT::Update::Error-Mode=any update >"$log" 2>&1 ||
        fail "apt-get update failed: $(tail -n 2 "$log")" "give this machine a working apt source"
    apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 install --no-install-recommends "$@" >"$log" 2>&1 ||
        fail "these packages could not be installed: $(tail -n 2 "$log")" "read $log"
    restore_policy
    trap - EXIT INT TERM
}

command -v go >/dev/null || fail "the Go tool is not on PATH" "install Go 1.26.6 or newer and put it on PATH"

missing=$(missing_packages)
# shellcheck disable=SC2086 # a list of words
[ -z "$missing" ] || install_packages $missing

wanted=$(digest "$uv_lock")
if ! stamp_is .tools/uv "$wanted" || [ ! -x "$uv" ]; then
    say "installing uv"
    rm -rf .tools/uv
    "$(find_python)" -m venv .tools/uv
    .tools/uv/bin/python -m pip install -q --disable-pip-version-check --no-deps --require-hashes -r "$uv_lock"
    printf '%s\n' "$wanted" >.tools/uv/.made-from
fi

wanted=$({ cat requirements.lock pyproject.toml lab/ironic_driver/pyproject.toml; pwd; } | sha256sum | cut -d' ' -f1)
if ! stamp_is .venv "$wanted" || ! .venv/bin/python -c '' 2>/dev/null; then
    say "installing the Python packages of requirements.lock"
    export UV_PYTHON_DOWNLOADS=never UV_NO_PROGRESS=1 VIRTUAL_ENV="$PWD/.venv"
    .venv/bin/python -c '' 2>/dev/null || "$uv" venv -q --clear --python "$(find_python)" .venv
    # Byte code is made here, once: where Python may not keep its own, each process would compile all modules anew.
    "$uv" pip sync -q --compile-bytecode --require-hashes requirements.lock
    "$uv" pip install -q --no-deps --no-build-isolation --editable . --editable lab/ironic_driver
    printf '%s\n' "$wanted" >.venv/.made-from
fi

say "machine and Python environment are ready ($(($(date +%s) - started)) s)"
