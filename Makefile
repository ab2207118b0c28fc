# `make check` is everything that continuous integration asks. It wants the environment of
# requirements-dev.txt in .venv, or BIN=/path/to/bin, and Node.js for the JavaScript.
BIN ?= .venv/bin
NODE ?= node
LOCKED ?= .venv-lock

.PHONY: check lint types js test lock other

check: lint types js test

lint:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types:
	$(BIN)/mypy app.py ui pgcore benchmarks examples
	$(BIN)/mypy --explicit-package-bases --no-check-untyped-defs \
		--disable-error-code union-attr --disable-error-code arg-type tests
	$(BIN)/mypy --strict pgcore

js:
	OXLINT=$(BIN)/oxlint $(NODE) tests/js/lint.mjs
	OXLINT=$(BIN)/oxlint $(NODE) --test tests/js

test:
	$(BIN)/pytest -n auto --dist loadfile

# The library on another Python, from a fresh install without torch, whose pinned version may have no
# build for it: make other OTHER=python3.13
OTHER ?= python3.13
FACE = config history comparison plotting main stats render episodes formula

other:
	$(OTHER) -m venv --clear .venv-other
	.venv-other/bin/pip install --quiet --disable-pip-version-check . pygame "pytest>=9,<10" \
		"hypothesis>=6,<7" "playwright>=1.60,<2"
	.venv-other/bin/pytest tests/test_examples.py $(FACE:%=tests/pgcore/test_%.py)
	rm -r .venv-other

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
