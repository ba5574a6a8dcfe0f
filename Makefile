# The front door. Everything behind it is in noxfile.py (sessions) and sandbox/ (the cluster).
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

CACHE := $(or $(FALCONET_CACHE),$(HOME)/.cache/falconet)
REQUIREMENTS := requirements/dev.txt
VENV := $(CACHE)/venv/$(shell sha256sum $(REQUIREMENTS) | cut -c1-16)
# kubectl and helm of the sandbox come before others: they fit its Kubernetes.
export PATH := $(VENV)/bin:$(CACHE)/bin:$(PATH)
export FALCONET_CACHE := $(CACHE)

.PHONY: help
help:  ## this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

.PHONY: setup
setup: $(VENV)/.done build/collections/ansible_collections/falconet/k8s  ## Python environment and the collection's path, nothing else

# Its path names the content of the lock, so its age does not matter.
$(VENV)/.done: | $(REQUIREMENTS)
	@python3 tools/environment.py $(REQUIREMENTS) $(VENV)

# Ansible finds a collection by its path: ansible_collections/<namespace>/<name>.
build/collections/ansible_collections/falconet/k8s:
	@mkdir -p $(@D)
	ln -sfn ../../../.. $@

# Alone on standard output: a shell evaluates it.
.PHONY: env
env:  ## what a shell needs to find Ansible, kubectl and helm as make does: eval "$$(make env)"
	@$(MAKE) --silent setup >&2
	echo 'export PATH="$(VENV)/bin:$(CACHE)/bin:$$PATH"'

SANDBOX := $(VENV)/bin/python -m sandbox
SANDBOX_NAME ?= falconet
SANDBOX_STATE := /var/lib/falconet-sandbox/$(SANDBOX_NAME)
export SANDBOX_NAME
# How many nodes of a new sandbox are control planes: 1, 2 or 3.
UP := $(SANDBOX) up $(if $(CONTROL_PLANES),--control-planes $(CONTROL_PLANES))
# A user's own cluster, when KUBECONFIG is given; else the sandbox's.
CLUSTER := $(if $(KUBECONFIG),$(KUBECONFIG),$(SANDBOX_STATE)/kubeconfig)
INVENTORY ?= $(if $(KUBECONFIG),,inventory/sandbox)

.PHONY: cluster
cluster: setup
	@if [ -n "$${KUBECONFIG:-}" ]; then
		[ -n "$(INVENTORY)" ] || { echo "KUBECONFIG is set: give the inventory of that cluster too, INVENTORY=<directory> (copy inventory/sample)" >&2; exit 2; }
		echo "==> using the cluster of $$KUBECONFIG"
	else
		$(UP)
		$(SANDBOX) inventory
		echo "==> the system that the demo protects: sandbox/demo/workloads.yaml"
		kubectl --kubeconfig $(CLUSTER) apply --filename sandbox/demo/workloads.yaml
		kubectl --kubeconfig $(CLUSTER) --namespace prod wait --for=condition=Available deployment --all --timeout=120s
	fi

.PHONY: demo
demo: cluster  ## everything: set-up, a cluster, site.yml, the proof (KUBECONFIG= and INVENTORY= for your own cluster)
	@echo "==> ansible-playbook playbooks/site.yml -i $(INVENTORY)"
	KUBECONFIG=$(CLUSTER) ansible-playbook playbooks/site.yml -i $(INVENTORY) $(ARGS)
	$(VENV)/bin/python tools/demo_summary.py $(INVENTORY)

.PHONY: test
test: cluster  ## all set-up, then all tests: what needs no cluster runs beside what needs it
	@rm -rf build/results
	status=0
	$(MAKE) --jobs=2 test-without-cluster test-with-cluster || status=$$?
	$(VENV)/bin/python tools/test_results.py build/results
	exit $$status

# The lanes of `make test`; each line of their output says which one it is from. MORE: further sessions that need no cluster;
# MORE_WITH_CLUSTER: further ones that need the sandbox's.
.PHONY: test-without-cluster
test-without-cluster: setup
	@nox --report build/results/no-cluster.json -s lint types sanity artifact docs docsite unit molecule_machines $(MORE) 2>&1 | sed --unbuffered 's/^/[no cluster] /'

.PHONY: test-with-cluster
test-with-cluster: setup
	@KUBECONFIG=$(CLUSTER) nox --report build/results/cluster.json -s integration molecule_cluster $(MORE_WITH_CLUSTER) 2>&1 | sed --unbuffered 's/^/[cluster] /'

.PHONY: lint
lint: setup  ## ruff, yamllint, vulture, ansible-lint, mypy, ansible-test sanity, galaxy-importer, documentation
	nox -s lint types sanity artifact docs

.PHONY: lint-fast
lint-fast: setup  ## ruff and yamllint alone, in seconds: what the hook of pre-commit runs
	@nox -s lint_fast

.PHONY: unit
unit: setup  ## unit tests (no cluster)
	nox -s unit -- $(ARGS)

.PHONY: coverage
coverage: setup  ## what the cores' own tests run of each room, and that none is below the floor (ARGS="netpol" for some)
	nox -s coverage -- $(ARGS)

