# Everything starts from a fresh clone with python3 (3.11 or newer), its venv, and make.
PYTHON ?= python3
PY := .venv/bin/python
PIP := $(PY) -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: demo test check validate bench wheel environment clean help

help:
	@echo "make demo      a sample centre, its call log and its reports in reports/"
	@echo "make test      all tests"
	@echo "make check     formatting, lint, types, the order of the rooms"
	@echo "make validate  the coverage and recovery studies at full size"
	@echo "make bench     speed beside other tools, as ratios"
	@echo "make wheel     build the wheel and try it in an environment of its own"
	@echo "make clean     remove what the above made"

demo: .venv/.runtime
	@$(PY) -m ccanalytics demo --data data/demo --reports reports

test: .venv/.dev
	@$(PY) -m pytest -n auto --dist worksteal --benchmark-skip --durations 40 --durations-min 3

check: .venv/.dev
	@$(PY) -m pre_commit run --all-files --show-diff-on-failure

validate: .venv/.dev
	@CCANALYTICS_FULL=1 $(PY) -m pytest -n auto --dist worksteal --benchmark-skip

bench: .venv/.dev
	@$(PY) -m pytest tests/benchmarks --benchmark-only -q -s

wheel: .venv/.dev
	@rm -rf dist .venv-wheel
	@$(PY) -m build --wheel --outdir dist . >/dev/null
	@$(PYTHON) -m venv .venv-wheel
	@.venv-wheel/bin/python -m pip install --quiet --disable-pip-version-check \
		--constraint constraints.txt "$$(ls dist/*.whl)[notebooks]"
	@mkdir -p dist/try && cd dist/try && cc="../../.venv-wheel/bin/python -I -m ccanalytics" && \
		$$cc sample centre --weeks 12 --scale 0.02 && \
		$$cc load centre --source ccanalytics --no-pseudonyms --log centre.duckdb >/dev/null && \
		$$cc run traffic --log centre.duckdb && $$cc run deflection --log centre.duckdb
	@rm -rf .venv-wheel dist/try

environment: .venv/.dev

.venv/.runtime: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "ccanalytics needs Python 3.11 or newer; name one with make PYTHON=python3.12")'
	@test -x $(PY) || $(PYTHON) -m venv .venv
	@echo "Installing what the reports need into .venv (once; a few minutes)"
	@$(PIP) --editable ".[notebooks]"
	@touch $@

.venv/.dev: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "ccanalytics needs Python 3.11 or newer; name one with make PYTHON=python3.12")'
	@test -x $(PY) || $(PYTHON) -m venv .venv
	@echo "Installing everything into .venv (once; a few minutes)"
	@$(PIP) --editable ".[dev]"
	@touch .venv/.runtime $@

clean:
	@rm -rf .venv .venv-wheel dist build reports data/demo *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
