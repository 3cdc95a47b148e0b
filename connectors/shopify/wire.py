"""How Shopify is spoken to: one path, documents that cost points, and errors within answers that look well."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final, Generic, TypeVar

from msgspec import Struct

from connectors.client import Allowance, Client, Inconclusive, OAuthRefresh, Reply, at_once, by_status, chunked
from connectors.contract import AuthFailed, ContractBroken, Rejected, SourceError, Throttled, Traffic
from connectors.registry import Tools
from connectors.shopify.documents import Document
from connectors.shopify.rows import Nodes, PageInfo, Row
from connectors.shopify.settings import ShopifySettings

T = TypeVar("T")

NODES_MAX: Final = 250  # of any array that is sent: https://shopify.dev/docs/api/usage/limits
TOO_EXPENSIVE: Final = "MAX_COST_EXCEEDED"
PRESENTED_IN: Final = "X-Shopify-Access-Token"
_GID: Final = "gid://shopify/"


class _Throttle(Row, frozen=True):
    maximum_available: float
    currently_available: float
    restore_rate: float


class _Cost(Row, frozen=True):
    requested_query_cost: float | None = None
    throttle_status: _Throttle | None = None


class _Extensions(Row, frozen=True):
    cost: _Cost | None = None


class _Envelope(Row, frozen=True):
    extensions: _Extensions | None = None

    @property
    def cost(self) -> _Cost:
        return (self.extensions and self.extensions.cost) or _Cost()


class _Answer(_Envelope, Generic[T], frozen=True, kw_only=True):
    data: T


class _Code(Struct, frozen=True):
    code: str | None = None


class _Problem(Struct, frozen=True):
    message: str
    extensions: _Code | None = None


class _Refusal(_Envelope, frozen=True):
    errors: tuple[_Problem, ...] = ()


class Wire:
    """One shop's Admin API. ``version`` is what it last answered as, ``now`` the time by its own clock of its last answer."""

    def __init__(self, settings: ShopifySettings, tools: Tools) -> None:
        self.version: str | None = None
        self._date = ""
        self._path = f"/admin/api/{settings.version}/graphql.json"
        self._costs: dict[str, float] = {}
        self._sizes: dict[str, int] = {}
        self._passed: dict[str, int] = {}
        self._credential = _credential(settings, tools)
        self._client = Client(
            base_url=settings.url,
            tools=tools,
            limits=settings.limits(),
            headers={} if settings.access_token is None else {PRESENTED_IN: settings.access_token},
            classify=self._classify,
            credential=self._credential,
            allowance=allowance_of,
        )

    @property
    def now(self) -> datetime:
        """The time by Shopify's clock, to the second.

        Raises:
            ContractBroken: It has not said.
        """
        try:
            return parsedate_to_datetime(self._date).replace(tzinfo=UTC)
        except ValueError:
            raise ContractBroken("an answer without a date") from None

    @property
    def credential_expires_at(self) -> datetime | None:
        """When the token that is used now ends; None where it does not, or there is none yet."""
        return None if self._credential is None else self._credential.expires_at

    def traffic(self) -> Mapping[str, Traffic]:
        """How asking has been going."""
        return self._client.traffic()

    async def aclose(self) -> None:
        """Let go of connections."""
        await self._client.aclose()

    async def ask(self, document: Document[T], **variables: object) -> T:
        """The ``data`` of the answer.

        Raises:
            SourceError: As ``Client.call``.
        """
        answer = await self._client.call(
            "POST",
            self._path,
            json={"query": document.text, "variables": variables},
            returns=_Answer[document.returns],  # type: ignore[name-defined]  # a type made at run time
            intent=document.intent,
            cost=self._costs.get(document.text, document.cost),
        )
        if answer.cost.requested_query_cost is not None:
            self._costs[document.text] = answer.cost.requested_query_cost
        return answer.data  # type: ignore[no-any-return]  # as above

    async def nodes(self, document: Document[Nodes[T]], ids: Sequence[str], **variables: object) -> list[T]:
        """What is behind these ids, as far as there is something, in as few questions as Shopify lets pass.

        Which cost a question has Shopify alone knows: one that is too expensive is halved, and so are all that follow. They are
        asked at once where one of that size has passed before, else one first.
        """
        found: list[T] = []
        rest = ids
        while rest:
            size = min(len(rest), self._sizes.get(document.text, NODES_MAX))
            some = rest if size <= self._passed.get(document.text, 0) else rest[:size]
            try:
                answers = await at_once(self.ask(document, ids=each, **variables) for each in chunked(some, size))
            except Rejected as refusal:
                if refusal.reason != TOO_EXPENSIVE or size == 1:
                    raise
                self._sizes[document.text] = size // 2
                self._passed.pop(document.text, None)
                continue
            self._passed[document.text] = max(size, self._passed.get(document.text, 0))
            found += [node for answer in answers for node in answer.nodes if node is not None]
            rest = rest[len(some) :]
        return found

    def _classify(self, reply: Reply) -> SourceError | None:
        self.version = reply.headers.get("x-shopify-api-version", self.version)
        self._date = reply.headers.get("date", self._date)
        return classify(reply)


