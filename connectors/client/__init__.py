"""Resilience in one place: how every connector speaks HTTP, so that none has to think about how a source can fail.

The layers, outermost first: total deadline, retry by error class, breaker, rate, bulkhead, deadline per attempt, httpx.
"""

from connectors.client.breaker import BreakerState
from connectors.client.chunks import chunked
from connectors.client.client import Client
from connectors.client.lane import Line
from connectors.client.limits import Intent, Limits
from connectors.client.reply import Classify, Reply, by_status

__all__ = ["BreakerState", "Classify", "Client", "Intent", "Limits", "Line", "Reply", "by_status", "chunked"]
