"""What would happen if orders were routed otherwise: the same orders again, each way with the stock that it would have left."""

from gateway.domain.whatif.cases import Case, Past, Sent, history, resampled
from gateway.domain.whatif.comparing import Comparison, Move, compare
from gateway.domain.whatif.contenders import Contender, activated, going_by, ruled_by, strategies_of
from gateway.domain.whatif.guardrails import UNGUARDED, Breach, Guardrails, Measure, breaches
from gateway.domain.whatif.intervals import Interval, interval
from gateway.domain.whatif.outcomes import Outcome
from gateway.domain.whatif.scores import Score
from gateway.domain.whatif.supposing import LocationCosts, Supposition, dearer

__all__ = [
    "UNGUARDED",
    "Breach",
    "Case",
    "Comparison",
    "Contender",
    "Guardrails",
    "Interval",
    "LocationCosts",
    "Measure",
    "Move",
    "Outcome",
    "Past",
    "Score",
    "Sent",
    "Supposition",
    "activated",
    "breaches",
    "compare",
    "dearer",
    "going_by",
    "history",
    "interval",
    "resampled",
    "ruled_by",
    "strategies_of",
]
