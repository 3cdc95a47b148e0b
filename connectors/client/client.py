"""The client that a connector calls: HTTP in the middle of all layers of resilience."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import TypeVar

from connectors.client.channel import Channel
from connectors.client.connections import Connections, Lent
from connectors.client.credential import Credential
from connectors.client.letter import Desk, Letter, Params
from connectors.client.limits import Intent, Limits
from connectors.client.pace import Allowance
from connectors.client.reply import Classify, Reply, by_status, verdict
from connectors.client.wire import Wire
from connectors.contract import AuthFailed, ContractBroken, Traffic
from connectors.registry import Tools

T = TypeVar("T")


class Client:
    """Speaks HTTP with one source, for one event loop.

    Nothing is sent to another origin than ``base_url``'s, redirects are not followed, cookies are not kept, and neither
    proxies nor credentials are taken from the environment.
    """

    def __init__(
        self,
        *,
        base_url: str,
        tools: Tools,
        limits: Limits | None = None,
        headers: Mapping[str, str] = MappingProxyType({}),
        classify: Classify = by_status,
        credential: Credential | None = None,
        allowance: Callable[[Reply], Allowance | None] | None = None,
    ) -> None:
        """Prepare, without I/O.

        Args:
            base_url: Where all paths begin.
            tools: Its witness is shown each answer, with method, path and query.
            limits: Of this source; the defaults suit most.
            headers: On every request.
            classify: What an answer says went wrong.
            credential: What to present where that changes with time. It is closed with this client.
            allowance: What an answer, good or bad, says may still be asked; None where it does not say.
        """
        self._tools = tools
        self._classify = classify
        self._credential = credential
        self._allowance = allowance
        self._desk = Desk(base_url=base_url, headers=headers)
        self._channel = Channel(limits=limits, tools=tools)
        self._wire: Wire = Lent(tools.transport) if tools.transport else Connections()

    async def call(
        self,
        method: str,
        path: str,
        *,
        returns: type[T],
        intent: Intent = Intent.READ,
        repeatable: bool | None = None,
        params: Params | None = None,
        json: object = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        classify: Classify | None = None,
        cost: float = 1.0,
    ) -> T:
        """Ask the source, as often as is safe and sensible, and read its answer.

        Args:
            method: Of HTTP. It says nothing about ``intent``.
            path: Below ``base_url``, or a whole URL of the same origin, as a source's links to a next page are.
            returns: What the JSON of the answer is; an empty body reads as null.
            intent: Picks the breaker and the bulkhead, and says whether a lost answer matters.
            repeatable: The source does not mind getting it twice. None: true for reads, false for writes.
            params: A sequence repeats its name.
            json: None: no body.
            form: In place of ``json``.
            headers: On top of the client's.
            classify: In place of the client's.
            cost: In the unit of the source's rate and allowance.

        Raises:
            SourceError: A subclass of it, and nothing else. ``Transient`` of a write: it surely did not happen.
            OutcomeUnknown: A write was sent, and no attempt got an answer that settles whether it happened.
        """
        letter = self._desk.write(method, path, params=params, json=json, form=form, headers=headers)
        sealed = _Sealed(letter, self._credential)
        told = classify or self._classify
        bytes_max = self._channel.limits.response_bytes_max

        async def attempt(timeout_s: float) -> T:
            reply = await self._wire.exchange(sealed.letter, timeout_s=timeout_s, bytes_max=bytes_max)
            self._tools.witness(letter.asked, reply.body)
            self._heed(reply, cost)
            if error := verdict(reply, told):
                raise error
            return reply.read(returns)

        admit = sealed.admit if self._credential else None
        return await self._channel.through(attempt, intent=intent, repeatable=repeatable, cost=cost, admit=admit)

    def traffic(self) -> Mapping[str, Traffic]:
        """How reads and writes fare, under ``READ`` and ``WRITE``."""
        return self._channel.traffic()

    async def aclose(self) -> None:
        """Close the connections. A transport that was handed in stays open: it is not ours."""
        if self._credential is not None:
            await self._credential.aclose()
        await self._wire.aclose()

    def _heed(self, reply: Reply, cost: float) -> None:
        """Keep to what the source says of its throttle; whether the answer can be read is for others to say."""
        if self._allowance is None:
            return
        with suppress(ContractBroken):
            if allowance := self._allowance(reply):
                self._channel.allow(allowance, cost=cost)


class _Sealed:
    """A letter on its way, sealed anew when what has to be presented changes."""

    def __init__(self, letter: Letter, credential: Credential | None) -> None:
        self.letter = letter
        self._credential = credential
        self._presented: Mapping[str, str] = {}

    async def admit(self, refusal: AuthFailed | None) -> bool:
        """See ``Admit``."""
        if self._credential is None:
            return False
        if refusal is not None and not await self._credential.renew(self._presented):
            return False
        self._presented = await self._credential.headers()
        self.letter = self.letter.presenting(self._presented)
        return True
