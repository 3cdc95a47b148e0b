"""Access tokens by OAuth 2.0 (RFC 6749): client credentials, refresh tokens, and vendors' grants of the same form."""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import msgspec

from connectors.client.client import Client
from connectors.client.flight import SingleFlight
from connectors.client.limits import Limits
from connectors.client.reply import Reply, by_status
from connectors.contract import AuthFailed, ContractBroken, SourceError
from connectors.registry import Tools

# Enough for a call that begins now to end, retries included.
AHEAD_S: Final = 60.0
# Of a token that lives for less than a few minutes the last fifth.
AHEAD_SHARE: Final = 0.2
_LIFE_S_MAX: Final = 10 * 365 * 86_400.0


class _Granted(msgspec.Struct):
    access_token: str
    expires_in: float | str | None = None
    refresh_token: str | None = None


class _Refused(msgspec.Struct):
    error: str = ""


class _Token(msgspec.Struct, frozen=True):
    """``ends_at_s`` and ``renew_at_s`` are on the monotonic clock: a clock that is set does not end a token."""

    headers: Mapping[str, str]
    expires_at: datetime | None
    ends_at_s: float
    renew_at_s: float


def bearer(token: str) -> Mapping[str, str]:
    """As most present it (RFC 6750)."""
    return {"Authorization": f"Bearer {token}"}


class OAuthRefresh:
    """A ``Credential`` from a token endpoint, which may be of another origin than the source: it comes from settings.

    Nothing is fetched before the first call. A token that nears its end is replaced while it still serves; only where it has ended,
    or was refused, callers wait: together, for one request. A refresh token that comes with an answer replaces the one in ``form``
    for as long as this process lives.
    """

    def __init__(
        self,
        *,
        token_url: str,
        form: Mapping[str, str],
        tools: Tools,
        header: Callable[[str], Mapping[str, str]] = bearer,
        limits: Limits | None = None,
    ) -> None:
        """Prepare, without I/O.

        Args:
            token_url: Whole.
            form: What is posted: ``grant_type``, ``client_id`` and so on.
            tools: Its witness is not shown these answers: they are credentials.
            header: How the source wants the token presented.
            limits: Of asking the token endpoint.
        """
        unseen = replace(tools, witness=lambda _asked, _answered: None)
        self._client = Client(base_url=token_url, tools=unseen, limits=limits, classify=_verdict)
        self._form = dict(form)
        self._header = header
        self._tools = tools
        self._token: _Token | None = None
        self._renewal = SingleFlight(self._fetch)

    @property
    def expires_at(self) -> datetime | None:
        """When the token at hand ends; None before the first one, and where the endpoint does not say."""
        return self._token.expires_at if self._token else None

    async def headers(self) -> Mapping[str, str]:
        """See ``Credential.headers``."""
        token, now_s = self._token, self._tools.monotonic()
        if token is None or now_s >= token.ends_at_s:
            token = await self._renewal.join()
        elif now_s >= token.renew_at_s:
            self._renewal.start()
        return token.headers

    async def renew(self, refused: Mapping[str, str]) -> bool:
        """See ``Credential.renew``."""
        if self._token is None or self._token.headers == refused:
            await self._renewal.join()
        return True

    async def aclose(self) -> None:
        """See ``Credential.aclose``."""
        await self._renewal.aclose()
        await self._client.aclose()

    async def _fetch(self) -> _Token:
        asked_at, asked_at_s = self._tools.now(), self._tools.monotonic()
        granted = await self._client.call("POST", "", form=self._form, returns=_Granted)
        if granted.refresh_token:
            self._form["refresh_token"] = granted.refresh_token
        headers = self._header(granted.access_token)
        self._token = _token(headers, life_s=_life_s(granted.expires_in), asked_at=asked_at, asked_at_s=asked_at_s)
        return self._token


def _token(headers: Mapping[str, str], *, life_s: float | None, asked_at: datetime, asked_at_s: float) -> _Token:
    """What is known of a token that was asked for then: it cannot end before its life since."""
    if life_s is None:
        return _Token(headers, None, math.inf, math.inf)
    ahead_s = min(AHEAD_S, AHEAD_SHARE * life_s)
    ends_at_s = asked_at_s + life_s
    return _Token(headers, asked_at + timedelta(seconds=life_s), ends_at_s, ends_at_s - ahead_s)


def _life_s(told: float | str | None) -> float | None:
    """Seconds; some send them as text."""
    if told is None:
        return None
    try:
        life_s = float(told)
    except ValueError:
        life_s = math.nan
    if not life_s > 0:
        raise ContractBroken("a token whose life is not a number of seconds above zero")
    return min(life_s, _LIFE_S_MAX)


def _verdict(reply: Reply) -> SourceError | None:
    """RFC 6749, 5.2: refusals are 400 with a code; nothing of a token endpoint's answer is quoted."""
    if reply.status not in {400, 401, 403}:
        return by_status(reply)
    try:
        told = reply.read(_Refused).error
    except ContractBroken:
        told = ""
    code = told if told.isidentifier() else f"HTTP {reply.status}"
    return AuthFailed(f"no token: {code}")
