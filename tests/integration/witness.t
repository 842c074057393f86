#!/bin/bash
# witness.t - every host is a witness of the manager's audit log: a log that is
# set back (A95) or written anew and signed with its own key (A96) is refused by
# the hosts, recorded by them, and ends the pass with 9.  Seen red with
# GUARD_OFF_WITNESS_FORK.
. "$(dirname "$0")/lib.sh"
need_root
need_program git ssh-keygen jq ip
tmpdir
W=$(mktemp -d /var/tmp/reconcile-witness.XXXXXX)
chmod 755 "$W"
WORLD_TAG=rcw$$ WORLD_NET=10.79.0
. "$TOP/tests/integration/world.sh"
down()
{
	world_down
	rm -rf --one-file-system -- "$W"
}
at_exit down
fatal() { not_ok "$1" "$(tail -n 8 "$W"/*/*.log 2>/dev/null)"; printf '1..%d\n' "$T_N"; exit 1; }

AUDIT=$W/manager/state/audit
hosts_in() { [ "$(rec host list -o json | jq "[.[] | select(.state == \"$1\")] | length")" = "$2" ]; }
pass() { run rec --timeout 30 "$@"; }
host_log() { rec audit show --log "$W/$1/state/audit" --type witness.refuse; }
entries() { wc -l <"$AUDIT/log"; }
lines() { grep -c '^— reconcile/host/' "$AUDIT/cosigned"; }

change() # TEXT: a signed commit that every host has to confirm
{
	mkdir -p "$W/clone/.reconcile" "$W/clone/apps"
	cat >"$W/clone/.reconcile/policy.yaml" <<-EOF
	apiVersion: reconcile/v1alpha1
	kind: ClusterPolicy
	metadata:
	  name: policy
	spec:
	  repository:
	    id: fleet-test
	    ref: refs/heads/main
	EOF
	cat >"$W/clone/apps/settings.yaml" <<-EOF
	apiVersion: v1
	kind: ConfigMap
	metadata: {name: settings}
	data:
	  text: "$1"
	EOF
	world_commit "$1"
}

grow() # N: at least N more entries, by an operator's commands
{
	_until=$(($(entries) + $1))
	while [ "$(entries)" -lt "$_until" ]; do
		rec host cordon host-1 >/dev/null || return 1
		rec host uncordon host-1 >/dev/null || return 1
	done
}

# restore COPY: the log's folder as it was
restore()
{
	rm -rf "$AUDIT"
	cp -a "$1" "$AUDIT"
}

world_net 2 || fatal "network"
world_repo
change first && world_manager || fatal "manager"
for i in 1 2; do agent_join "host-$i" "$i" || fatal "token"; done
pass --timeout 2
for i in 1 2; do
	eval "p=\$JOIN_host_$i"
	wait "$p" || fatal "host-$i joined"
	agent_start "host-$i"
done
wait_for 20 hosts_in ready 2 || fatal "two hosts are ready"

# --- both cosign ---------------------------------------------------------------
pass
is "$ST" 0 "the pass converges" || diag "$ERR"
is "$(lines)" 2 "both hosts have cosigned its checkpoint"
run rec audit verify
is "$ST" 0 "the log verifies"
like "$OUT" "^[0-9]+ entries cosigned by 2 of 2 witnesses$" "and says who cosigned"
succeeds "the cosigned note is a checkpoint" rec audit verify --checkpoint "$AUDIT/cosigned"
is "$(rec audit show --type witness.key | grep -c "result=pinned")" 2 "the keys of both are recorded"
cp -a "$AUDIT" "$W/first"
grow 30
change second
pass
is "$ST" 0 "a second pass"
is "$(lines)" 2 "is cosigned, too"
cp -a "$AUDIT" "$W/second"
pass
like "$ERR" "Nothing to do" "a pass that does nothing"
is "$(cmp "$AUDIT/cosigned" "$W/second/cosigned" && echo same)" same "asks for no cosignature"

# --- a host that does not answer ------------------------------------------------------
change third
kill -STOP "$(agent_pid host-2)"
run rec --timeout 2
kill -CONT "$(agent_pid host-2)"
is "$ST" 8 "a host that does not answer leaves the pass incomplete"
is "$(lines)" 1 "one host has cosigned"
both() { rec --timeout 5 >/dev/null 2>&1 && [ "$(lines)" = 2 ]; }
if wait_for 10 both; then ok "and the other when it answers again"; else not_ok "and the other when it answers again" "$(cat "$AUDIT/cosigned")"; fi
rm -rf "$W/second"
cp -a "$AUDIT" "$W/second"

# --- A95: the log is set back -----------------------------------------------------
restore "$W/first"
succeeds "A95: chain and signature of the older copy are good" rec audit verify --log "$AUDIT"
run rec audit verify
is "$ST" 9 "A95: verify knows that hosts cosigned more: exit 9"
like "$ERR" "host host-[12] cosigned [0-9]+ entries, which this log does not extend: .*shorter than its checkpoint" "A95: and names a witness"
change fourth
pass
is "$ST" 9 "A95: a pass on the older log: exit 9"
for i in 1 2; do
	like "$ERR" "ALARM: host host-$i refuses to cosign the audit log: H302 " "A95: host-$i refuses, loudly"
	like "$(host_log "host-$i")" "code=H302 .*want a log of at least [0-9]+ entries" "A95: and has it in its own log"
done
is "$(rec audit show --type witness.refuse | grep -c 'H302')" 2 "A95: the manager's log has it"
like "$ERR" "Stopped: host host-[12] refuses to cosign" "A95: the last line says it"
restore "$W/second"
change fifth
pass
is "$ST" 0 "the true log is cosigned again" || diag "$ERR"
is "$(lines)" 2 "by both"
rm -rf "$W/second"
cp -a "$AUDIT" "$W/second"

# --- A96: written anew, longer, signed with the log's own key ---------------------------
BEFORE=$(entries)
find "$AUDIT" -type f ! -name log.key -delete
rec host cordon host-1 >/dev/null && rec host uncordon host-1 >/dev/null || fatal "a log from nothing"
grow "$BEFORE"
succeeds "A96: chain and signature of the forged log are good" rec audit verify --log "$AUDIT"
run rec audit verify
is "$ST" 9 "A96: verify: exit 9"
like "$ERR" "host host-[12] cosigned [0-9]+ entries, which this log does not extend: .*differs from what the checkpoint signed" "A96: and names a witness"
change sixth
pass
is "$ST" 9 "A96: a pass on the forged log: exit 9"
for i in 1 2; do
	like "$ERR" "ALARM: host host-$i refuses to cosign the audit log: H303 " "A96: host-$i refuses, loudly"
	like "$(host_log "host-$i")" "code=H303 .*a fork" "A96: and has it in its own log"
done
restore "$W/second"

# --- a host's memory and key -------------------------------------------------------------
end_pid "$(agent_pid host-1)"
succeeds "the log of a host with its refusals verifies" rec audit verify --log "$W/host-1/state/audit"
rm "$W"/host-1/state/audit/witness.*
agent_start host-1
wait_for 20 hosts_in ready 2 || fatal "host-1 is back"
change seventh
pass
is "$ST" 0 "a host whose memory was set back cosigns" || diag "$ERR"
like "$ERR" "ALARM: host host-1 forgot what it had cosigned: it cosigned [0-9]+ entries, remembers 0" "and that is an alarm"
like "$(rec audit show --type witness.forget)" "host=host-1 .*result=alarm" "and recorded"
end_pid "$(agent_pid host-1)"
SEVENTH=$(git -C "$W/clone" rev-parse HEAD)
rm -r "$W/host-1/state/audit"
agent_start host-1
wait_for 20 hosts_in ready 2 || fatal "host-1 is back"
change eighth
run rec --timeout 5
like "$ERR" "host host-1 refuses H118: " "A26: a host whose log is gone accepts nothing more"
end_pid "$(agent_pid host-1)"
run on host-1 "$BIN/reconcile-agent" --config "$W/host-1/agent.conf" anchor "$SEVENTH" --reason "log lost"
is "$ST" 0 "until root on it names the commit to go on from" || diag "$ERR"
agent_start host-1
wait_for 20 hosts_in ready 2 || fatal "host-1 is back"
pass
is "$ST" 0 "a host with another key" || diag "$ERR"
like "$ERR" "ALARM: host host-1 shows another witness key" "is an alarm"
like "$(rec audit show --type witness.key)" "host=host-1 .*result=refused" "and recorded"
like "$(rec audit verify)" " cosigned by 1 of 2 witnesses$" "and its cosignature does not count"
change ninth
pass
is "$(rec audit show --type witness.key | grep -c result=refused)" 1 "recorded once"
finish
