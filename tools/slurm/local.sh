#!/bin/bash
# A real Slurm of one node for tests, without systemd, on the loopback interface only:
#
#	local.sh start DIR    prints the export of SLURM_CONF
#	local.sh stop DIR
#
# As root on Debian 12, with slurm-wlm and munge. Partition high preempts low, whose tasks are queued
# again.
set -eu
D=$(mkdir -p "$2" && cd "$2" && pwd)
case $1 in
start)
  mkdir -p "$D"/{state,spool,log,munge}
  [ -s "$D/munge/key" ] || { head -c 1024 /dev/urandom >"$D/munge/key"; chmod 600 "$D/munge/key"; }
  chmod 711 "$D" "$D/munge"; chmod 700 "$D/log"
  munged --force --key-file="$D/munge/key" --socket="$D/munge/sock" --pid-file="$D/munge/pid" --log-file="$D/log/munged.log" --seed-file="$D/munge/seed"
  c=$(nproc)
  cat >"$D/slurm.conf" <<CONF
ClusterName=local
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$D/munge/sock
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
ReturnToService=2
MaxArraySize=2001
JobRequeue=1
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SchedulerParameters=sched_interval=2,bf_interval=2
KillWait=5
MinJobAge=3600
StateSaveLocation=$D/state
SlurmdSpoolDir=$D/spool
SlurmctldLogFile=$D/log/slurmctld.log
SlurmdLogFile=$D/log/slurmd.log
SlurmctldPidFile=$D/slurmctld.pid
SlurmdPidFile=$D/slurmd.pid
SlurmctldPort=16817
SlurmdPort=16818
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
NodeName=$(hostname -s) NodeAddr=127.0.0.1 CPUs=$c RealMemory=$(( $(awk '/MemTotal/{print $2}' /proc/meminfo) / 1024 - 1024 )) State=UNKNOWN
PartitionName=low Nodes=ALL Default=YES MaxTime=INFINITE State=UP PriorityTier=1 GraceTime=5
PartitionName=high Nodes=ALL MaxTime=INFINITE State=UP PriorityTier=10 PreemptMode=OFF
CONF
  export SLURM_CONF="$D/slurm.conf"
  slurmctld; slurmd
  for _ in $(seq 30); do sinfo -h -o %T 2>/dev/null | grep -qE 'idle|mix|alloc' && { echo "export SLURM_CONF=$D/slurm.conf"; exit 0; }; sleep 1; done
  tail -n 5 "$D"/log/*.log >&2; exit 1;;
stop) for f in "$D"/slurmd.pid "$D"/slurmctld.pid "$D"/munge/pid; do [ -s "$f" ] && kill "$(cat "$f")" || true; done;;
esac
