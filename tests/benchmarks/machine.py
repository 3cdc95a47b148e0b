"""What the figures were measured on, and what processes have used so far."""

import os
import platform
import sqlite3
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

LIBRARIES = (
    "strawberry-graphql",
    "graphql-core",
    "httpx",
    "httpcore",
    "starlette",
    "uvicorn",
    "uvloop",
    "SQLAlchemy",
    "aiosqlite",
    "asyncpg",
    "msgspec",
)


def machine() -> Mapping[str, str]:
    """This machine, for people who compare figures. ``busy``: processes that wanted to run, a minute's mean."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
    return {
        "cpu": model,
        "cores": str(os.cpu_count()),
        "busy": f"{os.getloadavg()[0]:.1f}",
        "python": platform.python_version(),
        "os": platform.platform(),
    }


def versions() -> Mapping[str, str]:
    """The libraries that the figures depend on."""
    return {name: version(name) for name in LIBRARIES} | {"sqlite": sqlite3.sqlite_version}


def family(pid: int) -> list[int]:
    """That process and all that come from it."""
    found = [pid]
    for each in found:
        for thread in Path(f"/proc/{each}/task").glob("*/children"):
            try:
                found += [int(child) for child in thread.read_text(encoding="utf-8").split()]
            except FileNotFoundError:  # it has just ended
                continue
    return found


def cpu_s(pid: int) -> float:
    """CPU seconds of that process and its family so far, ended children included; in steps of a clock tick (10 ms)."""
    return sum(cpu_of(each) for each in family(pid))


def cpu_of(pid: int) -> float:
    """CPU seconds of that process alone and of its children that have ended. 0 if it has ended itself."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except FileNotFoundError:
        return 0
    return sum(int(ticks) for ticks in after_name[11:15]) / os.sysconf("SC_CLK_TCK")


def rss_mib(pid: int) -> float:
    """Memory of that process and its family that is in RAM now."""
    return sum(_rss_pages(each) for each in family(pid)) * os.sysconf("SC_PAGE_SIZE") / 2**20


def _rss_pages(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1])
    except FileNotFoundError:
        return 0


def written_bytes() -> int:
    """What this process has handed to the system to be written so far."""
    lines = Path("/proc/self/io").read_text(encoding="utf-8").splitlines()
    return next(int(line.partition(":")[2]) for line in lines if line.startswith("wchar"))
