# One virtual environment serves both targets; it is remade when the requirements change.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test clean

demo: $(STAMP)
	$(BIN)/topogan demo demo --overwrite

test: $(STAMP)
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest Testing

$(STAMP): pyproject.toml Testing/constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint Testing/constraints.txt --editable '.[demo,test]'
	touch $(STAMP)

clean:
	rm -rf $(VENV) demo build dist
