#!/usr/bin/env bash
# A sweep as a Slurm array gives the same table as in one process, though its tasks are requeued,
# preempted and run into their time limit.
#
#	sweep.sh GANSIM SCRATCH
#
# GANSIM is the program, SCRATCH an empty folder. As root, with slurm-wlm and munge (see local.sh).
set -euo pipefail
gansim=$(realpath "$1")
mkdir -p "$2"
scratch=$(realpath "$2")
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")

part() { # name, generator, labels
	cat <<-YAML
		  - part: $1
		    networks: [resnet50, resnet50_linf8]
		    rf: [layer1]
		    full: [layer1, layer3, fc]
		    channels: 0-1
		    generators: [$2]
		    labels: [$3]
		    replicates: 2
		    samples: 3
		    steps: 80
	YAML
}
{
	printf 'name: slurm\nworld: miniature\nshard: 16\nparts:\n'
	part one BigGAN "Adam001, SGD001Hess"
	part two DeePSim "Adam01, Adam01Hess"
} >"$scratch/sweep.yaml"
"$gansim" sweep run --config "$scratch/sweep.yaml" --backend go --out "$scratch/alone"
"$gansim" sweep merge --out "$scratch/alone"

eval "$("$here/local.sh" start "$scratch/slurm")"
trap '"$here/local.sh" stop "$scratch/slurm"' EXIT

out=$scratch/array
# Slurm counts limits in minutes and warns 30 seconds before: so each task gets half a minute.
"$gansim" sweep sbatch --config "$scratch/sweep.yaml" --backend go --out "$out" --tasks 2 --cpus 1 --time 00:01:00 \
	--partition low
state() { "$gansim" sweep status --out "$out" --json 2>/dev/null |
	python3 -c "import json, sys; s = json.load(sys.stdin); print(s['shards']['$1'])" 2>/dev/null || echo 0; }
until_done() { # a number of shards
	for _ in $(seq 200); do
		[ "$(state done)" -ge "$1" ] && return
		sleep 0.5
	done
	echo "only $(state done) shards are done, want $1"
	exit 1
}

job=$(sbatch --parsable "$out/sweep.sbatch")
until_done 2
echo "requeue task 0 of job $job with $(state done) shards done"
scontrol requeue "${job}_0"
until_done 4
echo "preempt with $(state done) shards done"
sbatch --parsable --partition high --exclusive --wrap 'sleep 2' --output /dev/null >"$scratch/high"
while [ "$(squeue -h -j "$(cat "$scratch/high")" -o %T 2>/dev/null)" ]; do sleep 0.5; done
# Tasks that were requeued wait for two minutes: the same file, submitted again, goes on.
total=$(state total)
for round in $(seq 12); do
	[ "$(state done)" = "$total" ] && break
	again=$(sbatch --parsable "$out/sweep.sbatch")
	echo "round $round: job $again with $(state done) of $total shards done"
	for _ in $(seq 90); do
		[ "$(state done)" = "$total" ] && break
		case $(squeue -h -j "$again" -o %T 2>/dev/null) in
		*RUNNING* | *CONFIGURING* | *COMPLETING*) ;;
		*PENDING*) [ "$(squeue -h -j "$again" -o %r)" != BeginTime ] || break ;;
		*) break ;;
		esac
		sleep 1
	done
done
scancel -u "$(id -un)"
squeue -l
cat "$out"/slurm-*.log
[ "$(state done)" = "$total" ] || { echo "$(state done) of $total shards are done"; exit 1; }
"$gansim" sweep merge --out "$out"
for f in panel_d.parquet panel_d.csv; do
	cmp "$scratch/alone/$f" "$out/$f"
done
grep -q 'asked to end\|interrupted' "$out"/slurm-*.log || { echo "no task was interrupted"; exit 1; }
echo "the array's table is the same, of $total shards"
