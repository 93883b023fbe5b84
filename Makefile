# The house's commands. Everything they need is Python 3.12 or later; the rest is installed into .venv by `setup`.
PYTHON ?= $(shell python3.13 --version >/dev/null 2>&1 && echo python3.13 || echo python3)
PY := .venv/bin/python
SERVER_DATABASE_URL ?= postgres://postgres@127.0.0.1:5432/handoff
SERVER_BROKER_URL ?= amqp://guest:guest@127.0.0.1:5672//

# What production sets, made up: only read by `check`.
PRODUCTION := PRODUCTION=1 TESTING=0 \
	SECRET_KEY=$$($(PY) -c "import secrets; print(secrets.token_urlsafe(64))") \
	ALLOWED_HOSTS=handoff.example EMAIL_URL="smtp://portal:secret@mail:587?tls=1" \
	DATABASE_OWNER_URL=postgres://owner@db.example/handoff

# $(call install,FILE,ALSO): a venv with FILE's packages, hashes checked; nothing to do while the stamp of its content is there.
# ALSO is a second file whose packages FILE holds too.
define install
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 12) and "Python 3.12 or later is needed; make PYTHON=... names one.")'
@stamp() { echo .venv/.installed-$$(cksum < $$1 | tr " " "-"); }; \
if ! test -e "$$(stamp $(1))" || ! $(PY) -c "" 2>/dev/null; then \
	echo "Installing $(1) into .venv (about a minute the first time)"; \
	test -x $(PY) && $(PY) -c "" 2>/dev/null || $(PYTHON) -m venv --clear .venv && \
	$(PY) -m pip install --quiet --disable-pip-version-check --no-input --require-hashes --requirement $(1) && \
	for file in $(1) $(2); do : > "$$(stamp $$file)" || exit 1; done; \
fi
endef

# Every process that is started here would compile Django anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev run stop test test-services bench lint lint-django

help:
	@echo "make setup          install what running needs into .venv"
	@echo "make run            the portal with its services and an invented company, until Ctrl-C"
	@echo "make stop           stop the portal and its services"
	@echo "make test           all tests, on throw-away services"
	@echo "make test-services  all tests, on the servers of SERVER_DATABASE_URL and SERVER_BROKER_URL"
	@echo "make bench          the benchmarks, beside their floors"
	@echo "make lint           what reads the code"

setup:
	$(call install,requirements.txt)

setup-dev:
	$(call install,requirements-dev.txt,requirements.txt)

run: setup
	@DEMO=$${DEMO-1} exec $(PY) manage.py up

stop:
	@test ! -x $(PY) || $(PY) manage.py stop

test: setup-dev
	@$(PY) -m pytest -n 2 --dist worksteal

test-services: setup-dev
	@DATABASE_URL="$(SERVER_DATABASE_URL)" BROKER_URL="$(SERVER_BROKER_URL)" $(PY) -m pytest -n 2 --dist worksteal

bench: setup-dev
	@$(PY) -m benchmarks

lint: setup-dev
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	.venv/bin/lint-imports
	.venv/bin/djade --target-version 6.1 --check $$(git ls-files "*.html")
	@# Django's own checks look at the database's version: they get a throw-away one.
	@$(PY) -m tests.services $(MAKE) --no-print-directory lint-django

lint-django:
	$(PY) manage.py check
	$(PY) manage.py makemigrations --check --dry-run
	$(PRODUCTION) $(PY) manage.py check --deploy --fail-level WARNING
