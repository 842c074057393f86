#!/bin/bash
# output.t - what a hostile commit can do with the reports about it: nothing.
# Each format is read by a parser of its kind (output_check.py): a markdown
# renderer of GitHub's dialect, an XML parser, JSON with its schemas, the
# grammar of workflow commands.  A98 to A103.
. "$(dirname "$0")/../integration/lib.sh"
need_program git jq strace unshare cmark-gfm
PYTHON=/usr/bin/python3
$PYTHON -c 'import jsonschema' 2>/dev/null || skip_all "needs python3-jsonschema"
tmpdir
canary_may "repo/apps/*"
DUMP=$B/tests/report-dump
R=$BIN/reconcile
FORMATS="text json markdown github gitlab sarif junit"
G="git -c advice.ignoredHook=false -c user.name=m -c user.email=m@example.com -c commit.gpgSign=false"

# check FORMAT FILE: 0 when it is inert, else says why
check() { $PYTHON "$TOP/tests/attack/output_check.py" "$1" "$2" >"$TMP/why" 2>&1; }

# inert NAME FILE: a report full of the text in all formats
inert()
{
	_bad=
	for _f in $FORMATS; do
		if ! timeout 60 "$DUMP" "$_f" "$2" 3 >"$TMP/report"; then
			_bad="$_bad $_f: the renderer failed;"
		elif ! check "$_f" "$TMP/report"; then
			_bad="$_bad $_f: $(head -n 3 "$TMP/why" | tr '\n' ' ');"
		fi
	done
	is "$_bad" "" "$1"
}

# --- hostile words everywhere --------------------------------------------------------
hostile() # NAME PRINTF-FORMAT
{
	printf "$2" >"$TMP/hostile"
	inert "$1" "$TMP/hostile"
}
hostile "A98 A101: escape sequences, OSC, carriage returns" 'x\033[2J\033]0;t\007\r\nnew line\b\177\302\233z'
hostile "A98: bidirectional and invisible characters" 'a\342\200\256b\342\200\213c\357\273\277d\342\201\246e\302\255f\363\240\201\201g\342\200\250h'
hostile "A98: bytes that are no characters" 'a\377b\300\200c\355\240\200d\364\220\200\200e'
hostile "A98: characters that XML cannot hold" 'a\001b\013c\357\277\276d\357\277\277e]]>&amp;<x y="z">'
hostile "A100: workflow commands" '::error file=x::y'
hostile "A100: workflow commands behind a newline, encoded or not" 'a\n::add-mask::b%%0A::set-env name=PATH::c%%0D%%0A::debug::d'
hostile "A100: the end of stop-commands, old commands, other runners" '::stop-commands::x\n::x::\n##[command]y ##[error]z ##vso[task.setvariable variable=a]b'
hostile "A100: properties of a command" 'x,line=1,title=t::u,file=v'
hostile "A101: mentions and issues" '@org/team @alice #1 GH-2 org/repo#3 !4 %%5 ~label'
hostile "A101: links and images" '[x](https://evil.example) ![y](https://evil.example/z.png) <https://evil.example> https://evil.example www.evil.example m@evil.example [z]: https://evil.example'
hostile "A101: HTML" '<img src=x onerror=alert(1)><script>x</script><!-- c --></code></pre><details><a href=javascript:x>y</a>'
hostile "A101: code spans and fences" '`x` ``y`` ```\n```\n# heading\n~~~\n<b>z</b>\n'
hostile "A101: blocks, tables, entities" '\n\n# h\n\n- [x] task\n> quote\n| a | b |\n|---|---|\n&#64;org &lt;b&gt; $x$ [^1] ---'
hostile "A101: a backslash before what is escaped" '\134`x\134` \134\134<img> \134u{202e} \134x60'
hostile "A99 A101: JSON" '","x":"y\134"}]}\n{"a":1}'
hostile "A101: blanks at the ends" '   x   '
printf '%0.s:' $(seq 500) >"$TMP/colons"
inert "A100: nothing but colons" "$TMP/colons"
head -c 60000 /dev/zero | tr '\0' '@' >"$TMP/long"
inert "A100 A101: 60,000 characters in each word" "$TMP/long"

