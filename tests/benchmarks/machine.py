"""What the figures were measured on, and what a process has used so far."""

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
    "msgspec",
)


def machine() -> Mapping[str, str]:
    """This machine, for people who compare figures."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
    return {"cpu": model, "cores": str(os.cpu_count()), "python": platform.python_version(), "os": platform.platform()}


def versions() -> Mapping[str, str]:
    """The libraries that the figures depend on."""
    return {name: version(name) for name in LIBRARIES} | {"sqlite": sqlite3.sqlite_version}


def cpu_s(pid: int) -> float:
    """CPU seconds of that process so far, in user and system mode, all threads; in steps of a clock tick (10 ms)."""
    after_name = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")


def rss_mib(pid: int) -> float:
    """Memory of that process that is in RAM now."""
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
