# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # `lib` is set by common.sh
#
# One run of a guest: QEMU with its disks, ports and shared folder, what the guest
# reports, and the judgement of its kernel log.
#
# Into the guest: its command line, environment (TERM and KVIEW_*) and settings go through
# QEMU's fw_cfg; a shared folder is virtiofs. Out of it: standard output, standard error and
# the control messages have a virtio-serial port each, unchanged byte for byte. QEMU writes
# them to files that the runner follows, since it drops what a full pipe cannot take when a
# guest powers off. The kernel log goes to the serial line, whole, and is judged after the run.
#
# KVM is used only where /proc/cpuinfo has svm or vmx; emulation is enough for everything here.
#
# Sourced after common.sh, roots.sh and klog.sh.

# The settings of a guest. tools, root, build: folders of the cache; kernel: the build
# tree of a kernel to boot, or '' for that of the root; dimm: size of a memory module that can be
# ejected, or ''; virtio-mem: how much memory such a device gives, or ''; cmdline: of the kernel;
# share: a folder, or ''; module, mount, shell: 0 or 1; timeout: seconds, 0 for none; log: a file
# to keep the kernel log in, or ''; kdump: 1 to crash the guest first; crash_cmdline: of the crash
# kernel; icount: 1 for a clock that counts executed instructions.
declare -A guest=([tools]='' [root]='' [build]='' [kernel]='' [memory]=2G [dimm]=''
	[virtio-mem]='' [cpus]=2 [cmdline]=''
	[share]='' [module]=1 [mount]=1 [shell]=0 [timeout]=0 [log]='' [kdump]=0
	[crash_cmdline]='' [icount]=0)

# Processes of the guest that runs now.
guest_pids=()

# Seconds until a guest must have started its command: far more than an emulated one needs
# on a busy machine.
guest_start_limit=480

# guest_has_kvm - /dev/kvm alone is no proof: without the CPU's flag it may be there,
# and a stock kernel still never prints a line
guest_has_kvm() {
	[[ -r /dev/kvm && -w /dev/kvm ]] && grep -qEw 'svm|vmx' /proc/cpuinfo
}

# guest_port NAME - print the QEMU options of the virtio-serial port kviewfs.NAME. It
# goes to a file, not a pipe: QEMU drops what a full pipe cannot take when the guest
# powers off.
guest_port() {
	printf '%s\n' -chardev "file,id=$1,path=/mnt/run/$1" \
		-device "virtserialport,chardev=$1,name=kviewfs.$1"
}

# guest_qemu_args - print QEMU's options, one a line, for the settings in
# `guest`
guest_qemu_args() {
	local kernel=/mnt/guest/vmlinuz memory=${guest[memory]}
	# Room for memory that comes and goes.
	[[ -z ${guest[dimm]}${guest[virtio-mem]} ]] || memory+=,slots=1,maxmem=64G
	[[ -z ${guest[kernel]} ]] || kernel=/mnt/kernel/bzImage
	printf '%s\n' -nodefaults -no-user-config -display none -no-reboot \
		-smp "${guest[cpus]}" -m "$memory"
	[[ -z ${guest[dimm]} ]] || printf '%s\n' -device pc-dimm,memdev=dimm \
		-object "memory-backend-ram,id=dimm,size=${guest[dimm]}"
	[[ -z ${guest[virtio-mem]} ]] || printf '%s\n' -object memory-backend-ram,id=vmem,size=4G \
		-device "virtio-mem-pci,memdev=vmem,requested-size=${guest[virtio-mem]}"
	if ((guest[icount])); then
		printf '%s\n' -machine q35 -accel tcg,thread=single -icount shift=0,sleep=off -cpu max
	elif guest_has_kvm; then
		printf '%s\n' -machine q35 -accel kvm -cpu host
	else
		printf '%s\n' -machine q35 -accel tcg,thread=multi -cpu max
	fi
	printf '%s\n' -kernel "$kernel" -initrd /mnt/guest/initrd \
		-append "${guest[cmdline]}" \
		-chardev file,id=console,path=/mnt/run/console -serial chardev:console \
		-drive if=none,id=root,file=/mnt/guest/disk.img,format=raw,snapshot=on,cache=unsafe \
		-device virtio-blk-pci,drive=root,serial=root \
		-drive if=none,id=build,file=/mnt/build/build.img,format=raw,readonly=on \
		-device virtio-blk-pci,drive=build,serial=build \
		-fw_cfg name=opt/kviewfs/conf,file=/mnt/run/conf \
		-fw_cfg name=opt/kviewfs/argv,file=/mnt/run/argv \
		-fw_cfg name=opt/kviewfs/env,file=/mnt/run/env
	# Without ioeventfd a write to a port is complete when the guest goes on, so
	# nothing is under way when it powers off.
	printf '%s\n' -device virtio-serial-pci,ioeventfd=off
	guest_port control
	if ((guest[shell])); then
		printf '%s\n' -chardev stdio,id=tty,signal=off -device virtconsole,chardev=tty
	else
		guest_port stdout
		guest_port stderr
	fi
	if ((guest[kdump])); then
		# The crash kernel's log goes to a line of its own, and it needs an initrd.
		printf '%s\n' -chardev file,id=crash,path=/mnt/run/crash -serial chardev:crash \
			-drive if=none,id=initrd,file=/mnt/guest/initrd,format=raw,readonly=on \
			-device virtio-blk-pci,drive=initrd,serial=initrd
	fi
	if [[ -n ${guest[share]} ]]; then
		printf '%s\n' -object "memory-backend-memfd,id=mem,size=${guest[memory]},share=on" \
			-numa node,memdev=mem \
			-chardev socket,id=share,path=/mnt/run/virtiofsd \
			-device vhost-user-fs-pci,chardev=share,tag=share
	fi
}

