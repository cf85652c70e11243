# SPDX-License-Identifier: GPL-2.0-only
"""
Run by drgn on a core of this kernel: prints facts as JSON. `still` does not change while the
machine is at rest, `moving` may only grow.
"""
import json

from drgn import FaultError
from drgn.helpers.linux.cpumask import for_each_online_cpu
from drgn.helpers.linux.fs import for_each_mount, mount_fstype
from drgn.helpers.linux.list import list_for_each_entry
from drgn.helpers.linux.mm import PFN_PHYS, cmdline, page_to_pfn, pfn_to_page, phys_to_virt, \
    virt_to_page, virt_to_phys
from drgn.helpers.linux.percpu import per_cpu
from drgn.helpers.linux.pid import find_task, for_each_task
from drgn.helpers.linux.slab import for_each_slab_cache


PF_KTHREAD = 0x00200000    # include/linux/sched.h; a process that is ending has no mm either


def kernel_threads():
    """Without workers, whose names change with their work."""
    names = {(task.pid.value_(), task.comm.string_().decode()) for task in for_each_task(prog)
             if task.flags & PF_KTHREAD}
    return sorted(pair for pair in names if not pair[1].startswith("kworker"))


def page_facts():
    """From a page of init's stack to its struct page and back."""
    stack = find_task(prog, 1).stack_vm_area.pages[0]
    address = phys_to_virt(prog, PFN_PHYS(page_to_pfn(stack)))
    page = virt_to_page(address)
    return {
        "round trip": page == stack and pfn_to_page(prog, page_to_pfn(page)) == page,
        "physical": virt_to_phys(address).value_() == PFN_PHYS(page_to_pfn(page)).value_(),
        "referenced": page._refcount.counter.value_() > 0,
        "pfn": page_to_pfn(stack).value_(),
    }


def command_line(task):
    """It is found through the page tables of another address space. A filtered dump lacks it."""
    try:
        return [word.decode() for word in cmdline(task)]
    except FaultError:
        return None


init = find_task(prog, 1)
cpus = list(for_each_online_cpu(prog))
print(json.dumps({
    "still": {
        "banner": prog["linux_banner"].string_().decode(),
        "release": prog["init_uts_ns"].name.release.string_().decode(),
        "swapper": prog["init_task"].comm.string_().decode(),
        "tasks": kernel_threads(),
        "init": [init.comm.string_().decode(), init.start_time.value_(), init.real_parent.pid.value_()],
        "init's command line": command_line(init),
        "page": page_facts(),
        "cpus": cpus,
        "run queues": [per_cpu(prog["runqueues"], cpu).cpu.value_() for cpu in cpus],
        "idle": [per_cpu(prog["runqueues"], cpu).idle.comm.string_().decode() for cpu in cpus],
        "modules": sorted(m.name.string_().decode()
                          for m in list_for_each_entry("struct module", prog["modules"].address_of_(), "list")),
        "slabs": sorted(s.name.string_().decode() for s in for_each_slab_cache(prog)),
        "mounts": sorted(mount_fstype(m).decode() for m in for_each_mount(init.nsproxy.mnt_ns)),
        "init_task": prog["init_task"].address_of_().value_(),
    },
    "moving": {"jiffies": prog["jiffies"].value_()},
}))
