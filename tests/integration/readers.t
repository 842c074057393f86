#!/bin/bash
# readers.t - what roles let somebody see through sudo, on a manager without
# hosts (threats T01, K25).  SUDO_UID stands for sudo; the users are Debian's.
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/attack/trust_lib.sh"
. "$TOP/tests/attack/people_lib.sh"
. "$TOP/tests/attack/rbac_lib.sh"
need_root
need_program jq python3
rbac_setup
git clone -q --bare "$R" "$TMP/fleet.git"
C=$TMP/reconcile.conf
cat >"$C" <<EOF
repository.url = file://$TMP/fleet.git
repository.id = $REPO_ID
trust.policy = $(trust_digest "$R")
state.dir = $TMP/state
run.dir = $TMP/run
channel.listen = 127.0.0.1:$((10000 + $$ % 20000))
access.user = nobody carol@example.org
access.user = daemon dave@example.org
access.user = bin bob@example.org
access.user = sys alice@example.org
EOF
chmod 600 "$C"
unset SUDO_UID
RC=("$BIN/reconcile" --config "$C")

# by USER COMMAND...: as somebody whom sudo lets run it
by()
{
	_user=$1
	shift
	env SUDO_UID="$(id -u "$_user")" SUDO_USER="$_user" "$@"
}

succeeds "init" "${RC[@]}" init
succeeds "before the first pass nobody is bound" by sync "${RC[@]}" status
"${RC[@]}" -t 0 >"$TMP/pass.out" 2>&1
is "$("${RC[@]}" status -o json | jq -r .acceptedCommit)" "$BASE" "the commit is accepted"

# what hosts would have reported
python3 - "$TMP/state/state.db" <<'EOF'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("DELETE FROM pod")
for ns in "ab":
    db.execute(
        "INSERT INTO pod VALUES(?,?,?,'Pod',?,'t',0,'host-1','c',2,1,1,1,1,"
        "0,NULL,?,0,0,1,0,0)",
        (ns * 32, ns, "pod-" + ns, "pod-" + ns, "canary-" + ns))
    db.execute("INSERT INTO service VALUES(?,?,?)",
               (ns, "svc-" + ns, "10.96.0.%d" % ord(ns)))
db.execute(
    "INSERT INTO host(name,state,cordoned,draining,labels,taints,cpu_m,memory,"
    "pods_max,epoch,accepted,lost_since,settled,refusal,cidr,serial,not_after,"
    "joined) VALUES('host-1',2,0,0,'','',0,0,0,1,NULL,0,0,NULL,0,NULL,0,0)")
db.commit()
EOF

# --- status
succeeds "root sees all" "${RC[@]}" status
like "$OUT" "a/pod-a" "... a"
like "$OUT" "b/pod-b" "... b"
like "$OUT" "host-1" "... the hosts"
is "$("${RC[@]}" status -o json | jq .partial)" false "... and nothing is left out"
succeeds "T01 the reader of a" by nobody "${RC[@]}" status
like "$OUT" "a/pod-a" "T01 ... sees a"
like "$OUT" "service a/svc-a" "T01 ... its Services"
unlike "$OUT" "pod-b|svc-b|canary-b|^host" "T01 ... not b, and no host"
like "$OUT" "Not all is shown.*T158" "T01 ... and is told"
by nobody "${RC[@]}" status -o json >"$TMP/json"
is "$(jq -r '[.pods[].name] | join(" ")' "$TMP/json")" pod-a "T01 as JSON too"
is "$(jq -r '[.services[].namespace] | unique | join(" ")' "$TMP/json")" a "T01 ... Services"
is "$(jq .partial "$TMP/json")" true "T01 ... which says that it is a part"
succeeds "T01 the reader of b" by daemon "${RC[@]}" status
unlike "$OUT" "pod-a|svc-a|canary-a" "T01 ... sees nothing of a"
succeeds "T01 who may do everything" by sys "${RC[@]}" status
like "$OUT" "host-1 .*" "T01 ... sees all"
fails "T01 who has no role" 5 "T158 bob@example.org may not list pods: have a role bound" \
	by bin "${RC[@]}" status
