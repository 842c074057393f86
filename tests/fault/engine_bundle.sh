# engine_bundle.sh - the sweeps of the engine (fault, crash): their bundle, with
# some of everything; sourced after engine-lib.sh.
#
# sweep_bundle NAME ARGS-JSON: as $TMP/NAME, its group is reconcile-$T_TAG/NAME

sweep_bundle()
{
	mkdir -p "$TMP/vol"
	bundle "$1" '.process.args = '"$2"'
	| .root.readonly = true
	| .process.rlimits = [{"type": "RLIMIT_NOFILE", "soft": 64, "hard": 64}]
	| .process.user.additionalGids = [5]
	| .process.oomScoreAdj = 100
	| .mounts += [
		{"destination": "/tmp", "type": "tmpfs", "source": "tmpfs",
			"options": ["nosuid", "size=64k"]},
		{"destination": "/root", "type": "bind", "source": "'"$TMP/vol"'",
			"options": ["rbind", "ro", "nosuid"]},
		{"destination": "/etc", "type": "bind", "source": "'"$TMP/vol"'",
			"options": ["bind", "idmap"]}]
	| .linux.devices = [{"path": "/dev/fuse", "type": "c", "major": 10,
		"minor": 229, "fileMode": 438, "uid": 0, "gid": 0}]
	| .linux.resources.devices += [{"allow": true, "type": "c", "major": 10,
		"minor": 229, "access": "rwm"}]
	| .linux.resources.memory = {"limit": 67108864}
	| .linux.resources.pids = {"limit": 64}
	| .linux.resources.cpu = {"shares": 512}
	| .linux.sysctl = {"net.ipv4.ip_forward": "1"}
	| .hooks = ({"prestart": [], "createRuntime": [], "createContainer": [],
		"startContainer": [], "poststart": [], "poststop": []}
		| map_values([{"path": "/bin/true", "timeout": 10}]))'
}

SWEEP_EVERY=${SWEEP_EVERY:-7}
SWEEP_SEED=${SWEEP_SEED:-332}
if [ "${SWEEP_ALL:-0}" = 1 ]; then
	SWEEP_OPTIONS="-a -e 1"
else
	SWEEP_OPTIONS=
fi

# sweep ACT OPTION...: one result.
sweep()
{
	_act=$1 _of=all
	shift
	[ "$_act" != run ] || _of=run
	# shellcheck disable=SC2086
	if "$B/tests/sweep" "$@" -s "$SWEEP_SEED" $SWEEP_OPTIONS "$ENGINE" \
		"$TMP/state" "$TMP/$_of" "reconcile-$T_TAG" "$_act" \
		>"$TMP/swept" 2>/dev/null; then
		ok "R10 $(tail -n 1 "$TMP/swept")"
	else
		not_ok "R10 $_act" "$(tail -n 20 "$TMP/swept")"
	fi
}
