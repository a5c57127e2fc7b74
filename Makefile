# The public commands. `make` alone lists them.
.DEFAULT_GOAL := help
.PHONY: help setup demo serve test lint bench clean distclean
N ?= 60
SAMPLES := tests/samples/landlord_a:nested tests/samples/landlord_b:relational
BENCH_N ?= 400
PYTHON := .venv/bin/python

help: ## cette liste
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | while IFS='	' read -r name text; do printf '  make %-10s %s\n' "$$name" "$$text"; done

setup: ## installe ce qu'il faut pour la démonstration
	@scripts/setup.sh demo

demo: setup ## joue une campagne entière (N foyers, 60 par défaut), puis la sert : make demo N=4000
	@$(PYTHON) manage.py migrate --verbosity 0
	@$(PYTHON) manage.py rehearse --households $(N) --serve $(SAMPLES:%=--deposit %)

serve: setup ## sert ce qui est dans la base : web, worker et planning ensemble
	@$(PYTHON) manage.py migrate --verbosity 0
	@$(PYTHON) manage.py serve

test: ## installe ce qu'il faut, puis vérifie tout, sur SQLite et sur PostgreSQL
	@scripts/test.sh

lint: ## les vérifications sans les tests
	@scripts/test.sh lint

bench: setup ## joue une campagne et n'affiche que les mesures : make bench BENCH_N=4000
	@$(PYTHON) manage.py migrate --verbosity 0
	@$(PYTHON) manage.py rehearse --households $(BENCH_N) --json

clean: ## efface la base de démonstration et tout ce qui a été produit
	rm -rf var staticfiles .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage

distclean: clean ## efface aussi les paquets installés
	rm -rf .venv node_modules