# --- limits ------------------------------------------------------------------------------
limits()
{
	_bad=
	for _f in $FORMATS; do
		"$DUMP" "$_f" - "$1" >"$TMP/many.$_f" || _bad="$_bad $_f failed"
		case $_f in text | json) continue ;; esac
		check "$_f" "$TMP/many.$_f" || _bad="$_bad $_f: $(head -n 2 "$TMP/why")"
	done
	is "$_bad" "" "$1 findings of each severity stay within the limits"
}
limits 2000
is "$(grep -c '^::error' "$TMP/many.github")/$(grep -c '^::warning' "$TMP/many.github")/$(grep -c '^::notice' "$TMP/many.github")" \
	10/10/10 "github: ten of each level"
like "$(tail -n 1 "$TMP/many.github")" "^::notice title=reconcile::.*; [0-9]+ of [0-9]+ findings do not fit here" "github: the last notice counts the rest"
like "$(head -n 1 "$TMP/many.github")" "T1(10|90)" "github: trust comes first"
like "$(tail -n 1 "$TMP/many.markdown")" "^Cut to fit here: [1-9][0-9]* findings, [1-9][0-9]* requirements and [1-9][0-9]* lines" "markdown: what was cut is counted"
S=$(wc -c <"$TMP/many.markdown")
if [ "$S" -gt 60000 ]; then ok "markdown: the page is used ($S bytes)"; else not_ok "markdown: the page is used" "$S bytes"; fi
is "$(jq '.runs[0].results | length' "$TMP/many.sarif")" 5000 "sarif: as many as are shown"
like "$(jq -r '.runs[0].invocations[0].toolExecutionNotifications[0].message.text' "$TMP/many.sarif")" "^[0-9]+ of [0-9]+ findings do not fit" "sarif: the rest is counted"
is "$(jq -r '[.runs[0].results[].level] | . == sort_by({"error":0,"warning":1,"note":2}[.])' "$TMP/many.sarif")" true "sarif: errors first"
is "$(jq length "$TMP/many.gitlab")" 5001 "gitlab: 5,000 and one that counts the rest"
like "$(grep 'classname="cut"' "$TMP/many.junit")" "[0-9]+ of [0-9]+ findings do not fit" "junit: the rest is counted"

# --- a real repository, as hostile as git lets it be -----------------------------------------
W=$TMP/repo
$G init -q -b main "$W"
cd "$W" || exit 1
mkdir -p .reconcile apps
cat >.reconcile/policy.yaml <<-EOF
	apiVersion: reconcile/v1alpha1
	kind: ClusterPolicy
	metadata: {name: policy}
	spec:
	  repository: {id: fork-test, ref: refs/heads/main}
	  images: {allowedRegistries: ["registry.example"]}
EOF
config() # FILE NAME VALUE
{
	printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "%s"}\ndata: {word: "%s"}\n' \
		"$2" "$3" >"apps/$1"
}
config good.yaml good 1
$G add -A && $G commit -qm base
config good.yaml good 2
config more.yaml more 1
$G add -A && $G commit -qm '@org/team ::error::x <img src=y> [z](https://evil.example)'
$G branch '@org/team#1<img>`x`&y'
$G branch org-team
all_formats() # FROM TO: every format into $TMP/o.FORMAT
{
	# shellcheck disable=SC2046
	run "$R" -n --from "$1" --to "$2" \
		$(for _f in $FORMATS; do printf -- '-o %s=%s ' "$_f" "$TMP/o.$_f"; done)
}
checked() # NAME
{
	_bad=
	for _f in $FORMATS; do
		check "$_f" "$TMP/o.$_f" || _bad="$_bad $_f: $(head -n 2 "$TMP/why" | tr '\n' ' ');"
	done
	is "$_bad" "" "$1"
}
fails "A101: a revision that is no plain name is refused" 3 '^reconcile: error INPUT: --to .*want a name' \
	"$R" -n --from HEAD~1 --to '@org/team#1<img>`x`&y'
fails "A100: nor is it a command in the message" 3 '^reconcile: error INPUT: --to ::error::x \\x0a#\\x23\[y: ' \
	"$R" -n --from HEAD~1 --to "$(printf '::error::x \n##[y')"
