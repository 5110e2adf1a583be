# make figure    draw the figure into results/PRESET; a few minutes from a fresh clone
# make test      run the tests
# make check     format, vet, staticcheck, known vulnerabilities
# make bench     run the benchmarks
# make lab       open the notebooks in JupyterLab
# make build     build bin/gansim
# make clean     remove bin and results/smoke
#
# figure takes PRESET=smoke|class, PANEL=a,b,c,d, PHOTOS=folder, OUT=folder, RESUME=1 and
# BACKEND=auto|go|xla:cpu|xla:cuda; all but PRESET and BACKEND default to what gansim figure does.
# Without a C compiler Go turns cgo off by itself; CGO_ENABLED=0 does so on purpose.

PRESET ?= smoke
BACKEND ?= auto
export PRESET BACKEND PANEL PHOTOS OUT RESUME

# The Go backend is about eight times faster with vector kernels, which exist for amd64.
ifeq ($(shell go env GOARCH),amd64)
export GOEXPERIMENT ?= simd
endif

lint = go tool -modfile=tools/lint/go.mod

.PHONY: figure build lab test bench check format vet staticcheck vulnerabilities clean

figure: build
	bin/gansim figure --preset "$$PRESET" --backend "$$BACKEND" $${PANEL:+--panel "$$PANEL"} \
		$${PHOTOS:+--photos "$$PHOTOS"} $${OUT:+--out "$$OUT"} $${RESUME:+--resume}

build:
	go build -o bin/gansim ./tools/gansim

lab: build
	bin/gansim lab

test:
	go test ./...

bench:
	go test -run '^$$' -bench . -benchmem ./...

check: format vet staticcheck vulnerabilities

format:
	@bad=$$(gofmt -l gansim kernels weights tools) && test -z "$$bad" || \
		{ echo "not as gofmt writes it:" $$bad; exit 1; }

vet:
	go vet ./...

staticcheck:
	$(lint) staticcheck ./...

# Known vulnerabilities of what the program calls. They are listed in a database on the network; to
# be offline is no failure.
vulnerabilities:
	@log=$$($(lint) govulncheck ./... 2>&1) && code=0 || code=$$?; \
	case "$$code $$log" in \
	"1 "*"govulncheck: fetching vulnerabilities:"*) \
		echo "vulnerabilities not checked: the database cannot be reached";; \
	*) echo "$$log"; exit $$code;; esac

clean:
	rm -rf bin results/smoke
