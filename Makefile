# `make check` is everything that continuous integration asks. It wants the environment of
# requirements-dev.txt in .venv, or BIN=/path/to/bin, and Node.js for the JavaScript.
BIN ?= .venv/bin
NODE ?= node
LOCKED ?= .venv-lock

.PHONY: check lint types js test lock

check: lint types js test

lint:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types:
	$(BIN)/mypy app.py ui pgcore benchmarks examples
	cd tests && MYPYPATH=.. ../$(BIN)/mypy --config-file ../pyproject.toml \
		--no-check-untyped-defs --disable-error-code union-attr --disable-error-code arg-type .
	$(BIN)/mypy --strict pgcore

js:
	$(NODE) tests/js/lint.mjs
	$(NODE) --test tests/js

test:
	$(BIN)/pytest

# Renew requirements.lock: what a fresh environment gets from requirements.txt today. Versions only:
# a local build's mark, such as +cpu, and any address are left out.
lock:
	python3 -m venv --clear $(LOCKED)
	$(LOCKED)/bin/pip install --quiet --disable-pip-version-check -r requirements.txt
	{ echo "# What the app was last tested with: pip install -r requirements.lock"; \
	  echo "# Renew with: make lock"; \
	  $(LOCKED)/bin/pip freeze | sed -e 's/+[^ ]*//' -e 's/ @ .*//' | tr A-Z a-z | LC_ALL=C sort; \
	} > requirements.lock
	rm -r $(LOCKED)
