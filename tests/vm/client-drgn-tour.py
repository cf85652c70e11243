# SPDX-License-Identifier: GPL-2.0-only
"""
Run by drgn on this kernel, as `drgn -k client-drgn-tour.py BEFORE BETWEEN [between]`: a tour of
tasks, files, stacks, mounts, slab caches, modules and vmalloc areas, as JSON, a line a tour.
Without `between` it makes two, and waits for the file BETWEEN in the middle. With it it makes one,
after the file BEFORE is there.
"""
import json
import os
import sys
import time

from drgn import FaultError
from drgn.helpers.linux.cpumask import for_each_online_cpu
from drgn.helpers.linux.fs import d_path, for_each_file, for_each_mount, mount_dst, mount_fstype
from drgn.helpers.linux.list import list_for_each_entry
from drgn.helpers.linux.mm import for_each_vmap_area
from drgn.helpers.linux.percpu import per_cpu, percpu_counter_sum
from drgn.helpers.linux.pid import for_each_task
from drgn.helpers.linux.slab import for_each_slab_cache


# Name, variable, and what of it to show.
PER_CPU = [
    ("run queue's CPU", "runqueues", lambda rq: rq.cpu.value_()),
    ("idle task", "runqueues", lambda rq: rq.idle.value_()),
    ("model", "cpu_info", lambda info: info.x86_model_id.string_()),
    ("APIC", "cpu_info", lambda info: info.topo.apicid.value_()),
    ("number", "pcpu_hot", lambda hot: hot.cpu_number.value_()),
]


def task_key(task):
    return f"{task.pid.value_()} {task.comm.string_().decode(errors='replace')}"


def stack_of(task):
    """Its frames; a task that runs has no stack that could be unwound."""
    try:
        return [f"{frame.name} {frame.pc:#x} {frame.sp:#x}" for frame in prog.stack_trace(task)]
    except (ValueError, LookupError) as error:
        return str(error)


def files_of(task):
    return [[number, d_path(file.f_path).decode(errors="replace"), file.f_mode.value_()]
            for number, file in for_each_file(task)]


def memory_of(task):
    if not task.mm:
        return None
    return [percpu_counter_sum(task.mm.rss_stat[i].address_of_()) for i in range(4)] + \
        [task.mm.total_vm.value_(), task.mm.map_count.value_()]


def area_of(area):
    """A vmalloc area: its end, who made it, and its first bytes if it is memory."""
    vm = area.vm
    if not vm:
        return None
    flags = vm.flags.value_()
    first = None
    if flags & 2:       # VM_ALLOC
        try:
            first = prog.read(area.va_start.value_(), 64).hex()
        except FaultError as error:
            first = str(error)
    return [area.va_end.value_(), flags, vm.caller.value_(), first]


def each(items, key, value):
    """A dictionary; an item that goes away while it is looked at is left out."""
    found = {}
    for item in items:
        try:
            found[key(item)] = value(item)
        except FaultError:
            continue
    return found


def tour():
    # Not the two that look, which take turns.
    tasks = [task for task in for_each_task(prog) if task.comm.string_() != b"drgn"]
    return {
        "tasks": each(tasks, task_key, lambda t: [t.value_(), t.__state.value_(), t.start_time.value_(),
                                                  t.real_parent.pid.value_()]),
        "switches": each(tasks, task_key, lambda t: [t.nvcsw.value_(), t.nivcsw.value_()]),
        "memory": each(tasks, task_key, memory_of),
        "files": each(tasks, task_key, files_of),
        "stacks": each(tasks, task_key, stack_of),
        "mounts": each(for_each_mount(prog), lambda m: hex(m.value_()),
                       lambda m: [mount_fstype(m).decode(), mount_dst(m).decode()]),
        "slab caches": each(for_each_slab_cache(prog), lambda s: s.name.string_().decode(),
                            lambda s: [s.value_(), s.size.value_(), s.object_size.value_(), s.refcount.value_()]),
        "modules": each(list_for_each_entry("struct module", prog["modules"].address_of_(), "list"),
                        lambda m: m.name.string_().decode(),
                        lambda m: [m.value_(), m.num_symtab.value_() if hasattr(m, "num_symtab") else
                                   m.core_kallsyms.num_symtab.value_(), m.mem[0].base.value_(),
                                   prog.read(m.mem[0].base.value_(), 64).hex()]),
        "vmalloc areas": each(for_each_vmap_area(prog), lambda a: hex(a.va_start.value_()), area_of),
        "per-CPU variables": {f"{name} of CPU {cpu}": repr(value(per_cpu(prog[variable], cpu)))
                              for cpu in for_each_online_cpu(prog) for name, variable, value in PER_CPU},
    }


def await_file(path):
    while not os.path.exists(path):
        time.sleep(0.1)


def make_file(path):
    with open(path, "w", encoding="ascii"):
        pass


before, between = sys.argv[1:3]
if len(sys.argv) > 3:
    await_file(before)
    print(json.dumps(tour()), flush=True)
    make_file(between)
else:
    print(json.dumps(tour()), flush=True)
    make_file(before)
    await_file(between)
    print(json.dumps(tour()), flush=True)
