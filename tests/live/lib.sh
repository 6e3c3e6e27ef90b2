# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# What the live tests share: TAP output and a scratch folder that goes away. Sourced, not run.
#
# Environment: PICKET (the program), ACT (the static helper), PICKET_TIER.

: "${PICKET:?the picket program}" "${ACT:?the act helper}" "${PICKET_TIER:?lsm, modify-return or network}"

tap_number=0
tap_failed=0
# Not below /tmp, where the shipped policies allow much.
mkdir -p /home
base=$(mktemp -d /home/picket-live-XXXXXX)
chmod 755 "$base"
trap 'rm -rf "$base"' EXIT

# result STATUS NAME [DETAIL]: one TAP line, a failure's detail below it.
result() {
	tap_number=$((tap_number + 1))
	if [ "$1" -eq 0 ]; then
		printf 'ok %d - %s: %s\n' "$tap_number" "$PICKET_TIER" "$2"
		return
	fi
	tap_failed=$((tap_failed + 1))
	printf 'not ok %d - %s: %s\n' "$tap_number" "$PICKET_TIER" "$2"
	[ -z "${3:-}" ] || printf '%s\n' "$3" | sed 's/^/#   /'
}

# equal GOT WANTED NAME: passes when both texts are the same.
equal() {
	if [ "$1" = "$2" ]; then
		result 0 "$3"
	else
		result 1 "$3" "got '$1', wanted '$2'"
	fi
}

# contains TEXT WANTED NAME: passes when WANTED is somewhere in TEXT.
contains() {
	case $1 in
	*"$2"*) result 0 "$3" ;;
	*) result 1 "$3" "no '$2' in: $1" ;;
	esac
}

finish() {
	printf '1..%d\n' "$tap_number"
	[ "$tap_failed" -eq 0 ]
	exit
}

# wait_for SECONDS COMMAND...: until the command succeeds; fails when it never does.
wait_for() {
	local tries=$(($1 * 10))
	shift
	until "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || return 1
		sleep 0.1
	done
}

# answers COMMANDS RUNNER...: run each line of the file COMMANDS by bash, all in one RUNNER, and
# print the exit statuses, a line each.
answers() {
	local commands=$1
	shift
	# shellcheck disable=SC2016 # expanded by the inner shell
	"$@" bash -c 'while IFS= read -r line; do
		bash -c "$line" >/dev/null 2>&1 </dev/null; echo $?; done' <"$commands"
}
