# The two commands of the README are `up` and `test`; the rest are their parts.
SHELL := /bin/bash
.DEFAULT_GOAL := help
export PATH := $(CURDIR)/.venv/bin:$(CURDIR)/.tools/bin:$(PATH)
REGION ?= lab

.PHONY: help install tools lab up verify test check unit integration nightly e2e down clean lock docs

help: ## Show this list.
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

install: ## Install what the machine lacks: Debian packages, the locked Python environment.
	@sh lab/toolchain/bootstrap.sh && mkdir -p .region/state

tools: install ## Build the pinned programs (cached by content).
	@python -m lab.toolchain build

lab: tools ## Start the lab's datacenter: switches, machines, services.
	@mkdir -p .lab && region export $(REGION) wiring > .lab/wiring.new && mv .lab/wiring.new .lab/wiring.json
	@python -m lab up

up: lab ## Bring the lab region up from powered-off machines to a served request.
	@region up $(REGION)
	@region verify $(REGION)

verify: ## Check the region.
	@region verify $(REGION)

check: install ## Lint and types: ruff, pyright, ansible-lint, yamllint, shellcheck.
	@bash tests/check.sh

unit: install ## Tests that need no lab.
	@pytest -q -n auto --dist loadfile tests/unit tests/contract tests/golden tests/roles

integration: lab ## Tests of parts against the lab's real programs.
	@pytest -q -m "integration and not nightly" tests/integration
	@echo "left out: the nightly tier (make nightly), which repeats on a bench what the end-to-end story does once"

nightly: lab ## Machines and roles at length, on benches of their own; then what a region that serves survives under load.
	@pytest -q -m nightly tests/integration
	@pytest -q -m "e2e and nightly" tests/e2e

e2e: tools ## The whole lab: from nothing to the served request, again, kill and resume, down.
	@pytest -q -m "e2e and not nightly" tests/e2e
	@echo "left out: the nightly tier (make nightly), with faults that last minutes, and cold starts by the hundred"

test: check unit integration e2e ## Every tier of tests.

down: ## Remove all that the lab made, and the state of what ran on it.
	@if [ -x .venv/bin/region ]; then python -m lab down --purge && if command -v pulumi >/dev/null; then region forget $(REGION) --yes; fi; \
	else echo "nothing was installed, nothing to remove"; fi

lock: ## Renew the lock files.
	@.tools/uv/bin/uv pip compile pyproject.toml --group dev --group lab --generate-hashes --no-emit-index-url --python-version 3.11 -o requirements.lock
	@.tools/uv/bin/uv pip compile --group bench --generate-hashes --no-emit-index-url --python-version 3.11 -o benchmarks/bench.lock
	@.tools/uv/bin/uv pip compile --group ramdisk --generate-hashes --no-emit-index-url --python-version 3.11 -o lab/images/ramdisk.lock

docs: ## Regenerate docs/reference.
	@python docs/generate.py
	@python docs/role_pages.py
