# One virtual environment serves both targets; it is remade when the requirements change.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: check clean demo test

demo: $(STAMP)
	$(BIN)/topogan demo demo --overwrite

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# A process a core, each with one thread: more would get into each other's way. In the order of pyproject.toml: xdist's
# own begins with the files of the most tests, and leaves those with few and long ones for the end.
test: $(STAMP)
	QT_QPA_PLATFORM=offscreen OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --dist loadfile \
		--no-loadscope-reorder

$(STAMP): pyproject.toml Testing/constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint Testing/constraints.txt --editable '.[demo,dev,test]'
	touch $(STAMP)

clean:
	rm -rf $(VENV) demo build dist
