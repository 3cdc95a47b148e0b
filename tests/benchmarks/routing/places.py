"""Where people live and goods lie: the paper's places where they are at hand, else ours.

``metros.csv`` are 99 large metropolitan areas of the contiguous United States, with the people that the Census of 2020 counted, to
thousands. ``centers.csv`` are places of ours that are near to most of them.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from gateway.domain.geography import GeoPoint, miles_between
from gateway.domain.plans.instance import Floats

ROOT: Final = Path(__file__).parents[3]
PAPER: Final = ROOT.parent / "shared" / "data" / "paper"
OURS: Final = Path(__file__).parent
FEW_REGIONS: Final = 10
FEW_CENTERS: Final = 5


@dataclass(frozen=True, kw_only=True, eq=False)
class Places:
    """``source`` says whose they are; ``people`` live in each region ``[J]``, so many ``miles`` from each center ``[J, C]``."""

    source: str
    people: Floats
    miles: Floats


def places(name: str) -> Places:
    """Those of ``paper_s`` or ``paper_l``."""
    warm_up = "_warmup" if name == "paper_s" else ""
    if (cities := PAPER / f"cities{warm_up}.csv").exists():
        return _places("the paper's places", _rows(cities), _rows(PAPER / f"fcs{warm_up}.csv"))
    regions, centers = _rows(OURS / "metros.csv"), _rows(OURS / "centers.csv")
    if name == "paper_s":
        regions, centers = regions[:FEW_REGIONS], centers[:FEW_CENTERS]
    return _places("our places, not the paper's", regions, centers)


def _rows(path: Path) -> list[Sequence[float]]:
    """Latitude, longitude, and people where there are any; names and states come before."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [[float(number) for number in row[2:]] for row in csv.reader(file)]


def _places(source: str, regions: list[Sequence[float]], centers: list[Sequence[float]]) -> Places:
    miles = [[miles_between(_point(region), _point(center)) for center in centers] for region in regions]
    return Places(source=source, people=np.array([region[2] for region in regions]), miles=np.array(miles))


def _point(row: Sequence[float]) -> GeoPoint:
    return GeoPoint(latitude=row[0], longitude=row[1])
