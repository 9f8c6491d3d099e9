# `make app` and `make test` do all the setup. Both need only Python and make.
PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8501
export PYTHON

.PHONY: app test quick lint lock dev

app: ## the workbench on http://localhost:8501 (PORT= and HOST= change it)
	@sh scripts/set_up.sh requirements.txt
	@exec .venv/bin/python -m fervt app --host "$(HOST)" --port "$(PORT)"

test: dev ## the whole suite (ARGS= goes to pytest)
	@.venv/bin/python -m pytest $(ARGS)

quick: dev ## the suite without slow and browser tests
	@.venv/bin/python -m pytest -m "not slow and not browser" $(ARGS)

lint: dev ## check style and types
	@.venv/bin/python -m ruff check .
	@.venv/bin/python -m ruff format --check .
	@.venv/bin/python -m mypy

lock: ## regenerate requirements*.txt from the ranges in pyproject.toml; needs uv
	@$(PYTHON) -m scripts.lock

dev:
	@sh scripts/set_up.sh requirements-dev.txt
