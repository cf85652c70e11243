# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What every command of scripts/ shares: messages, the cache folder, locks, and
# the packages of the machine it runs on. To be sourced, with `prog` set to the
# name that messages begin with.

# The folder of the libraries; the parts use each other's files.
# shellcheck disable=SC2034
lib=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# say TEXT... - a progress message, on stderr so that a COMMAND's output stays clean
say() {
	printf '%s: %s\n' "${prog:?}" "$*" >&2
}

# die STATUS TEXT... - say why, and exit with STATUS
die() {
	local status=$1
	shift
	say "$*"
	exit "$status"
}

# cache_dir - print the folder that holds everything that is slow to make
cache_dir() {
	printf '%s/kviewfs\n' "${XDG_CACHE_HOME:-${HOME:-/root}/.cache}"
}

# hash_text - print a short key for the text on stdin
hash_text() {
	sha256sum | cut -c1-16
}

# need_root - everything here makes namespaces, mounts or loads modules
need_root() {
	[[ $EUID -eq 0 ]] || die 125 "must be run as root (it makes mounts and changes root folders); try: sudo $0"
}

# need_packages COMMAND=PACKAGE... - install with apt-get each Debian PACKAGE whose
# COMMAND is not on PATH. A COMMAND that begins with / is a file that must exist, or a
# pattern that a file must match.
need_packages() {
	local pair probe missing=()
	for pair; do
		probe=${pair%%=*}
		case $probe in
		/*) compgen -G "$probe" >/dev/null || missing+=("${pair#*=}") ;;
		*) command -v "$probe" >/dev/null || missing+=("${pair#*=}") ;;
		esac
	done
	((${#missing[@]})) || return 0
	install_packages "${missing[@]}"
}

# install_packages PACKAGE... - apt-get install, with the package lists fetched only
# when they are missing or too old to have a package
install_packages() {
	local log
	command -v apt-get >/dev/null ||
		die 125 "needs these Debian packages, and this machine has no apt-get: $*"
	log=$(mktemp)
	say "installing on this machine: $*"
	if ! apt_get install "$@" >"$log" 2>&1 &&
	   ! { apt_get update >"$log" 2>&1 && apt_get install "$@" >>"$log" 2>&1; }; then
		tail -n 20 "$log" >&2
		rm -f "$log"
		die 125 "apt-get could not install $* (see above); install them by hand and try again"
	fi
	rm -f "$log"
}

# apt_get VERB [PACKAGE...] - apt-get that asks nothing and waits for its lock
apt_get() {
	DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends \
		-o DPkg::Lock::Timeout=300 "$@" </dev/null
}

# at_exit FUNCTION - call FUNCTION when this command ends, by a signal too. A process
# that bash has just forked still has these traps: one that gets SIGTERM before it
# becomes its program must not clean up for the command, which goes on.
at_exit() {
	# shellcheck disable=SC2064 # the name is expanded now
	trap "[[ \$BASHPID != \$\$ ]] || $1" EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
}

# Paths that remove_temporaries removes.
temporaries=()

# make_temporary KIND - make a folder cache_dir/KIND.XXXXXX; sets REPLY to it. This process
# holds a lock on it, which tells it from a folder that a killed run left.
make_temporary() {
	local fd
	mkdir -p "$(cache_dir)"
	REPLY=$(mktemp -d "$(cache_dir)/$1.XXXXXX")
	temporaries+=("$REPLY")
	exec {fd}<"$REPLY"
	flock -s "$fd"
}

# remove_temporaries - to be called at the exit of a command
remove_temporaries() {
	((${#temporaries[@]} == 0)) || rm -rf "${temporaries[@]}"
	temporaries=()
}

# remove_stale_temporaries KIND... - remove the folders that killed runs left
remove_stale_temporaries() {
	local kind path fd
	for kind; do
		for path in "$(cache_dir)/$kind".*; do
			[[ -d $path && -z $(find "$path" -maxdepth 0 -mmin -2) ]] || continue
			exec {fd}<"$path"
			! flock -n "$fd" || rm -rf "$path"
			exec {fd}<&-
		done
	done
}

# lock_exclusive FILE VARIABLE - wait for the lock FILE; VARIABLE gets the descriptor
# that holds it. The lock ends with the descriptor, so with the process at the latest.
lock_exclusive() {
	local -n lock_fd=$2
	exec {lock_fd}>>"$1"
	if ! flock -n "$lock_fd"; then
		say "waiting for another run that is making the same thing"
		flock "$lock_fd"
	fi
}

# lock_shared FILE VARIABLE - the same for a user of what FILE protects
lock_shared() {
	local -n lock_fd=$2
	exec {lock_fd}>>"$1"
	flock -s "$lock_fd"
}

# unlock FD - give a lock back before the process ends
unlock() {
	local fd=$1
	exec {fd}>&-
}