all_formats HEAD~1 org-team
is "$ST" 0 "a good change: exit 0" || diag "$ERR"
checked "A101: a hostile subject is inert"
is "$(jq -r .plan.summary.objects_create "$TMP/o.json")" 1 "and the plan is there"
config 'x,y::z%0A@org.yaml' 'Bad ::error::name @org/team <img> `c` ![i](u)' '\\e[2J'
printf 'a: [::error::x\n' >'apps/::add-mask::a.yaml'
printf 'kind: "##[error]x"\napiVersion: "<img src=z>@org"\n' >'apps/@org,line=1.yaml'
$G add -A && $G commit -qm two
all_formats HEAD~1 HEAD
is "$ST" 3 "bad manifests with hostile names: exit 3"
checked "A100 A101: hostile paths, names and values are inert in real diagnostics"
unlike "$ERR" "^::|##\[" "A100: nor does standard error have a command"
is "$(jq -r '.plan, .no_plan' "$TMP/o.json" | paste -sd' ')" "null the manifests cannot be read in whole" "no plan, and why"
like "$(jq -r '.findings[].path' "$TMP/o.json")" 'apps/::|apps/:\\x3aadd-mask' "the file is named all the same"
$G rm -qf 'apps/::add-mask::a.yaml' 'apps/@org,line=1.yaml' 'apps/x,y::z%0A@org.yaml'
$G commit -qm three

# --- A99: Secrets, in what is good and in what is wrong ---------------------------------------
sed -i 's/^spec:/spec:\n  secrets: {allowPlain: true}/' .reconcile/policy.yaml
$G commit -qam "plain Secrets are allowed"
secret() # VALUE
{
	printf 'apiVersion: v1\nkind: Secret\nmetadata: {name: key}\nstringData: {word: "%s"}\n' "$1" >apps/key.yaml
	$G add -A && $G commit -qm "a secret"
}
secret "$CANARY"
all_formats HEAD~1 HEAD
is "$ST $(jq -r .plan.summary.objects_create "$TMP/o.json")" "0 1" "A99: a Secret is planned"
bare=$(printf '%s' "$CANARY" | base64 -w0)
leaks() { grep -alF -e "$CANARY" -e "${bare%????}" "$TMP"/o.* "$TMP/.out" "$TMP/.err"; }
is "$(leaks)" "" "A99: its value is in no format"
secret "${CANARY}2"
all_formats HEAD~1 HEAD
is "$(jq -r '.plan.changes[0] | "\(.from_hash) \(.to_hash)"' "$TMP/o.json") $(leaks)" "null null " "A99: nor does a change of it show hashes"
printf 'apiVersion: v1\nkind: Secret\nmetadata: {name: key}\ndata: {word: "%s!"}\nstringData: [%s]\ntype: {%s: 1}\n' "$CANARY" "$CANARY" "$CANARY" >apps/key.yaml
$G add -A && $G commit -qm "a broken secret"
all_formats HEAD~1 HEAD
is "$ST $(leaks)" "3 " "A99: nor a diagnostic about it"
$G rm -qf apps/key.yaml
$G commit -qm "no secret"

# --- A102: the fork's pull request, without anything ------------------------------------------
# Hooks, filters, file system monitor, credential helpers, diff drivers and
# configuration all leave a mark when they run.
mark() { echo "sh -c 'touch $TMP/ran.$1'"; }
for h in pre-commit post-checkout reference-transaction fsmonitor-watchman; do
	printf '#!/bin/sh\ntouch %s/ran.%s\n' "$TMP" "$h" >".git/hooks/$h"