def _credential(settings: ShopifySettings, tools: Tools) -> OAuthRefresh | None:
    if settings.access_token is not None or settings.client_id is None or settings.client_secret is None:
        return None
    return OAuthRefresh(
        token_url=f"{settings.url.rstrip('/')}/admin/oauth/access_token",
        form={
            "grant_type": "client_credentials",
            "client_id": settings.client_id,
            "client_secret": settings.client_secret,
        },
        tools=tools,
        header=lambda token: {PRESENTED_IN: token},
        limits=settings.limits(),
    )


# ---------------------------------------------------------------------------------------------- how it says no
def classify(reply: Reply) -> SourceError | None:
    """Shopify's own reading of a reply: with ``errors``, a 200 is a failure.

    Raises:
        ContractBroken: There are ``errors``, and they cannot be read.
    """
    of_status = by_status(reply)
    # Looking for the word spares a second decoding of every large and healthy reply.
    if of_status is not None or b'"errors"' not in reply.body:
        return of_status
    refusal = reply.read(_Refusal)
    return _error_of(refusal.errors[0], refusal.cost) if refusal.errors else None


def _error_of(problem: _Problem, cost: _Cost) -> SourceError:
    code = problem.extensions.code if problem.extensions else None
    detail = f"{code}: {problem.message}" if code else problem.message
    if code == "THROTTLED":
        return Throttled(detail, retry_after_s=_restored_in_s(cost))
    if code is not None and code in _BY_CODE:
        return _BY_CODE[code](detail)
    if code and not code.isupper():  # "undefinedField": a document that this version of the API does not know
        return ContractBroken(detail)
    return Rejected(detail, reason=code or "GRAPHQL")


_BY_CODE: Final[Mapping[str, Callable[[str], SourceError]]] = {
    "ACCESS_DENIED": AuthFailed,
    "INTERNAL_SERVER_ERROR": Inconclusive,  # a fault of Shopify's own: what it did before is anybody's guess
}


def _restored_in_s(cost: _Cost) -> float | None:
    throttle = cost.throttle_status
    if throttle is None or cost.requested_query_cost is None or throttle.restore_rate <= 0:
        return None
    return max(0.0, (cost.requested_query_cost - throttle.currently_available) / throttle.restore_rate)


def allowance_of(reply: Reply) -> Allowance | None:
    """What the bucket of points holds by Shopify's word; None where an answer does not say.

    Raises:
        ContractBroken: The answer cannot be read.
    """
    throttle = reply.read(_Envelope).cost.throttle_status
    if throttle is None:
        return None
    return Allowance(left=throttle.currently_available, restore_per_s=throttle.restore_rate, most=throttle.maximum_available)


# ---------------------------------------------------------------------------------------------- ids and pages
def gid(kind: str, number: str) -> str:
    """The global id of a thing: ``gid://shopify/Order/1`` for the number that webhooks, the admin and we call it by."""
    return f"{_GID}{kind}/{number}"


def number_of(global_id: str) -> str:
    """The number in a global id.

    Raises:
        ContractBroken: It is none.
    """
    number = global_id.removeprefix(_GID).partition("/")[2]
    if not (global_id.startswith(_GID) and number.isdecimal()):
        raise ContractBroken(f"{global_id!r} is not an id of Shopify's")
    return number


def is_number(text: str) -> bool:
    """Whether it could be the number of a thing."""
    return text.isascii() and text.isdecimal()


def way_on(page: PageInfo, after: str | None) -> str | None:
    """Where the next page begins; None after the last one.

    Raises:
        ContractBroken: It would begin where this one did.
    """
    if not page.has_next_page:
        return None
    if page.end_cursor is None or page.end_cursor == after:
        raise ContractBroken("a page that leads nowhere")
    return page.end_cursor


def quoted(text: str) -> str:
    """A value in Shopify's search syntax: https://shopify.dev/docs/api/usage/search-syntax."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
