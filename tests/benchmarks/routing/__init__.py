"""What routing is worth: ``python -m tests.benchmarks routing NAME``, all policies side by side in one run."""

from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Final

BENCHMARKS: Final[Mapping[str, str]] = {
    "paper_s": "tests.benchmarks.routing.paper",
    "paper_l": "tests.benchmarks.routing.paper",
    "single": "tests.benchmarks.routing.single",
    "batch": "tests.benchmarks.routing.batch",
    "retail": "tests.benchmarks.routing.retail",
    "explain": "tests.benchmarks.routing.explain",
}


def run(name: str, options: Sequence[str]) -> int:
    """The exit status of the benchmark of that name: ``main([name, *options])`` of its module, which is imported only now."""
    status: int = import_module(BENCHMARKS[name]).main([name, *options])
    return status


def parser(about: str, *, instances: int, sequences: int = 1) -> ArgumentParser:
    """Reads what ``main`` is given: the name, then the options that all benchmarks of routing share; a module may add its own."""
    made = ArgumentParser(prog="python -m tests.benchmarks routing", description=about)
    made.add_argument("name", choices=sorted(BENCHMARKS))
    made.add_argument("--instances", type=int, default=instances, help="Networks that are drawn. Default: %(default)s.")
    made.add_argument("--sequences", type=int, default=sequences, help="Runs of each. Default: %(default)s.")
    made.add_argument("--seed", type=int, default=7, help="Of all that is drawn. Default: %(default)s.")
    made.add_argument("--json", dest="as_json", action="store_true", help="One JSON object for machines.")
    return made
