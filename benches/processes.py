"""What a whole process costs."""

import os
import subprocess
import sys
import time


def measured(command, cwd=None, codes=(0,)):
    """Wall clock, processor seconds (user and system) and peak of resident memory in MB of a process that must end with one of `codes`."""
    begun = time.monotonic()
    child = subprocess.Popen(list(map(str, command)), cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    error = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    if os.waitstatus_to_exitcode(status) not in codes:
        sys.exit(f"{command[0]} failed: {error.decode()}")
    return time.monotonic() - begun, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
