#!/usr/bin/env python3.11
"""Stands for `python` in the image of development: as root it runs Python as the owner of the mounted source.

What is written there, by the formatter or by tests, then belongs to whoever works on it, whatever their number is.
"""

import os
import shutil
import sys

if os.geteuid() == 0:
    owner = os.stat(os.environ.get("LAMBDA_TASK_ROOT", "."))  # noqa: PTH116  every start waits for imports
    if owner.st_uid:
        os.setgroups([])
        os.setgid(owner.st_gid)
        os.setuid(owner.st_uid)
program = shutil.which("python3.11") or sys.exit("python3.11 is not on the path")
os.execv(program, [program, *sys.argv[1:]])  # noqa: S606  no shell is meant
