# Thin: sets up, and hands over to Meson and the scripts in tools/. Needs only make and a Debian 12.


.PHONY: all build demo check bench bench-voice soak fuzz tidy format install clean

all: build

build: ## the programs, together in build/bin
	@tools/setup.sh build
	@tools/build.sh

demo: build ## two people talk, in temporary homes
	@tools/demo.sh build/bin

check: ## all tests, in the release build and under sanitizers
	@tools/setup.sh build test
	@tools/check.sh

bench: ## measures, prints a table, writes build/bench.json
	@tools/setup.sh build test bench
	@tools/bench.sh

bench-voice: ## calls on bad lines: delay, intelligibility, what can be seen of them (15 minutes; root): build/bench-voice.json
	@tools/setup.sh build test bench
	@tools/bench-voice.sh

soak: ## 10,000 kills and 2,000 power cuts: nothing is lost (hours; goes on where it was)
	@tools/setup.sh build test
	@tools/soak.sh

fuzz: ## ten minutes for each fuzz target: make fuzz SECONDS=600
	@tools/setup.sh build fuzz
	@tools/fuzz.sh

tidy: ## static analysis
	@tools/setup.sh build test tidy
	@tools/tidy.sh

format: ## lays out all sources
	@git ls-files '*.c' '*.h' | xargs clang-format -i

install: build ## to PREFIX (default /usr/local), DESTDIR honoured
	@meson install -C build/release --no-rebuild

clean:
	rm -rf build
