# The front door. Everything behind it is in noxfile.py (sessions) and sandbox/ (the cluster).
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

CACHE := $(or $(FALCONET_CACHE),$(HOME)/.cache/falconet)
REQUIREMENTS := requirements/dev.txt
VENV := $(CACHE)/venv/$(shell sha256sum $(REQUIREMENTS) | cut -c1-16)
export PATH := $(VENV)/bin:$(PATH)
export FALCONET_CACHE := $(CACHE)

.PHONY: help
help:  ## this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

.PHONY: setup
setup: $(VENV)/.done build/collections/ansible_collections/falconet/k8s  ## Python environment and the collection's path, nothing else

$(VENV)/.done: $(REQUIREMENTS)
	@echo "==> Python environment in $(VENV) (first time only, about a minute)"
	python3 -c 'import sys; sys.exit("falconet.k8s needs Python 3.11 or newer on the controller, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	python3 -m venv $(VENV) || { echo "python3 has no venv module: apt-get install python3-venv" >&2; exit 1; }
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(REQUIREMENTS)
	touch $@

# Ansible finds a collection by its path: ansible_collections/<namespace>/<name>.
build/collections/ansible_collections/falconet/k8s:
	@mkdir -p $(@D)
	ln -sfn ../../../.. $@
