#!/usr/bin/env bash
# Lint and types. Runs all of them, says which failed, and fails if one did.
set -u
cd "$(dirname "$0")/.." || exit 2
failed=0
run() {
  local name=$1 began=$SECONDS
  shift
  if "$@"; then echo "ok    $name ($((SECONDS - began)) s)"; else
    echo "FAIL  $name"
    failed=1
  fi
}
mapfile -t scripts < <(git ls-files --cached --others --exclude-standard | while read -r f; do
  [ -f "$f" ] && head -c 64 "$f" | grep -aqE '^#!.*\b(ba)?sh\b' && echo "$f"
done)
run "ruff check" ruff check .
run "ruff format" ruff format --check .
run "pyright strict" pyright
run "shellcheck (${#scripts[@]} scripts)" shellcheck "${scripts[@]}"
run "yamllint" yamllint --strict stacks playbooks .github .gitlab .gitlab-ci.yml .forgejo
run "ansible-lint (production)" ansible-lint --offline -q playbooks
exit "$failed"
