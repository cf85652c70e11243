# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # `lib` is set by common.sh
#
# Root folders made of Debian packages: one with the tools (QEMU, virtiofsd, mke2fs)
# and one for each release a guest can boot, the latter also as a root disk with its
# kernel and a small initrd. All are made once and cached by what goes into them.
#
# QEMU comes from a root folder of Debian 13 on every machine, because Debian 12's
# QEMU 7.2 miscompiles cmpxchg16b, which makes a guest's crash kernel die early.
#
# Sourced after common.sh and cache.sh.

# The release that the tools are taken from, and their packages: those that run guests, and
# libvirt, which makes some of the dumps.
tools_release=trixie
tools_packages=(e2fsprogs qemu-system-x86 seabios virtiofsd)
libvirt_packages=(libvirt-clients libvirt-daemon libvirt-daemon-driver-qemu qemu-system-x86 seabios)

# What every guest has: the kernel and what builds, runs and reads kviewfs.
guest_packages=(
	# the kernel, and what the initrd is made of
	linux-image-cloud-amd64 linux-headers-cloud-amd64 busybox-static cpio kmod xz-utils
	# what builds the daemon, the module and the tests
	gcc libc6-dev make meson pkgconf libfuse3-dev libelf-dev libtraceevent-dev libtracefs-dev
	liburing-dev libkdumpfile-dev libzstd-dev check
	# what runs and tests them
	attr bsdextrautils file fuse3 iproute2 less man-db procps python3 strace trace-cmd util-linux xxd
	# the programs that read and save kernel memory
	binutils crash gdb kdump-tools kexec-tools linux-perf makedumpfile python3-drgn
	# a policy for SELinux
	secilc
)

# Modules that the initrd loads, where the kernel does not have them built in.
initrd_modules=(virtio_pci virtio_blk virtio_console ext4 virtiofs qemu_fw_cfg)

# release_check RELEASE - exit unless there are guests of RELEASE
release_check() {
	case $1 in
	bookworm | trixie | forky) ;;
	*) die 2 "unknown release '$1'; there are: bookworm, trixie, forky" ;;
	esac
}

# release_options RELEASE - print the extra options, one a line, that mmdebstrap
# needs for RELEASE, and those that pass on this machine's proxies for packages
release_options() {
	local scheme value key
	[[ $1 != forky ]] || printf '%s\n' '--aptopt=Acquire::Check-Valid-Until "false"'
	for scheme in http https; do
		for key in Proxy Proxy-Auto-Detect; do
			value=
			eval "$(apt-config shell value "Acquire::$scheme::$key")"
			[[ -z $value ]] || printf '%s\n' "--aptopt=Acquire::$scheme::$key \"$value\""
		done
	done
	return 0
}

# debootstrap_root RELEASE DIR LOG PACKAGE... - make DIR a root folder of RELEASE
debootstrap_root() {
	local release=$1 dir=$2 log=$3 options packages
	shift 3
	mapfile -t options < <(release_options "$release")
	packages=$(IFS=,; printf %s "$*")
	# INITRD=No: the guest has an initrd of its own, so spare the kernel package's.
	# dpkgopt: module files with symbols are large, and nothing here reads them.
	INITRD=No mmdebstrap --quiet --mode=root --variant=minbase --include="$packages" \
		--dpkgopt='path-exclude=/usr/lib/debug/lib/modules/*/kernel/*' \
		--dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		"${options[@]}" "$release" "$dir" </dev/null >"$log" 2>&1
}

# roots_key FUNCTION... - print a cache key made of the text on stdin and of the
# FUNCTIONs, which are the recipe
roots_key() {
	{
		cat
		declare -f debootstrap_root release_options "$@"
		cat "$lib/enter-root"
	} | hash_text
}

# roots_need_host - install what makes roots
roots_need_host() {
	need_packages mmdebstrap=mmdebstrap \
		/usr/share/keyrings/debian-archive-keyring.gpg=debian-archive-keyring \
		setpriv=util-linux unshare=util-linux flock=util-linux
}

# roots_tools - make sure of the tools root; sets REPLY to its folder. It stays in
# use, so is not pruned, until this process ends.
roots_tools() {
	roots_of_tools tools QEMU "${tools_packages[@]}"
}

# roots_libvirt - the same of the root with libvirt
roots_libvirt() {
	roots_of_tools libvirt libvirt "${libvirt_packages[@]}"
}