.PHONY: integration
integration: cluster  ## tests against the sandbox's real API server, nodes and network
	KUBECONFIG=$(CLUSTER) nox -s integration -- $(ARGS)

.PHONY: matrix
matrix: cluster  ## every ansible-core that is claimed, each in its environment (ARGS="--core 2.16" for one, --only=tests without a cluster)
	KUBECONFIG=$(CLUSTER) INVENTORY=$(INVENTORY) nox -s matrix -- $(ARGS)

.PHONY: test-long
test-long: cluster  ## tests that take minutes each: runs killed in each stage, sandboxes killed while they boot, e2e specs
	KUBECONFIG=$(CLUSTER) nox -s long -- $(ARGS)

.PHONY: molecule
molecule: cluster  ## role scenarios on the sandbox (ARGS="node_prep" for one)
	KUBECONFIG=$(CLUSTER) nox -s molecule -- $(ARGS)

.PHONY: chart-check
chart-check: setup  ## render named situations with the real chart: CHART=<its directory> or CHARTS_GIT=<git directory>
	@[ -n "$(CHART)$(CHARTS_GIT)" ] || { echo "give a copy of the real chart: make chart-check CHART=<directory of charts/falco>" >&2; exit 2; }
	command -v helm >/dev/null || $(SANDBOX) up
	CHART=$(CHART) CHARTS_GIT=$(CHARTS_GIT) python tools/chart_check.py

# On a bare machine these have its own Python alone.
ANY_PYTHON = $(if $(wildcard $(VENV)/.done),$(VENV)/bin/python,python3)

.PHONY: doctor
doctor:  ## what this machine lacks or does not reach, and what to do (ARGS=--offline, ARGS=--fresh)
	@$(ANY_PYTHON) tools/doctor.py $(ARGS)

.PHONY: renew
renew:  ## renew every lock and say what moved (ARGS=--dry-run writes nothing, ARGS=dev only that one)
	@$(ANY_PYTHON) tools/renew.py $(ARGS)

.PHONY: values-import
values-import: setup  ## variables of the role falco from Helm values: VALUES=<file> DEST=<inventory> (CHART=<its directory>)
	@[ -n "$(VALUES)" ] && [ -n "$(DEST)" ] || { echo "give both: make values-import VALUES=values.yaml DEST=inventory/mine (values.yaml: a values file, or the output of helm get values)" >&2; exit 2; }
	ansible-playbook playbooks/values_import.yml -e "values=$(abspath $(VALUES)) dest=$(abspath $(DEST))" $(if $(CHART),-e "chart=$(abspath $(CHART))") $(ARGS)

.PHONY: rules-test
rules-test: setup  ## tests of Falco rules with coverage and mutants (TESTS=<files or directories of your own>)
	ansible-playbook playbooks/rules_test.yml $(if $(TESTS),-e '{"tests": [$(foreach one,$(TESTS),"$(abspath $(one))",)]}') $(ARGS)

.PHONY: docs
docs: setup  ## render every plugin's documentation
	nox -s docs

.PHONY: docsite
docsite: setup  ## the documentation as a site: build/docsite/html/index.html
	nox -s docsite -- $(ARGS)

.PHONY: licences
licences: setup  ## each file's licence, as the REUSE tool judges it (in an environment of its own)
	nox -s licences

.PHONY: sbom
sbom: setup  ## what the collection needs at run time, as CycloneDX: build/sbom/
	nox -s sbom -- $(ARGS)

.PHONY: audit
audit: setup  ## known vulnerabilities of what the locks name (ARGS=--must-answer: no answer is a failure)
	nox -s audit -- $(ARGS)

.PHONY: release
release: setup  ## the files of a release, not signed: VERSION=1.0.0 (docs/releases.md)
	@[ -n "$(VERSION)" ] || { echo "give the version: make release VERSION=1.0.0" >&2; exit 2; }
	nox -s artifact
	$(VENV)/bin/python tools/release.py "$(VERSION)"

.PHONY: e2e
e2e: cluster  ## Kubernetes' own NetworkPolicy specs against the sandbox
	$(SANDBOX) e2e --all

.PHONY: sandbox-up
sandbox-up: setup  ## build (once) and boot the sandbox cluster (CONTROL_PLANES=3 for three)
	$(UP)
	$(SANDBOX) inventory

.PHONY: sandbox-down
sandbox-down: setup  ## stop the sandbox cluster; nothing of it is left
	$(SANDBOX) down

.PHONY: sandbox-status
sandbox-status: setup  ## nodes, components, memory of the sandbox
	$(SANDBOX) status

.PHONY: sandbox-image
sandbox-image: setup  ## import an image archive into every node: TAR=<file>
	@[ -n "$(TAR)" ] || { echo "give the archive: make sandbox-image TAR=image.tar" >&2; exit 2; }
	$(SANDBOX) import-image $(TAR)

.PHONY: clean
clean:  ## stop the sandbox and remove everything made here but the cache
	@if [ -x $(VENV)/bin/python ]; then $(SANDBOX) down --purge; fi
	rm -rf build inventory/sandbox evidence .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage .ansible
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: distclean
distclean: clean  ## the same, and the cache too (the next run builds Kubernetes again)
	rm -rf $(CACHE)