fails "T01 whom nobody mapped" 5 "T158 .*user sync is nobody to them.*access.user = sync" \
	by sync "${RC[@]}" status
succeeds "root itself is not bound, also through sudo" env SUDO_UID=0 "${RC[@]}" status
fails "K25 a SUDO_UID that sudo does not write" 5 "T158 SUDO_UID" \
	env SUDO_UID=65534x "${RC[@]}" status
fails "K25 a user that is not there" 5 "T158 the user 4000000001" \
	env SUDO_UID=4000000001 "${RC[@]}" status

# --- hosts, logs, the audit log
fails "T01 hosts are of the cluster" 5 "T158 carol@example.org may not list nodes" \
	by nobody "${RC[@]}" host list
succeeds "T01 ... for whom roles say so" by sys "${RC[@]}" host list
fails "T01 logs of another namespace" 5 "T158 carol@example.org may not get pods/log in namespace b" \
	by nobody "${RC[@]}" logs b/pod-b
fails "T01 ... whether there is such a pod or not" 5 "T158 carol@example.org may not get pods/log in namespace b" \
	by nobody "${RC[@]}" logs b/no-such-pod
fails "T01 logs of the own one are asked for" 75 "no reconcile-channel" \
	by nobody "${RC[@]}" logs a/pod-a
fails "T01 the audit log" 5 "T158 bob@example.org may not list audits.reconcile" \
	by bin "${RC[@]}" audit show
succeeds "T01 the audit log, of a namespace alone" by nobody "${RC[@]}" audit show
unlike "$OUT" "commit.accept" "T01 ... has nothing of the cluster"
succeeds "T01 the audit log, for whom roles say so" by sys "${RC[@]}" audit show
like "$OUT" "commit.accept" "T01 ... all of it"
fails "K25 another log through sudo" 5 "T158 .*without --log" \
	by nobody "${RC[@]}" audit show --log "$TMP/state/audit"

# --- another configuration
cp "$C" "$TMP/mine.conf"
sed -i 's/^access.user = nobody .*/access.user = nobody alice@example.org/' \
	"$TMP/mine.conf"
chown nobody "$TMP/mine.conf"
fails "K25 a configuration of ones own" 5 "T158 .*only root or the manager" \
	by nobody "$BIN/reconcile" --config "$TMP/mine.conf" status
chown root "$TMP/mine.conf"
chmod 666 "$TMP/mine.conf"
fails "K25 ... one that all can write" 5 "T158 .*only root or the manager" \
	by nobody "$BIN/reconcile" --config "$TMP/mine.conf" audit show
ln -s "$C" "$TMP/link.conf"
fails "K25 ... a link, which can be turned" 5 "T158 --config .* cannot be opened" \
	by nobody "$BIN/reconcile" --config "$TMP/link.conf" host list
fails "K25 ... and logs" 5 "T158 .*only root or the manager" \
	by nobody "$BIN/reconcile" --config "$TMP/mine.conf" logs b/pod-b

# --- roles of the accepted commit, and none with Paths
cd "$R" || exit 1
git remote add fleet "$TMP/fleet.git"
binding bob b ClusterRole admin 'User bob@example.org' >"$R/manifests/b/bob.yaml"
as alice "$R"
fails "a commit that is not accepted yet counts for nothing" 5 "T158 bob" \
	by bin "${RC[@]}" status
git push -q fleet main
"${RC[@]}" -t 0 >"$TMP/pass.out" 2>&1
succeeds "T01 roles of the commit that was accepted" by bin "${RC[@]}" status
write_rbac "$R" 2 's/authorization: RBAC/authorization: Paths/'
as alice "$R"
git push -q fleet main
"${RC[@]}" -t 0 >"$TMP/pass.out" 2>&1
"${RC[@]}" -n >"$TMP/pass.out" 2>&1
like "$(cat "$TMP/pass.out")" "T156" "a dry run tells of roles that are not in force"
succeeds "without authorization: RBAC nobody is bound" by sync "${RC[@]}" status
finish
