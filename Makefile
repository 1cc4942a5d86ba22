# Each target sets up all it needs: Python >= 3.11 and a C++ compiler are enough. See `make help`.
.POSIX:
.SILENT:
.PHONY: help meet levels participant claims table test lint docs dist lock clean environment environment-test \
	environment-docs environment-dist

# may be given: make PYTHON=/path/to/python, make meet SEEDS=0:10 RESULTS=/elsewhere
VENV = .venv
SEEDS = 100:105
RESULTS = results
CUE = cue
TARGETS = go no-go
EVENTS =
# of make test: which tests, as pytest takes them; extras of the package besides, as EXTRAS=,observers; see .ci/environment
TESTS =
EXTRAS =
UV =
# of make docs: quick leaves out what simulates
DOCS =

izhires = $(VENV)/bin/izhires
python = $(VENV)/bin/python

help:
	echo "make meet         the main experiment on seeds $(SEEDS): run, analyse, draw; into $(RESULTS)/meet"
	echo "make levels       amplitude against probability, 11 levels a seed; into $(RESULTS)/levels"
	echo "make participant EVENTS='run-1_events.tsv run-2_events.tsv'"
	echo "                  one participant's cued reaction task; into $(RESULTS)/participant"
	echo "make claims       every claim of the paper with its control, on seeds 300:320; into $(RESULTS)/claims"
	echo "make table        every figure of docs/results.md, measured anew; into $(RESULTS)/table"
	echo "make test         all tests, or some: TESTS='-m portable', TESTS=tests/test_export.py"
	echo "make lint         style and types"
	echo "make docs         the site, into docs/_build/html; DOCS=quick leaves out what simulates"
	echo "make dist         source distribution and wheel, checked, into dist"
	echo "make lock         .ci/constraints.txt: one version of each package for each Python, as tested"
	echo "make clean        remove the environment and what was built; results stay"
	echo "PYTHON=... chooses the Python of the environment, SEEDS=... the seeds, RESULTS=... the folder"

meet: environment
	$(izhires) run meet --seeds $(SEEDS) --out $(RESULTS)/meet
	$(izhires) analyse $(RESULTS)/meet
	$(izhires) figures $(RESULTS)/meet

levels: environment
	$(izhires) run meet-levels --seeds $(SEEDS) --out $(RESULTS)/levels
	$(izhires) analyse $(RESULTS)/levels
	$(izhires) figures $(RESULTS)/levels

participant: environment
	set -- ; for each in $(EVENTS); do set -- "$$@" --events "$$each"; done; \
	if [ $$# -eq 0 ]; then \
		echo "name the event files: make participant EVENTS='run-1_events.tsv run-2_events.tsv'" >&2; exit 2; \
	fi; \
	for each in $(TARGETS); do set -- "$$@" --event "$$each"; done; \
	$(izhires) run cued-reaction --config examples/participant.toml "$$@" --cue $(CUE) --seeds $(SEEDS) --out $(RESULTS)/participant
	$(izhires) analyse $(RESULTS)/participant
	$(izhires) figures $(RESULTS)/participant

claims: environment
	$(izhires) reproduce --seeds 300:320 --out $(RESULTS)/claims

table: environment
	$(python) examples/results.py --seeds $(SEEDS) --out $(RESULTS)/table --participant $(EVENTS)

# bytecode is kept, whatever the environment says: the tests start thousands of processes
test: environment-test
	PYTHONDONTWRITEBYTECODE= $(python) -m pytest -n 2 --dist worksteal $(TESTS)

lint: environment-test
	$(python) -m ruff check .
	$(python) -m ruff format --check .
	# mypy finds modules by their folders alone, and knows no package-dir: show it the three rooms where they are imported from
	rm -rf .mypy_cache/rooms
	mkdir -p .mypy_cache/rooms/izhires
	for each in izhires/* paradigms analysis; do ln -s "../../../$$each" .mypy_cache/rooms/izhires/; done
	MYPYPATH=.mypy_cache/rooms $(python) -m mypy

docs: environment-docs
	IZHIRES_DOCS='$(DOCS)' $(python) -m sphinx -W --keep-going -n -q docs docs/_build/html
	echo "docs/_build/html/index.html"

dist: environment-dist
	rm -rf dist
	$(python) -m build
	$(python) -m twine check --strict dist/*
	$(python) -m check_wheel_contents dist/*.whl
	$(python) -m cffconvert --validate

# pip install -c .ci/constraints.txt '.[test]' gives what was tested last
lock: environment-test
	$(python) -m pip install --quiet --disable-pip-version-check uv
	$(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --upgrade --no-annotate --no-header \
		--extra test --extra observers --extra docs pyproject.toml --output-file .ci/constraints.txt

clean:
	rm -f $(python)
	rm -rf $(VENV) build dist *.egg-info docs/_build docs/auto_gallery docs/reference .pytest_cache .ruff_cache .mypy_cache
	find izhires paradigms analysis tests -name __pycache__ -type d -prune -exec rm -rf {} +

environment:
	PYTHON='$(PYTHON)' sh .ci/environment $(VENV) .

environment-test:
	PYTHON='$(PYTHON)' UV='$(UV)' sh .ci/environment $(VENV) '.[test$(EXTRAS)]'

environment-docs:
	PYTHON='$(PYTHON)' UV='$(UV)' sh .ci/environment $(VENV) '.[docs]'

environment-dist:
	PYTHON='$(PYTHON)' UV='$(UV)' sh .ci/environment $(VENV) '.[dist]'
