# make run    the whole board on this machine, with its own PostgreSQL and Valkey
# make test   all tests, on the same engines
# make lint   style, types, unsafe calls, missing migrations, deployment checks
# make advisories  whether anything installed has a known hole that is overdue; says so where nobody can be asked
# make sbom   a list of every package in it, as CycloneDX JSON: sbom.cdx.json
# make lock   pin the requirements anew
# make bench  how fast it is, beside what the machine can do
# make bench-audit  what the log costs, with a thousand entries and with a million
# make bench-quality ARGS=DATA  how well the miner finds what recurs in labelled texts
# make bench-health  how long counting five million runs takes, and the pages that show them
# make bench-mining ARGS=DATA  the same, with what mining a million reports costs
# make drill-races    a thousand races of up to sixteen who decide about one proposal
# make drill-kills    kill -9 of every process of a board, two hundred times
# make drill-retries  the same report sent by fifty senders at once, a thousand times
# make drill-recovery  Valkey emptied under load; what is wrong taken back by hand and by itself, timed
# make drill-outage   ten minutes without the board, for an agent with the Python client
# make drill-calls    ten thousand calls made up from the OpenAPI document
# make bench-steady  how long calls take at a steady pace, and when far too many come
# make bench-pages  how long the server takes over every page of a large board, and what each page weighs

PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input install --quiet --require-hashes
# What `check --deploy` is to judge: the settings of a server, not of a laptop.
PRODUCTION := COUNTERSIGN_HTTPS=true SECRET_KEY=for-the-check-only-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFG \
	ALLOWED_HOSTS=board.example.org

# Two first runs on one clone wait for each other; a directory is made by one of them only, on every system.
ALONE = waits=; until mkdir $(VENV).lock 2>/dev/null; do \
	[ -w . ] || { echo "This folder cannot be written to." >&2; exit 1; }; \
	[ "$$waits" ] || echo "Waiting for another make in this folder (if there is none: rmdir $(VENV).lock) …"; \
	waits=1; sleep 1; done; trap 'rmdir $(VENV).lock' 0; trap 'exit 1' 1 2 15;

.PHONY: run test lint lock advisories sbom bench bench-audit bench-health bench-mining bench-pages bench-quality bench-steady drill-calls drill-kills drill-outage drill-races drill-recovery drill-retries clean
.DEFAULT_GOAL := run

run: $(VENV)/.run
	@exec $(BIN)/python manage.py up --host $(HOST) --port $(PORT) $(ARGS)

test: $(VENV)/.dev
	$(BIN)/python -m pytest --numprocesses $$(($$(getconf _NPROCESSORS_ONLN) + 1)) --maxprocesses 4 --dist worksteal $(ARGS)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml .
	$(BIN)/mypy .
	cd client && $(abspath $(BIN))/mypy .
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(PRODUCTION) $(BIN)/python manage.py check --deploy --fail-level WARNING

advisories: $(VENV)/.dev
	$(BIN)/python -m drills.advisories $(ARGS)

# It warns that requirements.txt does not say which package needs which.
sbom: $(VENV)/.dev
	$(BIN)/python -W ignore -m cyclonedx_py requirements --pyproject pyproject.toml --output-reproducible \
		--output-file sbom.cdx.json requirements.txt

lock: $(VENV)/.dev
	$(BIN)/uv pip compile --quiet --generate-hashes --python-version 3.11 --universal requirements.in -o requirements.txt
	$(BIN)/uv pip compile --quiet --generate-hashes --python-version 3.11 --universal -c requirements.txt \
		requirements-dev.in -o requirements-dev.txt

bench: $(VENV)/.dev
	$(BIN)/python -m bench $(ARGS)

bench-health: $(VENV)/.dev
	$(BIN)/python -m bench.health $(ARGS)

bench-pages: $(VENV)/.dev
	$(BIN)/python -m bench.pages $(ARGS)

bench-steady: $(VENV)/.dev
	$(BIN)/python -m bench.steady $(ARGS)

bench-audit: $(VENV)/.dev
	$(BIN)/python -m bench.audit $(ARGS)

bench-mining: $(VENV)/.dev
	$(BIN)/python -m bench.mining $(ARGS)

bench-quality: $(VENV)/.dev
	$(BIN)/python -m bench.quality $(ARGS)

drill-races drill-kills drill-calls drill-outage drill-recovery drill-retries: drill-%: $(VENV)/.dev
	PYTHONPATH=client $(BIN)/python -m drills.$* $(ARGS)

clean:
	rm -rf $(VENV) $(VENV).lock .pytest_cache .mypy_cache .ruff_cache

# The stamps are written last, so an installation that was interrupted is done again.
$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Countersign needs Python 3.11 or newer; name one: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(ALONE) [ ! -e $@ ] || exit 0; echo "Making a virtual environment in $(VENV) …"; \
		$(PYTHON) -m venv --clear $(VENV) || \
		{ echo "$(PYTHON) cannot make a virtual environment (Debian: apt-get install python3-venv)." >&2; exit 1; }; \
		touch $@

$(VENV)/.run: requirements.txt | $(VENV)/.made
	@$(ALONE) echo "Installing requirements.txt …"; $(PIP) -r requirements.txt && touch $@

$(VENV)/.dev: requirements-dev.txt | $(VENV)/.made
	@$(ALONE) echo "Installing requirements-dev.txt …"; $(PIP) -r requirements-dev.txt && touch $@ $(VENV)/.run
