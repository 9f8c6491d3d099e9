# Two commands do all the set-up: `make app` and `make test`. Both need only Python and make.
PYTHON ?= python3
PORT ?= 8501
export PYTHON

.PHONY: app test lint dev

app: ## the workbench on http://localhost:8501 (PORT= changes it)
	@sh scripts/set_up.sh requirements.txt
	@exec .venv/bin/python -m streamlit run streamlit_app.py --server.port "$(PORT)"

test: dev ## the whole suite (ARGS= goes to pytest)
	@.venv/bin/python -m pytest $(ARGS)

lint: dev ## what the code must look like
	@.venv/bin/python -m ruff check .
	@.venv/bin/python -m ruff format --check .
	@.venv/bin/python -m mypy

dev:
	@sh scripts/set_up.sh requirements-dev.txt
