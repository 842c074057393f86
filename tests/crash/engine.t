#!/bin/bash
# SIGKILL at the system calls of the engine and of the first process, of one of
# them or of all at once: `delete --force` leaves no process, no cgroup, no
# mount, no file, and the id can be used again (R09, R10).  Which of the calls:
# see tests/fault/engine.t.
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/../integration/engine-lib.sh"
. "$(dirname "$0")/../fault/engine_bundle.sh"
tmpdir
at_exit e_cleanup
BASELINE_SCOPE=${BASELINE_SCOPE:-"$T_TAG|$TMP"}
baseline_take
sweep_bundle all '["sleep", "1000"]'
sweep_bundle run '["true"]'
diag "seed $SWEEP_SEED"

sweep create -k -e "$SWEEP_EVERY"
sweep run -k -e "$((SWEEP_EVERY * 2))"
sweep start -k -e 2
for _a in exec pause resume update; do
	sweep "$_a" -k -e 2
done
sweep delete -k -e 2
baseline_check "the host is as it was"
finish
