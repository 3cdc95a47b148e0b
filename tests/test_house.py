"""House rules that no linter knows."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted(path for folder in ("gateway", "connectors") for path in (ROOT / folder).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
README = (ROOT / "README.md").read_text(encoding="utf-8")

LINES_MAX = 400
VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "base", "manager", "handlers"}
ALLOWED_AT_THE_TOP = {
    ".ci", ".dockerignore", ".git", ".gitignore", "CHANGELOG.md", "Dockerfile", "LICENSE", "README.md",
    "connectors", "docs", "gateway", "pyproject.toml", "schema.graphql", "tests",
}  # fmt: skip


def tracked() -> list[str]:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: what is tracked cannot be told")
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S607
    return listed.stdout.split()


def test_little_stands_at_the_top() -> None:
    assert {Path(name).parts[0] for name in tracked()} <= ALLOWED_AT_THE_TOP


def test_a_file_holds_one_idea_and_is_named_after_it() -> None:
    vague = [path for path in [*SOURCES, *TESTS] if path.stem in VAGUE]
    long = [path for path in [*SOURCES, *TESTS] if len(path.read_text(encoding="utf-8").splitlines()) > LINES_MAX]
    assert vague == []
    assert long == [], "make it a folder of the same name, one idea per file"


def test_nothing_unfinished_lands() -> None:
    marks = re.compile(r"TODO|FIXME|XXX|NotImplementedError|pragma: no cover")
    assert [path for path in SOURCES if marks.search(path.read_text(encoding="utf-8"))] == []


def test_the_map_in_the_readme_is_the_tree() -> None:
    drawn = re.search(r"<!-- map -->\n```\n(.*?)```", README, re.DOTALL)
    assert drawn is not None
    folder, listed = "", set()
    for line in drawn[1].splitlines():
        name = line.split()[0]
        if not line.startswith(" "):
            folder = name
        else:
            listed.add(folder + name.rstrip("/"))
    there = {
        f"{package}/{path.name}"
        for package in ("gateway", "connectors")
        for path in (ROOT / package).iterdir()
        if ((path.suffix == ".py" or path.is_dir()) and not path.name.startswith("__")) or path.name == "__main__.py"
        if path.name != "__pycache__"
    }
    assert listed == there


def test_the_committed_schema_is_the_served_one() -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "gateway", "schema", "print"], capture_output=True, text=True, check=True, cwd=ROOT
    )
    committed = (ROOT / "schema.graphql").read_text(encoding="utf-8")
    assert committed == printed.stdout, "dom schema print > schema.graphql"


def test_the_readme_has_two_commands_and_ci_runs_the_second() -> None:
    commands = re.findall(r"<!-- (run|test) -->\n```sh\n(.+)\n```", README)
    assert [name for name, _ in commands] == ["run", "test"]
    assert commands[0][1].endswith("dom demo")
    assert "<!-- test -->" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_every_public_module_says_what_it_is() -> None:
    silent = [path for path in SOURCES if ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) is None]
    assert silent == []
