"""The processes that read for another one."""

import subprocess
from pathlib import Path


def children_of(process: int) -> list[int]:
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(process)], capture_output=True, text=True, check=False)
    return [int(pid) for pid in listed.stdout.split() if Path(f"/proc/{pid}/cmdline").exists()]


def readers_of(process: int) -> list[int]:
    return [
        pid for pid in children_of(process) if b"ragkit.connectors.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]
