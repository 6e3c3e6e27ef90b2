# SPDX-License-Identifier: BSD-2-Clause
#
# The house rules over text files, in one pass. Prints `file:line: rule: message: remedy`.
# Each rule has a fixture in tools/lint.d/bad/<rule>/ that must trip it (tools/lint --self-test).
# Written for any POSIX awk.

function offend(line, rule, message, remedy) {
	printf "%s:%d: %s: %s: %s\n", FILENAME, line, rule, message, remedy
}

# The line without comments, and with empty string and character literals.
function strip(s,    out, at) {
	out = ""
	while (s != "") {
		if (in_comment) {
			at = index(s, "*/")
			if (!at)
				return out
			s = substr(s, at + 2)
			in_comment = 0
			continue
		}
		at = match(s, /\/\*|\/\/|"|'/)
		if (!at)
			return out s
		out = out substr(s, 1, at - 1)
		if (substr(s, at, 2) == "/*") {
			in_comment = 1
			s = substr(s, at + 2)
		} else if (substr(s, at, 2) == "//") {
			slashes = 1
			return out
		} else {
			out = out substr(s, at, 1) substr(s, at, 1)
			s = after_literal(substr(s, at + 1), substr(s, at, 1))
		}
	}
	return out
}

function after_literal(s, quote,    i, c) {
	for (i = 1; i <= length(s); i++) {
		c = substr(s, i, 1)
		if (c == "\\")
			i++
		else if (c == quote)
			return substr(s, i + 1)
	}
	return ""
}

function begin_file() {
	if (name != "")
		end_file()
	name = FILENAME
	is_c = name ~ /\.[ch]$/
	is_bpf = name ~ /^bpf\// && is_c
	is_abi = name ~ /^include\/picket\/.*\.h$/
	is_pure = name ~ /^include\/picket\/(match|match_name|dns|host|payload)\.h$/
	is_public = name ~ /^user\/.*\.h$/
	is_library = name ~ /^user\// && name !~ /^user\/(main\.c$|cli\/)/
	is_program = name ~ /^user\// && is_c && name != "user/main.c"
	is_generated = name == "bpf/vmlinux.h"
	# Policies may speak of root's home and of package archives: that is what they allow or deny.
	has_paths = name !~ /^(policies|tests)\// && name !~ /^tools\/(vm|lint)/
	has_hosts = name !~ /^policies\// && name !~ /^tools\/lint/
	in_comment = in_struct = in_body = documented = debug_depth = 0
	spdx = 0
	depth = 0
}

function end_file() {
	if (!spdx)
		printf "%s:1: spdx: no SPDX-License-Identifier in the first two lines: %s\n", name, \
			"begin with the licence comment of conventions"
	if (lines > 600 && !is_generated)
		printf "%s:%d: file-size: %d lines, at most 600: %s\n", name, lines, lines, \
			"split it along a concern"
}

function rule_spdx() {
	if (FNR > 2 || $0 !~ /SPDX-License-Identifier: /)
		return
	spdx = 1
	if (name ~ /^(bpf|include)\// && $0 !~ /GPL-2\.0 OR BSD-2-Clause/)
		offend(FNR, "spdx", "the kernel side is dual-licensed", \
			"write GPL-2.0 OR BSD-2-Clause")
}

function rule_words(    text) {
	text = tolower($0)
	if ($0 ~ /(^|[^A-Za-z0-9_])(TODO|FIXME|XXX|HACK)([^A-Za-z0-9_]|$)/ ||
	    text ~ /(^|[^a-z])placeholder([^a-z]|$)|(^|[^a-z])for now([^a-z]|$)|not (yet )?implemented/)
		offend(FNR, "words", "unfinished work in the tree", "finish it or take it out")
}

function rule_machine() {
	if (has_paths && $0 ~ /(^|[^A-Za-z0-9_.\/$}*-])\/(root\/|work(\/|[^A-Za-z0-9_\/-]|$))/)
		offend(FNR, "machine-path", "a path of one machine", "derive it or make it an option")
	if (has_hosts && $0 ~ /(deb|security|snapshot|archive|ftp|httpredir|cdn-fastly)[a-z0-9.]*\.(debian|ubuntu)\.(org|com|net)/)
		offend(FNR, "archive-host", "the address of a package archive", \
			"use the machine's own apt configuration")
}

function rule_header() {
	if (is_c && FNR == 2 && $0 !~ /^\/\*/)
		offend(FNR, "header", "no header comment after the licence line", \
			"say what this file decides and what it refuses to know")
}

function rule_comment() {
	if (slashes)
		offend(FNR, "line-comment", "a // comment", "write /* */")
}

function rule_bpf() {
	if (code ~ /^[ \t]*#[ \t]*if/) {
		if (debug_depth || code ~ /PK_DEBUG/)
			debug_depth++
		else if (name ~ /\.bpf\.c$/)
			offend(FNR, "hook-if", "conditional compilation in a hook file", \
				"decide by a knob or a CO-RE test in compat.bpf.h")
	} else if (code ~ /^[ \t]*#[ \t]*endif/ && debug_depth) {
		debug_depth--
	}
	if (code ~ /printk/ && !debug_depth)
		offend(FNR, "printk", "bpf_printk outside PK_DEBUG", "send an event or count it")
}

function rule_exit() {
	if (is_program && code ~ /(^|[^_A-Za-z0-9.>])exit[ \t]*\(/)
		offend(FNR, "exit", "exit() outside main.c", \
			"return an error; _exit() in a forked child")
}

function rule_print() {
	if (is_library && code ~ /(^|[^_A-Za-z0-9.>])(v?printf|puts|putchar|perror|warnx?|errx?)[ \t]*\(/)
		offend(FNR, "print", "a library module prints", \
			"report through diag_list; user/cli prints")
	else if (is_library && code ~ /(^|[^_A-Za-z0-9.>])(stdout|stderr)([^_A-Za-z0-9]|$)/)
		offend(FNR, "print", "a library module picks the stream", "take a FILE * from the caller")
}

# Members of include/picket structs: only fixed-width kernel types, arrays and structs of them.
function rule_abi(    field) {
	if (code ~ /^struct[ \t]+[a-z_0-9]+[ \t]*\{/) {
		in_struct = 1
		return
	}
	if (code ~ /^}/)
		in_struct = 0
	if (!in_struct || code !~ /;/)
		return
	field = code
	sub(/^[ \t]*(const[ \t]+)?/, "", field)
	if (field ~ /^}/)
		return
	if (field ~ /\*/ && is_pure)
		return
	if (field ~ /\*/)
		abi_offence("a pointer")
	else if (field ~ /[^:]:[^:]/)
		abi_offence("a bit-field")
	else if (field !~ /^(__[us](8|16|32|64)|(struct|union)[ \t]+pk_[a-z0-9_]+)[ \t]+[a-z_]/)
		abi_offence("a type whose size may differ")
}

function abi_offence(what) {
	offend(FNR, "abi", what " in a shared struct", "use __u8..__u64, __s32 or fixed arrays of them")
}

function rule_function_size() {
	if ($0 ~ /^\{/) {
		in_body = FNR
	} else if ($0 ~ /^}/ && in_body) {
		if (FNR - in_body - 1 > 70)
			offend(in_body, "function-size", "a function of " FNR - in_body - 1 " lines", \
				"at most 70: split it by what it decides")
		in_body = 0
	}
}

# A comment covers the declarations that follow it without an empty line.
function rule_documented() {
	if ($0 ~ /^[ \t]*$/) {
		documented = 0
		return
	}
	if ($0 ~ /\*\/[ \t]*$/ && code ~ /^[ \t]*$/) {
		documented = 1
		return
	}
	if (in_comment || documented || depth)
		return
	if (code ~ /^(struct|union)[ \t]+[a-z_0-9]+[ \t]*\{/)
		offend(FNR, "undocumented", "a public type without a comment", \
			"say what it is and who owns what")
	else if (code ~ /^[a-z_].*[a-z_0-9]\(/ && code !~ /^(static|typedef|_Static_assert|struct[^(]*\{)/)
		offend(FNR, "undocumented", "a public function without a comment", \
			"one sentence, ownership, errors")
}

FNR == 1 { begin_file() }
{ lines = FNR }
{ rule_spdx() }
is_generated { next }
name !~ /^tools\/lint\.d\/house\.awk$/ { rule_words(); rule_machine() }
!is_c { next }
{
	slashes = 0
	code = strip($0)
	rule_header()
	rule_comment()
	if (is_bpf)
		rule_bpf()
	rule_exit()
	rule_print()
	if (is_abi)
		rule_abi()
	rule_function_size()
	if (is_public)
		rule_documented()
	depth += gsub(/\{/, "{", code) - gsub(/}/, "}", code)
}
END { if (name != "") end_file() }
