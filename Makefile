# Two commands set everything up on a fresh machine with Python >= 3.11: make demo, make test.

PYTHON ?= python3
VENV   ?= .venv
# dev,spark also brings Spark, which needs Java.
EXTRAS ?= dev
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed-$(EXTRAS)

# ruff has no setup.cfg section of its own, so its configuration stands here.
RUFF_CHECK := --line-length 120 --target-version py311 --select E,F,W,I,UP,B,SIM,C4,RET,PTH --ignore E501

.PHONY: demo test lint serve bench clean install

demo: $(STAMP)
	$(BIN)/carbonhui demo

test: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadfile

lint: $(STAMP)
	$(BIN)/ruff check $(RUFF_CHECK) carbonhui methodologies admin tests bench
	$(BIN)/mypy

serve: $(STAMP)
	$(BIN)/carbonhui serve

bench: $(STAMP)
	$(BIN)/python -m bench.ledger
	$(BIN)/python -m bench.quantify
	$(BIN)/python -m bench.mint
	$(BIN)/python -m bench.api
	$(BIN)/python -m bench.till

install: $(STAMP)

# Debian splits venv from Python; where it is missing, the message says what to install.
$(STAMP): setup.cfg constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed; this is " + sys.version)'
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "Python's venv is missing: apt-get install python3-venv"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv "$(VENV)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[$(EXTRAS)]"
	touch $(STAMP)

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
