# Every command of the project; `make` alone lists them.

SHELL := /bin/bash
PYTHON ?= python3
RUN := .venv/bin/python -m

export PYTHON
# Airflow and dbt start in half the time when Python keeps what it has compiled.
unexport PYTHONDONTWRITEBYTECODE
# Settings of another Python than .venv's.
unexport PYTHONHOME
unexport PYTHONSAFEPATH
# With it, the scripts' `cd` could go to a folder of the same name elsewhere.
unexport CDPATH
export COMMAND = $(value CMD)

.PHONY: help setup demo test test-fast lint up shell run bench soak lock variables vendor images cluster cluster-test cluster-down clean
.DEFAULT_GOAL := help

help:  ## List these commands
	@grep -E '^[a-z-]+:.*## ' Makefile | awk -F ':.*## ' '{ printf "make %-12s %s\n", $$1, $$2 }'

setup:  ## Make .venv from requirements/all.txt (every command below does it where needed)
	@scripts/setup

demo: setup  ## Run the pipeline once on real input, print the API's response, and end
	@$(RUN) local demo

test: setup  ## Pass every test that needs no cluster (one of them: make test ARGS=tests/local)
	@$(RUN) pytest $(ARGS)

test-fast: setup  ## Pass the tests that start no Airflow, dbt or browser, in under 2 minutes
	@$(RUN) pytest -m "not slow" $(ARGS)

lint: setup  ## Check code, types, YAML, SQL, shell scripts and Dockerfiles; changes nothing
	@scripts/lint

up: setup  ## Keep Airflow (:8080), the API (:8000) and S3 (:9000) running until Ctrl-C
	@$(RUN) local up

shell: setup  ## Open a shell with the environment active and S3 running until it is left
	@$(RUN) local shell

run: setup  ## Do the same for one command: make run CMD="airflow dags test weather_pipeline"
	@$(RUN) local run "$$COMMAND"

bench: setup  ## Measure side by side, print a table and write bench/results.json
	@$(RUN) local run "python -m bench"

soak: setup  ## Run 500 hours in a row with faults: the rows must be right, and nothing may grow
	@$(RUN) local run "python -m bench.soak $(ARGS)"

lock: setup  ## Write requirements/ from pyproject.toml (newest versions: UPGRADE=1)
	@scripts/lock

variables: setup  ## Write what dbt needs of weather/variables.py into dbt_project/
	@$(RUN) scripts.dbt_variables

vendor:  ## Fetch the page's charting library from its package (needs npm)
	@scripts/vendor

images:  ## Build all images with one tag, the commit's (PUSH=1 pushes them)
	@scripts/images

cluster:  ## Install everything on Kubernetes: kind, or CLUSTER=current (settings: scripts/cluster/up)
	@scripts/cluster/up

cluster-test: setup  ## Install it from nothing on an empty cluster, pass the cluster's tests, remove it
	@scripts/cluster/test

cluster-down:  ## Uninstall it; the volumes stay (kind's cluster goes with them)
	@scripts/cluster/down

clean:  ## Remove everything that the commands above made, the lake included
	rm -rf .venv .weather .setup.lock .setup.log dbt_project/target dbt_project/logs bench/results.json
	rm -rf tests/artifacts tests/cluster/artifacts .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +
