# SPDX-License-Identifier: GPL-2.0-only
"""
Looking at trace/ (ls, getfattr, status) must not disturb users of the rings. Resizing shows it: it
fails with EBUSY as long as a ring is mapped.
"""
import multiprocessing
import os
import subprocess

from ringtest import Instance, put

RESIZES = 1000
PASSES = 20



def ls(mount):
    for argv in (["ls", "-l", mount], ["ls", "-lR", os.path.join(mount, "trace")]):
        subprocess.run(argv, stdout=subprocess.DEVNULL, check=True)


def attributes(mount):
    for folder, _, names in os.walk(os.path.join(mount, "trace")):
        for path in (os.path.join(folder, name) for name in names):
            for name in os.listxattr(path):
                os.getxattr(path, name)


def status(mount):
    with open(os.path.join(mount, "status"), "rb") as f:
        f.read()


LOOKS = (ls, attributes, status)


def look_until(stop, look, mount, log):
    """In a child: writes a byte for each pass."""
    with open(log, "wb", buffering=0) as f:
        while not stop.is_set():
            look(mount)
            f.write(b".")


def resize_beside_lookers(tap, mount, room):
    """1,000 resizes of an instance's rings beside processes that look at the mount all the time."""
    logs = [os.path.join(room, f"looks-{look.__name__}") for look in LOOKS]
    with Instance("kviewtest-look") as instance:
        lookers, stop = [], multiprocessing.Event()
        for look, log in zip(LOOKS, logs):
            open(log, "wb").close()
            lookers.append(multiprocessing.Process(target=look_until, args=(stop, look, mount, log)))
            lookers[-1].start()
        resizes = refused = 0

        def goes_on():
            """Until there were enough resizes, and enough passes of each looker beside them."""
            return all(looker.is_alive() for looker in lookers) and \
                (resizes < RESIZES or any(os.path.getsize(log) < PASSES for log in logs))

        while goes_on():
            try:
                put(instance.file("buffer_size_kb"), (100, 200)[resizes % 2])
            except OSError:
                refused += 1
            resizes += 1
        alive = [looker.is_alive() for looker in lookers]
        stop.set()
        for looker in lookers:
            looker.join()
        tap.check(all(alive), "processes list the mount, read its attributes and its status", *alive)
        tap.equal(refused, 0, f"of {resizes} resizes beside them none is refused")
