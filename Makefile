# Everything a newcomer runs. Each target does its own set-up; what is needed beforehand is make, Node >= 20 and npm.

NODE := node_modules/node/bin/node
TESTS ?= test/**/*.test.ts

.PHONY: help demo test nightly bench check setup clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 14

demo: setup ## the gateway over PostgreSQL, and MySQL where there is one, with sample data, until Ctrl-C (ONCE=1: ends after the story)
	@exec $(NODE) demo/main.ts

test: setup ## every test, against real servers (TESTS=<glob> for some)
	@scripts/setup-debian test && scripts/setup-mysql
	@$(NODE) --test --test-concurrency=2 --test-timeout=180000 --test-reporter=./test/reporter.ts "$(TESTS)"

nightly: setup ## 20,000 random statements a protocol: no byte of a masked value may reach the client (SEED=<number> repeats a run)
	@DIFFERENTIAL=20000 $(NODE) --test --test-timeout=1800000 test/masking/differential.test.ts test/masking/mysql/differential.test.ts

bench: setup ## the benchmarks: a table and bench/results.json, fails on a regression (BENCH_QUICK=1: a look)
	@scripts/setup-debian bench && scripts/setup-mysql
	@$(NODE) bench/run.ts

check: setup ## types, lint, import rules, docs in step with the code
	@echo "check: types"
	@node_modules/.bin/tsc -p .
	@echo "check: lint and format"
	@node_modules/.bin/biome check --log-level=warn --error-on-warnings
	@echo "check: import rules, docs"
	@$(NODE) --test --test-reporter=./test/reporter.ts test/conformance/imports.test.ts "test/docs/*.test.ts"

setup: ## the dependencies, where they are missing or older than the lockfile
	@scripts/setup-node

clean: ## removes all that the other targets made
	rm -rf node_modules .cache dist data bench/results.json
