"""Asking for a list, page by page."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import parse_qs, urljoin, urlsplit

import msgspec

from connectors.client import Client, Reply, by_status
from connectors.contract import AuthFailed, ContractBroken, Secret, Sku, SourceError
from connectors.http.plans import ListPlan
from connectors.http.tables import PagingType
from connectors.http.words import Condition, Field, filled

_NEXT_LINK: Final = re.compile(r'<([^>]*)>\s*(?:;[^,]*?)?;\s*rel="?[^",]*\bnext\b', re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What asks for one page. ``path`` begins at the root of the source's host; ``before`` is a digest of the page before."""

    path: str
    params: Mapping[str, str | Sequence[str]]
    body: Any = None
    number: int = 1
    rows: int = 0
    before: str = ""


class Answer:
    """One answer: the client shows it, and is told whether the source said yes."""

    def __init__(self, *, success_if: Condition | None, denied_if: Sequence[Condition]) -> None:
        self.document: Any = None
        self.link: str | None = None
        self._success_if = success_if
        self._denied_if = denied_if

    def __call__(self, reply: Reply) -> SourceError | None:
        """What went wrong; None where nothing did.

        Raises:
            ContractBroken: It is not JSON.
        """
        error = by_status(reply)
        if error is not None and not self._denied_if:
            return error
        document = reply.read(object)
        if denied := next((each for each in self._denied_if if each.holds(document)), None):
            return AuthFailed(f"HTTP {reply.status}, and {denied.text}")
        if error is not None:
            return error
        if self._success_if is not None and not self._success_if.holds(document):
            return ContractBroken(f"HTTP {reply.status}, but not {self._success_if.text}")
        self.document, self.link = document, _next_link(reply.headers.get("link", ""))
        return None


def _next_link(header: str) -> str | None:
    found = _NEXT_LINK.search(header)
    return found[1] if found else None


class Lists:
    """The lists of one source. ``query`` is a credential that stands in the URL of every request."""

    def __init__(self, client: Client, *, url: str, denied_if: Sequence[Condition], query: Mapping[str, Secret]) -> None:
        self._client = client
        self._base = urlsplit(url if url.endswith("/") else f"{url}/")
        self._denied_if = denied_if
        self._query = query

    def first(self, plan: ListPlan, skus: Sequence[Sku] = ()) -> Turn:
        """What asks for the first page, for these SKUs."""
        paging = plan.paging
        turn = Turn(
            path=self._base.path + plan.path.filled_path(skus).lstrip("/"),
            params={name: template.filled(skus) for name, template in plan.params.items()},
            body=filled(plan.body, skus),
        )
        if paging.size_parameter and paging.size:
            turn = _with(turn, paging.size_parameter, paging.size)
        match paging.type:
            case PagingType.PAGE:
                return _with(turn, paging.parameter or "", paging.first)
            case PagingType.OFFSET:
                return _with(turn, paging.parameter or "", 0)
            case _:
                return turn

    async def rows(self, plan: ListPlan, skus: Sequence[Sku] = ()) -> list[tuple[Any, Any]]:
        """All records of all pages, each with the record around it."""
        rows: list[tuple[Any, Any]] = []
        turn: Turn | None = self.first(plan, skus)
        while turn is not None:  # ``page`` refuses the one beyond ``pages_max``
            found, turn = await self.page(plan, turn)
            rows += found
        return rows

    async def page(self, plan: ListPlan, turn: Turn) -> tuple[list[tuple[Any, Any]], Turn | None]:
        """The records of one page, each with the record around it, and what asks for the next one.

        Raises:
            ContractBroken: It is not a list, the page before once more, or one too many.
        """
        if turn.number > plan.paging.pages_max:
            raise ContractBroken(f"{turn.path} did not end after {plan.paging.pages_max} pages")
        answer = await self._asked(plan, turn)
        records = plan.records.rows(answer.document)
        digest = hashlib.blake2b(msgspec.json.encode(records), digest_size=8).hexdigest()
        if records and digest == turn.before:
            raise ContractBroken(f"{turn.path} repeats a page")
        following = self._following(plan, turn, answer, len(records))
        if following is not None:
            following = replace(following, number=turn.number + 1, rows=turn.rows + len(records), before=digest)
        return _flat(plan, records), following

    async def _asked(self, plan: ListPlan, turn: Turn) -> Answer:
        answer = Answer(success_if=plan.success_if, denied_if=self._denied_if)
        url = f"{self._base.scheme}://{self._base.netloc}{turn.path}"
        params = {**turn.params, **self._query}
        await self._client.call(plan.method, url, params=params, json=turn.body, returns=msgspec.Raw, classify=answer)
        return answer

    def _following(self, plan: ListPlan, turn: Turn, answer: Answer, rows: int) -> Turn | None:
        paging = plan.paging
        match paging.type:
            case PagingType.NONE:
                return None
            case PagingType.NEXT:
                return self._linked(turn, _word(paging.at, answer.document))
            case PagingType.LINK:
                return self._linked(turn, answer.link)
            case PagingType.CURSOR:
                word = _word(paging.at, answer.document)
                return _with(turn, paging.parameter or "", word) if word else None
            case PagingType.PAGE:
                last = rows < (paging.size or 1)
                return None if last else _with(turn, paging.parameter or "", paging.first + turn.number)
            case PagingType.OFFSET:
                last = rows < (paging.size or 1)
                return None if last else _with(turn, paging.parameter or "", turn.rows + rows)

    def _linked(self, turn: Turn, link: str | None) -> Turn | None:
        """The page that a link leads to. Behind a proxy a source often takes itself for http, or for another port.

        Raises:
            ContractBroken: It leads to another host.
        """
        if not link:
            return None
        try:
            there = urlsplit(urljoin(f"{self._base.scheme}://{self._base.netloc}{turn.path}", link))
        except ValueError:
            raise ContractBroken("a link to the next page that is none") from None
        if there.hostname != self._base.hostname:
            raise ContractBroken("a link to another host than the source's")
        params = {name: values for name, values in parse_qs(there.query, keep_blank_values=True).items() if name not in self._query}
        return replace(turn, path=there.path, params=params)


def _word(at: str | None, document: Any) -> str | None:
    """A link or a word for the next page; null, false and nothing end the list.

    Raises:
        ContractBroken: There is no such place in the answer, or something else stands there.
    """
    found = Field(at or "").of(document, document)
    if isinstance(found, str | int) and not isinstance(found, bool):
        return str(found) or None
    if found is None or found is False:
        return None
    raise ContractBroken(f"neither a link nor a word at {at!r}")


def _with(turn: Turn, parameter: str, value: str | int) -> Turn:
    if isinstance(turn.body, dict):
        return replace(turn, body={**turn.body, parameter: value})
    return replace(turn, params={**turn.params, parameter: str(value)})


def _flat(plan: ListPlan, records: Sequence[Any]) -> list[tuple[Any, Any]]:
    if plan.inner is None:
        return [(record, record) for record in records]
    return [(row, record) for record in records for row in plan.inner.rows(record)]