done
config good.yaml good 3
printf '*.yaml filter=evil diff=evil\n' >.gitattributes
printf 'trust: off\npolicy: off\n' >.reconcile.yaml
cp .reconcile.yaml reconcile.conf
$G add -A && $G commit -qm four
$G rm -q .reconcile.yaml reconcile.conf .gitattributes
$G commit -qm "the same without configuration"
chmod +x .git/hooks/*
for k in core.fsmonitor core.sshCommand core.editor diff.external diff.evil.textconv \
	filter.evil.smudge filter.evil.clean filter.evil.process credential.helper core.pager; do
	git config "$k" "$(mark "$k")"
done
rm -f "$TMP"/ran.*
unshare -n strace -f -qq -o "$TMP/trace" -e trace=execve,connect,socket,bind \
	env -i PATH=/nowhere HOME=/nonexistent "$R" -n --from HEAD~2 --to HEAD~1 \
	-o json="$TMP/fork.json" >"$TMP/fork.out" 2>"$TMP/fork.err"
is $? 0 "A102: no home, no path, no network, no configuration: exit 0" || diag "$(cat "$TMP/fork.err")"
is "$(jq -r .plan.summary.objects_update "$TMP/fork.json")" 1 "A102: and the plan is whole"
is "$(ls "$TMP" | grep '^ran\.')" "" "A102: nothing of the repository ran"
like "$(grep -o 'execve("[^"]*"' "$TMP/trace" | sed 's,.*/,,; s,",,' | sort -u | paste -sd' ')" \
	'^env reconcile( reconcile-openpgp)? reconcile-verify$' "A102: no program was started but ours"
is "$(grep -cE 'connect\(|bind\(|AF_INET' "$TMP/trace")" 0 "A102: no socket to anywhere"

# --- A103: configuration in the repository ----------------------------------------------------------
"$R" -n --from HEAD~2 --to HEAD -o json="$TMP/without.json"
same() { jq -S 'del(.head, .base, .plan.commit)' "$1"; }
is "$(same "$TMP/fork.json")" "$(same "$TMP/without.json")" "A103: files of configuration in the repository change nothing"

