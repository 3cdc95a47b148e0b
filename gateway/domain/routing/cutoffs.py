"""Locations that are late for nothing but a cutoff."""

from collections.abc import Mapping
from datetime import time

import msgspec

from gateway.domain.identity import LocationId
from gateway.domain.routing.candidates import Candidates
from gateway.domain.routing.reason import Code


def after_cutoffs(found: Candidates, missed: Mapping[LocationId, time]) -> Candidates:
    """The same candidates, but that of those that would be late the ones that ``missed`` a cutoff say so."""
    if not missed:  # nearly always
        return found
    reasons, why, numbers = list(found.reasons), list(found.why), dict[tuple[int, time], int]()
    for place, location in enumerate(found.locations):
        if location in missed and why[place] >= 0 and found.reasons[why[place]].code == Code.PROMISE:
            late = why[place], missed[location]
            if late not in numbers:
                numbers[late] = len(reasons)
                reasons.append(msgspec.structs.replace(reasons[why[place]], code=Code.CUTOFF, cutoff=missed[location]))
            why[place] = numbers[late]
    return msgspec.structs.replace(found, reasons=tuple(reasons), why=tuple(why))
