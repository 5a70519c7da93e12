# All commands of the project; `make` lists them.

SHELL := /bin/bash
PYTHON ?= python3
RUN := .venv/bin/python -m

export PYTHON
# Airflow and dbt start twice as fast with compiled Python files.
unexport PYTHONDONTWRITEBYTECODE
# These variables configure another Python than .venv's.
unexport PYTHONHOME
unexport PYTHONSAFEPATH
# With CDPATH, `cd` in the scripts could enter another folder of the same name.
unexport CDPATH
export COMMAND = $(value CMD)

# Most tests wait for processes, so two cores run two at a time. Named tests run in one process,
# which shows their output and starts a debugger.
TESTS = $(or $(ARGS),-n logical --maxprocesses 4 --dist worksteal)

.PHONY: help setup demo test test-fast lint up shell run bench soak lock variables vendor images cluster cluster-test cluster-down clean
.DEFAULT_GOAL := help

help:  ## List these commands
	@grep -E '^[a-z-]+:.*## ' Makefile | awk -F ':.*## ' '{ printf "make %-12s %s\n", $$1, $$2 }'

setup:  ## Install requirements/all.txt into .venv (the commands below do it if needed)
	@scripts/setup

demo: setup  ## Run the pipeline once on real input and print the API's response
	@$(RUN) local demo

test: setup  ## Run all tests that need no cluster (some: make test ARGS=tests/local)
	@$(RUN) pytest $(TESTS)

test-fast: setup  ## Run the tests without Airflow, dbt, helm and browser (under 2 minutes)
	@$(RUN) pytest -m "not slow" $(TESTS)

lint: setup  ## Check code, types, YAML, SQL, shell scripts and Dockerfiles; changes nothing
	@scripts/lint

up: setup  ## Keep Airflow (:8080), the API (:8000) and S3 (:9000) running until Ctrl-C
	@$(RUN) local up

shell: setup  ## Open a shell with the environment active and S3 running
	@$(RUN) local shell

run: setup  ## Run one command in that environment: make run CMD="airflow dags list"
	@$(RUN) local run "$$COMMAND"

bench: setup  ## Run all benchmarks, print a table and write bench/results.json
	@$(RUN) local run "python -m bench"

soak: setup  ## Run 500 hours in a row with faults, then check rows and growth
	@$(RUN) local run "python -m bench.soak $(ARGS)"

lock: setup  ## Resolve pyproject.toml into requirements/ (newest versions: UPGRADE=1)
	@scripts/lock

variables: setup  ## Write what dbt needs of weather/variables.py into dbt_project/
	@$(RUN) scripts.dbt_variables

vendor:  ## Download the page's charting library (needs npm)
	@scripts/vendor

images:  ## Build all images, tagged with the commit (PUSH=1 pushes them)
	@scripts/images

cluster:  ## Install on Kubernetes: kind, or CLUSTER=current (settings: scripts/cluster/up)
	@scripts/cluster/up

cluster-test: setup  ## Install on an empty cluster, run the cluster tests, and uninstall
	@scripts/cluster/test

cluster-down:  ## Uninstall; volumes stay (a kind cluster is deleted with its volumes)
	@scripts/cluster/down

clean:  ## Delete the checkout's generated files, the lake included
	rm -rf .venv .weather .setup.lock .setup.log dbt_project/target dbt_project/logs bench/results.json
	rm -rf tests/artifacts tests/cluster/artifacts .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +
