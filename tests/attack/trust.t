#!/bin/sh
# trust.t - signatures and history (threats A1..A26), with real git and
# ssh-keygen.  Each case has the code and the message of its refusal.
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/trust_lib.sh"
trust_setup

R=$TMP/repo
new_repo "$R"
ROOT=$(head_of "$R")
accepts 'signed root commit, first trust' "$R" "$ROOT" snapshot=1
like "$OUT" "^by $ROOT OK signer=alice@example.org key=SHA256:" \
	'the signer is named'
like "$OUT" '^snapshot [1-9]' 'a snapshot comes back'
change "$R" second
SECOND=$(head_of "$R")
accepts 'descendant of the accepted commit' "$R" "$SECOND" accepted="$ROOT"
like "$OUT" '^verified 1$' 'only what is new is verified'
accepts 'accepted commit again' "$R" "$SECOND" accepted="$SECOND"
accepts 'head_only' "$R" "$SECOND" accepted="$SECOND" head_only=1
finish
