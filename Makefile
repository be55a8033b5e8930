.DEFAULT_GOAL := help
BIN := $(CURDIR)/.venv/bin

help: ## show the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

check: format-check lint types contracts unit ## what must hold before every commit (under 3 minutes)

format: ## rewrite the code in the house format
	cd backend && $(BIN)/ruff format . ../tests && $(BIN)/ruff check --fix . ../tests

format-check: ## fail if `make format` would change a file
	cd backend && $(BIN)/ruff format --check . ../tests

lint: ## static rules
	cd backend && $(BIN)/ruff check . ../tests

types: ## pyright, strict
	cd backend && $(BIN)/pyright

contracts: ## import rules and size budgets
	cd backend && $(BIN)/lint-imports --no-cache && $(BIN)/pytest -c pyproject.toml -q ../tests/architecture

unit: ## tests that need no engine, model or browser
	cd backend && $(BIN)/pytest -c pyproject.toml -q -n 2 ../tests/unit

.PHONY: help check format format-check lint types contracts unit
