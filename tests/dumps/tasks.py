# SPDX-License-Identifier: GPL-2.0-only
"""Run by drgn (prog is its program): prints facts about the dumped kernel as JSON."""
import json

from drgn import FaultError
from drgn.helpers.linux.fs import for_each_mount, mount_fstype
from drgn.helpers.linux.list import list_for_each_entry
from drgn.helpers.linux.mm import cmdline
from drgn.helpers.linux.pid import find_task, for_each_task
from drgn.helpers.linux.sched import task_state_to_char

# pylint: disable=undefined-variable


def command_line(task):
    """It lies in the memory of a program, which a filtered dump may lack: a fault, or zeros."""
    try:
        return [word.decode() for word in cmdline(task)]
    except FaultError:
        return None


def kernel_stack(task):
    """Its frames in the kernel only: drgn does not unwind those of a program reliably."""
    return [str(frame.name) for frame in task.stack_trace() if frame.pc >> 63]


init = find_task(prog, 1)
print(json.dumps({
    "banner": prog["linux_banner"].string_().decode(),
    "tasks": sorted([task.pid.value_(), task.comm.string_().decode(), task_state_to_char(task),
                     hex(task.value_()), task.start_time.value_()] for task in for_each_task(prog)),
    "modules": [m.name.string_().decode()
                for m in list_for_each_entry("struct module", prog["modules"].address_of_(), "list")],
    "mounts": [mount_fstype(m).decode() for m in for_each_mount(init.nsproxy.mnt_ns)],
    "panic": prog["panic_cpu"].counter.value_(),
    "stack": kernel_stack(prog.crashed_thread()),
    "command line": command_line(init),
}))