# --- names in a trust policy ---------------------------------------------------------------------------
git config --unset-all core.fsmonitor
for k in smudge clean process; do git config --unset-all "filter.evil.$k"; done
rm -f .git/hooks/*
for n in alice bob; do ssh-keygen -q -t ed25519 -N '' -C "$n $CANARY" -f "$TMP/$n"; done
BEFORE=$($G rev-parse HEAD)
cat >.reconcile/trust.yaml <<-EOF
	apiVersion: reconcile/v1alpha1
	kind: TrustPolicy
	metadata: {name: trust}
	spec:
	  version: 1
	  expires: "2099-01-01T00:00:00Z"
	  people:
	  - name: "a:@org/team"
	    keys: [{ssh: $(cut -d' ' -f1,2 "$TMP/alice.pub")}]
	  - name: "a::error::x"
	    keys: [{ssh: $(cut -d' ' -f1,2 "$TMP/bob.pub")}]
	  roles: [{name: all, people: ["a:@org/team", "a::error::x"]}]
	  root: {roles: [all], threshold: 2}
	  rules:
	  - paths: ["apps/**"]
	    roles: [all]
	  revocations: {asOf: "2026-11-28T00:00:00Z"}
EOF
$G add -A && $G commit -qm trust
config '@org,a::b.yaml' inert 1
$G add -A && $G commit -qm '::warning::@alice `x` <b>'
all_formats HEAD~1 HEAD
is "$ST $(jq -r '.trust.requirements[0] | "\(.met) \(.could | length)"' "$TMP/o.json")" "4 false 2" "hostile people have still to sign: exit 4" || diag "$OUT$ERR"
checked "A100 A101: people, rules, commits of a trust policy are inert"
$G reset -q --hard "$BEFORE"

# --- reconcile-verify, taken over ----------------------------------------------------------------------
# It reads what is hostile; what it says then is hostile too.
mkdir "$TMP/bin"
cp "$R" "$TMP/bin/reconcile"
cat >"$TMP/bin/reconcile-verify" <<-'EOF'
	#!/usr/bin/python3
	import os, socket, struct
	def read(s, n):
	    b = b""
	    while len(b) < n:
	        b += s.recv(n - len(b))
	    return b
	def text(number, b):
	    n, out = len(b), bytes([number << 3 | 2])
	    while n > 127:
	        out += bytes([n & 127 | 128])
	        n >>= 7
	    return out + bytes([n]) + b
	bad = "::error::\x1b[2J\n##[command]`<img>@org\u202e".encode()
	here = os.path.dirname(os.path.realpath(__file__))
	commit = bad if os.path.exists(here + "/bad-id") else b"1" * 40
	code = bad if os.path.exists(here + "/bad-code") else b"T110"
	diag = text(1, code) + text(3, bad) + text(6, bad) + text(7, bad) + text(8, bad)
	entry = text(1, b"2" * 40) + text(4, b"T110") + b"".join(text(n, bad) for n in (2, 3, 5, 6, 7, 8))
	rule = text(10, b"T190") + b"".join(text(n, bad) for n in (1, 2, 3, 4, 7, 8, 11, 12))
	reply = text(2, commit) + text(3, entry) + text(5, diag) + text(10, rule) + text(14, bad)
	s = socket.socket(fileno=3)
	length, kind, fds = struct.unpack("<IHH", read(s, 8))
	read(s, length)
	s.sendall(struct.pack("<IHH", len(reply), 2, 0) + reply)
EOF
chmod 755 "$TMP/bin/reconcile-verify"
R=$TMP/bin/reconcile
all_formats HEAD~1 HEAD
is "$ST" 4 "a reconcile-verify that was taken over is heard" || diag "$ERR"
checked "A98 A100 A101: nothing that it says gets out of any format"
touch "$TMP/bin/bad-id"
fails "A98: and an id must be one" 7 "PROTO.*no verdict that there is" "$R" -n --from HEAD~1 --to HEAD
mv "$TMP/bin/bad-id" "$TMP/bin/bad-code"
fails "A98: and a code must be one" 7 "PROTO.*no verdict that there is" "$R" -n --from HEAD~1 --to HEAD
R=$BIN/reconcile

# --- -o ------------------------------------------------------------------------------------------------
fails "an unknown format" 3 'did you mean markdown' "$R" -n --from HEAD --to HEAD -o markdwn
fails "two formats for standard output" 3 'both json and sarif' "$R" -n --from HEAD --to HEAD -o json -o sarif
fails "two formats for one file" 3 'one file' "$R" -n --from HEAD --to HEAD -o json="$TMP/x" -o sarif="$TMP/x"
fails "a format without its path" 3 'want a path' "$R" -n --from HEAD --to HEAD -o json=
ln -s /dev/null "$TMP/dev"
fails "a device is not replaced by a file" 3 'not a plain file' "$R" -n --from HEAD --to HEAD -o json="$TMP/dev"
fails "-o without a dry run" 3 'for --dry-run' "$R" -o json
fails "a folder that is not there" 3 'no-such' "$R" -n --from HEAD --to HEAD -o json="$TMP/no-such/x"
# --- with GitHub's runner ----------------------------------------------------------------------------
: >"$TMP/summary"
GITHUB_STEP_SUMMARY=$TMP/summary "$R" -n --from HEAD~3 --to HEAD -o text -o github >"$TMP/log"
like "$(head -n 1 "$TMP/log")" '^::stop-commands::[0-9a-f]{32}$' "A100: text stands between stop-commands"
T=$(sed -n '1s/^::stop-commands:://p' "$TMP/log")
is "$(grep -c "^::$T::\$" "$TMP/log")" 1 "A100: and its end, with a word that nobody can guess"
"$R" -n --from HEAD~3 --to HEAD -o text -o github >"$TMP/log2"
if [ "$T" != "$(sed -n '1s/^::stop-commands:://p' "$TMP/log2")" ]; then ok "another word each time"; else not_ok "another word each time"; fi
if check markdown "$TMP/summary" && grep -q '^### reconcile' "$TMP/summary"; then ok "the step summary has the markdown"; else not_ok "the step summary" "$(cat "$TMP/why")"; fi
head -c 1048000 /dev/zero >"$TMP/summary"
succeeds "a summary without room is no fault of the change" env GITHUB_STEP_SUMMARY="$TMP/summary" "$R" -n --from HEAD~1 --to HEAD -o github
like "$ERR" "no room is left in the step summary" "but it is said"
is "$(stat -c %s "$TMP/summary")" 1048000 "and nothing is cut in two"
finish
