#!/bin/bash
# A campaign as a Slurm array.  From the top of the repository:
#
#     job=$(sbatch --parsable --array=1-32 tools/ci/campaign/slurm.sh run)
#     sbatch --dependency=afterok:$job tools/ci/campaign/slurm.sh merge
#
# SEEDS, SCENARIOS and RESULTS (a folder that all nodes see) come from the environment.
#SBATCH --job-name=wzp-campaign
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=4
#SBATCH --mem=2G
#SBATCH --time=01:00:00
set -euo pipefail

seeds=${SEEDS:-1..1000}
scenarios=${SCENARIOS:-sim/scenarios}
results=${RESULTS:-campaign}
mkdir -p "$results"

case ${1:-run} in
run)
    part=$SLURM_ARRAY_TASK_ID
    status=0
    wzp-sim campaign "$scenarios" --seeds "$seeds" --shard "$part/$SLURM_ARRAY_TASK_COUNT" \
        --jobs "${SLURM_CPUS_PER_TASK:-1}" --json "$results/shard-$part.json" --quiet || status=$?
    # 1: a scenario failed; whether it holds is judged when all runs are there.
    [ "$status" -le 1 ]
    ;;
merge)
    wzp-sim campaign --merge "$results"/shard-*.json --json "$results/campaign.json"
    ;;
*)
    echo "usage: slurm.sh run|merge" >&2
    exit 2
    ;;
esac
