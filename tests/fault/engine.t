#!/bin/bash
# Each system call of the engine and of the first process fails once, whatever
# the command: it says so, and nothing remains (R10).  Of create and run, which
# make a thousand calls, each SWEEP_EVERY-th from SWEEP_SEED on;
# SWEEP_ALL=1 (make fault-engine-full): every call with every error.
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/../integration/engine-lib.sh"
. "$(dirname "$0")/engine_bundle.sh"
tmpdir
at_exit e_cleanup
BASELINE_SCOPE=${BASELINE_SCOPE:-"$T_TAG|$TMP"}
baseline_take
sweep_bundle all '["sleep", "1000"]'
sweep_bundle run '["true"]'
diag "seed $SWEEP_SEED"

sweep create -e "$SWEEP_EVERY"
sweep run -e "$((SWEEP_EVERY * 2))"
sweep start -e 2
for _a in exec kill kill-all pause resume update state ps list; do
	sweep "$_a"
done
sweep delete -e 2
baseline_check "the host is as it was"
finish
