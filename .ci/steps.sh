# shellcheck shell=bash
# What .ci/run and .ci/nightly share. Source it with bash; it leaves the shell in the repository's
# root, and a step that fails ends the script.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Nothing from outside chooses what make figure does.
unset PRESET BACKEND PANEL PHOTOS OUT RESUME
unset CGO_ENABLED PJRT_PLUGIN_LIBRARY_PATH GANSIM_TEST_BACKEND
if [[ $(go env GOARCH) == amd64 ]]; then export GOEXPERIMENT=simd; fi

scratch=$(mktemp -d)
# shellcheck disable=SC2034
plugins=$PWD/.cache/gansim # the XLA plugin, kept between runs
export GANSIM_HOME=$scratch/home # no plugin: auto means the go backend
times=()
current=

finish() {
	local code=$?
	chmod -R u+w "$scratch"
	rm -rf "$scratch"
	if ((code)); then printf '\nFAILED after %d s in: %s\n' "$SECONDS" "${current:-the start}"; fi
	exit "$code"
}
trap finish EXIT

# step NAME COMMAND... runs a command under a heading and says how long it took.
step() {
	current=$1
	local begin=$SECONDS
	printf '\n=== %s\n' "$current"
	shift
	"$@"
	times+=("$(printf '%5d s  %s' $((SECONDS - begin)) "$current")")
	printf '=== %s: %d s\n' "$current" $((SECONDS - begin))
}

# passed is the last line of a run in which every step passed.
passed() {
	printf '\n'
	printf '%s\n' "${times[@]}"
	printf '\nPASSED: all %d steps in %d min %d s\n' ${#times[@]} $((SECONDS / 60)) $((SECONDS % 60))
}

# install PACKAGE... installs packages of Debian.
install() {
	local root=()
	((EUID == 0)) || root=(sudo)
	"${root[@]}" apt-get update -q
	"${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "$@"
}

# packages installs what a bare Debian lacks.
packages() {
	local missing=()
	command -v make >/dev/null || missing+=(make)
	echo '#include <stdlib.h>' | gcc -E - >/dev/null 2>&1 || missing+=(gcc libc6-dev)
	python3 -I -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
	command -v ip >/dev/null || missing+=(iproute2)
	[[ -e /etc/ssl/certs/ca-certificates.crt ]] || missing+=(ca-certificates)
	if ((${#missing[@]})); then install "${missing[@]}"; fi
	go version
	gcc --version | head -n 1
	python3 --version
	go mod download
	(cd tools/lint && go mod download)
}

# fuzz_one DURATION NAME FOLDER runs a target. At the end of its time Go's fuzzer now and then fails with
# "context deadline exceeded" and no input; only then it is run once more. Large inputs that cover
# something new are not made smaller for long: that would take all of a short run.
fuzz_one() {
	local log=$scratch/fuzz.log
	local run=(go test -run '^$' -fuzz "^$2\$" -fuzztime "$1" -fuzzminimizetime 2s "./$3")
	"${run[@]}" 2>&1 | tee "$log" && return
	grep -q 'context deadline exceeded' "$log" && ! grep -q 'Failing input' "$log" || return 1
	"${run[@]}"
}

# fuzz DURATION runs every fuzz target for so long.
fuzz() {
	local found target
	mapfile -t found < <(grep -rno --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' \
		gansim kernels weights tools)
	((${#found[@]})) || { echo "found no fuzz target"; return 1; }
	for target in "${found[@]}"; do
		local name=${target##*func } folder
		folder=$(dirname "${target%%:*}")
		echo "--- $folder $name"
		fuzz_one "$1" "$name" "$folder" || return 1
	done
}

# complete FOLDER says whether a figure's folder holds every file, and each looks as it should.
complete() {
	python3 - "$1" <<'PY'
import json, pathlib, struct, sys

out = pathlib.Path(sys.argv[1])
names = ["report.md", "report.json"] + [f"figure.{e}" for e in ("png", "svg", "pdf")]
names += [f"panel_{p}.{e}" for p in "abcd" for e in ("png", "svg", "parquet", "csv")]
lacking = [n for n in names if not (out / n).is_file() or not (out / n).stat().st_size]
assert not lacking, f"{out} lacks {lacking}"
width, height = struct.unpack(">II", (out / "figure.png").read_bytes()[16:24])
assert width >= 2000, f"figure.png is {width} pixels wide, want 2000 or more"
report = json.loads((out / "report.json").read_text())
for key in "preset", "seed", "weights", "versions", "device", "wall_s":
    assert report.get(key) not in (None, "", {}), f"report.json has no {key}"
for p in "abcd":
    section = report[f"panel_{p}"]
    assert section["n"] > 0 and section["values"], f"panel_{p} of report.json is empty"
    for v in section["values"]:
        assert {"name", "group", "ours", "se", "paper"} <= v.keys(), v
    for t in section["tests"] or []:
        want = {"name", "n", "statistic", "z", "p", "log10_p", "effect_size", "paper"}
        assert want <= t.keys(), t
for p in "cd":
    assert report[f"panel_{p}"]["tests"], f"panel_{p} of report.json has no test"
print(f"{out}: {len(names)} files, figure.png {width} x {height}, {report['device']}, "
      f"{report['wall_s']:.1f} s")
PY
}

# same FOLDER FOLDER compares the rows and pictures of two runs byte by byte.
same() {
	local file differ=0
	for file in panel_{a,b,c,d}.{parquet,csv,svg,png} figure.{svg,png}; do
		cmp "$1/$file" "$2/$file" || differ=1
	done
	return $differ
}
