# Everything a checkout needs; `make demo` and `make test` set up .venv by themselves.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint setup clean

demo: setup ## run the main job on seeds/, as if for the first time, and show its alerts
	rm -rf out/demo
	$(BIN)/policywire run --input 'seeds/*' --out out/demo --as-of 2026-11-24T06:00Z

test: setup ## run all tests, a file a core; the slow ones come first
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

lint: setup ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

setup: .venv/ready

.venv/ready: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable . --group dev
	touch $@

clean:
	rm -rf .venv out build dist