# guest_write_job RUN COMMAND... - write what guest-init reads through fw_cfg
guest_write_job() {
	local run=$1 size=(24 80) name
	shift
	if ((guest[shell])); then
		read -ra size < <(stty size) || true
	fi
	printf '%s\n' "module=${guest[module]}" "mount=${guest[mount]}" \
		"share=$([[ -n ${guest[share]} ]] && echo 1 || echo 0)" \
		"kdump=${guest[kdump]}" "crash_cmdline=${guest[crash_cmdline]}" \
		"shell=${guest[shell]}" "rows=${size[0]}" "cols=${size[1]}" >"$run/conf"
	# fw_cfg has no empty files.
	if (($#)); then
		printf '%s\0' "$@"
	else
		printf '\0'
	fi >"$run/argv"
	for name in TERM "${!KVIEW_@}"; do
		printf '%s=%s\0' "$name" "${!name-}"
	done >"$run/env"
}

# guest_write_start RUN - write what runs in the tools root: virtiofsd if a folder is
# shared, then QEMU
guest_write_start() {
	local run=$1 args
	mapfile -t args < <(guest_qemu_args)
	{
		printf '%s\n' '#!/bin/bash' 'export TMPDIR=/mnt/run'
		if [[ -n ${guest[share]} ]]; then
			printf '%s\n' '/usr/libexec/virtiofsd --socket-path=/mnt/run/virtiofsd' \
				'	--shared-dir=/mnt/share --sandbox=none --log-level=error &' |
				sed '1s/$/ \\/'
			printf '%s\n' 'while [[ ! -S /mnt/run/virtiofsd ]]; do' \
				'	kill -0 $! || exit 1' '	sleep 0.02' 'done'
		fi
		printf 'exec qemu-system-x86_64'
		printf ' %q' "${args[@]}"
		echo
	} >"$run/start"
	chmod +x "$run/start"
}

# guest_run RUN COMMAND... - boot a guest with the settings in `guest`, run COMMAND and
# pass its output through. RUN is an empty folder. Returns the status that scripts/vm
# documents.
guest_run() {
	local run=$1 binds=() qemu pid followers=()
	guest_write_job "$@"
	guest_write_start "$run"
	touch "$run"/{control,stdout,stderr,console,crash}
	binds=(--bind "$run:/mnt/run" --bind-ro "${guest[root]}:/mnt/guest"
		--bind-ro "${guest[build]}:/mnt/build")
	[[ -z ${guest[share]} ]] || binds+=(--bind "${guest[share]}:/mnt/share")
	[[ -z ${guest[kernel]} ]] || binds+=(--bind-ro "${guest[kernel]}/arch/x86/boot:/mnt/kernel")
	if ((guest[shell])); then
		"$lib/enter-root" "${guest[tools]}/root" "${binds[@]}" -- /mnt/run/start <&0 &
	else
		"$lib/enter-root" "${guest[tools]}/root" "${binds[@]}" -- /mnt/run/start \
			</dev/null >"$run/qemu" 2>&1 &
	fi
	qemu=$!
	guest_pids=("$qemu")
	if ((!guest[shell])); then
		setpriv --pdeathsig KILL tail -c +1 -f -s 0.05 --pid="$qemu" "$run/stdout" 2>/dev/null &
		followers+=($!)
		setpriv --pdeathsig KILL tail -c +1 -f -s 0.05 --pid="$qemu" "$run/stderr" >&2 2>/dev/null &
		followers+=($!)
		guest_pids+=("${followers[@]}")
	fi
	guest_watch "$run" "$qemu"
	for pid in "${followers[@]}"; do
		wait "$pid" || true
	done
	guest_pids=()
	guest_judge "$run"
}

# guest_watch RUN QEMU - wait for the guest to end, or end it when its time is over;
# sets guest_ended to "itself", "timeout" or "stuck" (no command within the limit)
guest_watch() {
	local run=$1 qemu=$2 begin=$SECONDS noted=
	guest_ended=itself
	while kill -0 "$qemu" 2>/dev/null; do
		[[ -n $noted ]] || guest_note "$run"
		if ((guest[timeout] && SECONDS - begin >= guest[timeout])); then
			guest_ended=timeout
		elif ((SECONDS - begin >= guest_start_limit)) && [[ ! -s $run/control ]]; then
			guest_ended=stuck
		else
			guest_wait "$qemu" 1
			continue
		fi
		kill -KILL "$qemu"
		break
	done
	wait "$qemu" 2>/dev/null || true
}

# guest_note RUN - show the guest's message about its mount, once; sets `noted`
guest_note() {
	noted=$(sed -n 's/^note //p' "$1/control")
	[[ -z $noted ]] || say "$noted"
}

# guest_wait PID SECONDS - wait for the end of PID, at most so long. The timer ends by
# itself, and holds no descriptor open.
guest_wait() {
	local timer
	sleep "$2" >/dev/null 2>&1 &
	timer=$!
	wait -n "$1" "$timer" || true
}

# guest_kill - end a guest that runs, from a trap
guest_kill() {
	((${#guest_pids[@]})) || return 0
	kill -KILL "${guest_pids[@]}"
	wait "${guest_pids[@]}"
} 2>/dev/null

# guest_judge RUN - return the status of the run, saying why if it is not the command's
guest_judge() {
	local run=$1 report status message
	# The messages of the intended crash are not judged; the crash kernel's log is.
	{
		if ((guest[kdump])); then
			sed '/kviewfs-vm: crashing on purpose/q' "$run/console"
		else
			cat "$run/console"
		fi
		cat "$run/crash"
	} | tr -d '\r' >"$run/klog"
	[[ -z ${guest[log]} ]] || cp "$run/klog" "${guest[log]}"
	status=$(sed -n 's/^exit //p' "$run/control")
	message=$(sed -n 's/^fail //p' "$run/control")
	if report=$(klog_reports 3 <"$run/klog"); then
		say "the guest's kernel log holds these reports:"
		head -n 150 <<<"$report" >&2
		[[ $guest_ended == timeout ]] || return 126
	fi
	case $guest_ended in
	timeout)
		say "the guest was still running after ${guest[timeout]} s (--timeout) and was killed"
		return 124 ;;
	stuck)
		say "the guest did not start its command in $guest_start_limit s; the end of its console:" ;;
	itself)
		[[ -z $status ]] || return "$status"
		if [[ -n $message ]]; then
			say "the guest failed: $message"
		else
			say "the guest ended before its command did; the end of its console:"
		fi ;;
	esac
	tail -n 15 "$run/klog" >&2
	[[ ! -s $run/qemu ]] || { say "QEMU says:"; tail -n 15 "$run/qemu" >&2; }
	return 125
}