# roots_of_tools KIND WHAT PACKAGE...
roots_of_tools() {
	local kind=$1 what=$2 name
	shift 2
	name=$kind-$(printf '%s\n' "$tools_release" "$@" | roots_key make_tools)
	cache_entry "$name" "fetching $what from Debian $tools_release (about half a minute, once)" \
		make_tools "$@"
}

make_tools() {
	local root=$1/root log=$2
	shift 2
	debootstrap_root "$tools_release" "$root" "$log" "$@"
}

# roots_guest RELEASE TOOLS [PACKAGE...] - make sure of a guest's root of RELEASE with
# the extra PACKAGEs; sets REPLY to a folder with root/ (the files), disk.img (the
# same as ext4), vmlinuz, initrd and kernel (its version as text). TOOLS is the folder
# that roots_tools gave.
roots_guest() {
	local release=$1 tools=$2 name
	shift 2
	name=root-$release-$({
		printf '%s\n' "${guest_packages[@]}" "$@" | sort -u
		printf '%s\n' "$release" "${initrd_modules[@]}"
		cat "$lib/../../tests/vm/initrd-init"
	} | roots_key make_guest make_initrd make_ext4)
	cache_entry "$name" \
		"making a Debian $release root${*:+ with $*} (about 2 minutes, once)" \
		make_guest "$release" "$tools" "${guest_packages[@]}" "$@"
}

make_guest() {
	local dir=$1 log=$2 release=$3 tools=$4 root=$1/root kernel
	shift 4
	debootstrap_root "$release" "$root" "$log" "$@" || return
	ln -sf ../proc/self/mounts "$root/etc/mtab"
	echo kviewfs-guest >"$root/etc/hostname"
	printf '127.0.0.1 localhost kviewfs-guest\n' >"$root/etc/hosts"
	mkdir -p "$root/opt/kviewfs" "$root/mnt/kview" "$root/share"
	kernel=$(cd "$root/lib/modules" && echo *)
	[[ -f $root/boot/vmlinuz-$kernel ]] || {
		echo "expected one kernel in /boot, found: $kernel" >>"$log"
		return 1
	}
	printf '%s\n' "$kernel" >"$dir/kernel"
	cp "$root/boot/vmlinuz-$kernel" "$dir/vmlinuz"
	make_initrd "$root" "$kernel" "$dir/initrd" >>"$log" 2>&1 || return
	make_ext4 "$tools" "$root" "$dir/disk.img" 1024 >>"$log" 2>&1
}

# make_initrd ROOT KERNEL FILE - an initrd that only finds the disks: busybox, the modules
# that the disks need, and tests/vm/initrd-init
make_initrd() {
	local root=$1 kernel=$2 file=$3 tree number=10 module
	tree=$root/var/tmp/initrd
	mkdir -p "$tree"/{bin,dev,proc,sys,root,"modules/$kernel"}
	cp "$root/bin/busybox" "$tree/bin/"
	install -m 755 "$lib/../../tests/vm/initrd-init" "$tree/init"
	while read -r module; do
		# insmod takes them in the order of their names.
		cp "$root$module" "$tree/modules/$kernel/$number-${module##*/}"
		((number++))
	done < <(chroot "$root" modprobe -S "$kernel" --show-depends -a "${initrd_modules[@]}" |
		awk '$1 == "insmod" && !seen[$2]++ { print $2 }')
	find "$tree/modules" -name '*.xz' -exec xz -d {} +
	find "$tree/modules" -name '*.zst' -exec zstd -q -d --rm {} +
	chroot "$root" sh -c 'cd /var/tmp/initrd && find . | cpio --quiet -o -H newc' >"$file"
	rm -r "$tree"
}

# make_ext4 TOOLS DIR FILE FREE_MIB - make FILE an ext4 image of DIR, with FREE_MIB
# of room (the file is sparse). FILE must be on the file system of DIR's parent.
make_ext4() {
	local tools=$1 dir=$2 file=$3 size
	size=$(du -sm --apparent-size "$dir" | cut -f1)
	((size += size / 5 + $4))
	truncate -s "${size}M" "$file"
	"$lib/enter-root" "$tools/root" --bind-ro "$dir:/mnt/tree" --bind "$file:/mnt/image" -- \
		mke2fs -q -t ext4 -m 0 -O ^has_journal -E root_owner=0:0 -d /mnt/tree /mnt/image
}
