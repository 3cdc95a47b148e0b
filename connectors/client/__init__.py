"""Resilience in one place: how every connector speaks to its source, so that none has to think about how one can fail.

The layers, outermost first: total deadline, credential, retry by error class, breaker, bulkhead, pace (rate, pauses, allowance),
hedging, deadline per attempt; in the middle an HTTP exchange (``Client``) or anything else (``Channel``).
"""

from connectors.client.channel import Admit, Attempt, Channel
from connectors.client.chunks import at_once, chunked
from connectors.client.client import Client
from connectors.client.credential import Credential
from connectors.client.failures import Inconclusive, NotSent
from connectors.client.flight import SingleFlight
from connectors.client.limits import Intent, Limits
from connectors.client.oauth import OAuthRefresh
from connectors.client.pace import Allowance
from connectors.client.reply import Classify, Reply, by_status

__all__ = [
    "Admit",
    "Allowance",
    "Attempt",
    "Channel",
    "Classify",
    "Client",
    "Credential",
    "Inconclusive",
    "Intent",
    "Limits",
    "NotSent",
    "OAuthRefresh",
    "Reply",
    "SingleFlight",
    "at_once",
    "by_status",
    "chunked",
]
