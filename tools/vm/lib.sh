# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# What the scripts of tools/vm share: where the project and the cache are, how a script says what
# went wrong, its help text (which is the header comment of the script itself), and which shared
# libraries a program needs. It knows nothing of guests. Sourced, never run.

VM_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
VM_TOP=$(cd "$VM_DIR/../.." && pwd)
VM_CACHE=${PICKET_VM_CACHE:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/picket/vm}
VM_OUTPUT=${BUILD:-$VM_TOP/.output}
VM_NAME=$(basename "$0")
# shellcheck disable=SC2034 # read by the scripts that source this file
readonly VM_DIR VM_TOP VM_CACHE VM_OUTPUT VM_NAME
# Files of the guest are made with these permissions, whatever the caller prefers for its own.
umask 022
PATH=$PATH:/usr/sbin:/sbin

# vm_die MESSAGE [STATUS]: one sentence on stderr, then the end (status 1, or 2 for wrong usage).
vm_die() {
	printf '%s: %s\n' "$VM_NAME" "$1" >&2
	exit "${2:-1}"
}

# vm_note MESSAGE: progress, on stderr because stdout carries the result.
vm_note() {
	printf '%s: %s\n' "$VM_NAME" "$1" >&2
}

# vm_usage [STATUS]: prints the header comment of the script without the SPDX line.
vm_usage() {
	local status=${1:-0}

	awk 'NR < 4 { next } !/^#/ { exit } { sub(/^# ?/, ""); print }' "$0" >&$((status ? 2 : 1))
	exit "$status"
}

# vm_need PROGRAM PACKAGE: ends with what to install when PROGRAM is missing.
vm_need() {
	command -v "$1" >/dev/null ||
		vm_die "'$1' is missing. Hint: install the package '$2', or run tools/deps."
}

# vm_kernels: the names in kernels.txt, one a line.
vm_kernels() {
	awk '!/^#/ && NF { print $1 }' "$VM_DIR/kernels.txt"
}

# vm_check_kernel NAME: ends when NAME is not in kernels.txt.
vm_check_kernel() {
	vm_kernels | grep -qxF -- "$1" ||
		vm_die "no kernel '$1' in kernels.txt. Known: $(vm_kernels | paste -sd' ')" 2
}

# vm_is_elf FILE: whether FILE is a program or a shared library.
vm_is_elf() {
	local magic

	[[ -f $1 && ! -L $1 ]] && IFS= read -r -n 4 magic 2>/dev/null <"$1" &&
		[[ $magic == $'\x7fELF' ]]
}

# stdin: files; stdout: the loader and every shared library they need, with the links to them.
# ldd fails on static programs, which need none; a library that is not found ends the script.
vm_libraries() {
	local path

	while read -r path; do
		if vm_is_elf "$path"; then
			printf '%s\n' "$path"
		fi
	done | { xargs -r -d '\n' ldd 2>/dev/null || true; } | awk '
		/not found/ { print "missing library: " $0 > "/dev/stderr"; bad = 1 }
		$2 == "=>" && $3 ~ /^\// { print $3 }
		$1 ~ /^\// && $1 !~ /:$/ { print $1 }
		END { exit bad }' | sort -u | vm_links
}

# stdin: libraries; stdout: these and what they are links to, by their names in a merged /usr.
vm_links() {
	local path target

	while read -r path; do
		target=$(realpath "$path")
		printf '%s\n' "/usr${path#/usr}" "/usr${target#/usr}"
	done | sort -u
}

# Libraries that picket loads when it needs them (user/base/library.h): ldd does not know of them.
vm_loaded() {
	ldconfig -p | awk '$1 == "libcurl.so.4" || $1 == "libmicrohttpd.so.12" { print $NF }'
}
