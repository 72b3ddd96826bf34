# The main commands are `make demo` and `make test`. Each runs a few ordinary commands, which the README lists.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
DEMO := outputs/demo/$(shell date +%Y-%m-%d_%H-%M-%S)

.PHONY: install demo test test-slow lint deliverable

install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -c constraints.txt -e ".[dev]"
	touch $@

demo: install
	$(BIN)/python train.py name=demo hydra.run.dir=$(DEMO)
	$(BIN)/python predict.py checkpoint=$(DEMO)/checkpoints/best.ckpt output=$(DEMO)/predict \
		images=data/synthetic/images/field_5.png masks=data/synthetic/masks
	@echo "TensorBoard: $(DEMO)/tensorboard (to look at it: $(BIN)/tensorboard --logdir outputs)"

test: install
	$(BIN)/python -m pytest

test-slow: install
	$(BIN)/python -m pytest -m slow

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

deliverable: install
	$(BIN)/python -m grainseg.pipeline.deliverable $(if $(RUN),"$(RUN)")
