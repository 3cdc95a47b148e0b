"""Credentials that change with time: renewed once for everybody, ahead of their end, and when they are refused."""

import asyncio
import itertools
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from connectors.client import Client, Limits, OAuthRefresh
from connectors.contract import AuthFailed, ContractBroken, OutcomeUnknown, Rejected, Throttled, Transient
from connectors.registry import Tools
from tests.connectors.scripted import BEGINNING, LOST, STOCK, WRITE, Source, Step, answer, ask, failure_of, now_s, run

FORM = {"grant_type": "refresh_token", "refresh_token": "r-0", "client_id": "c", "client_secret": "hush"}


class Vendor(Source):
    """A source and its token endpoint. ``grants`` is what the latter says; its last line is repeated."""

    def __init__(self, *script: Step, grants: tuple[Any, ...] = (), expires_in: Any = 3600, takes_s: float = 0.0) -> None:
        super().__init__(*script, takes_s=takes_s)
        self.grants = list(grants)
        self.expires_in = expires_in
        self.forms: list[dict[str, str]] = []
        self.presented: list[str] = []
        self.revoked: set[str] = set()
        self.numbers = itertools.count(1)
        self.grants_take_s = 0.5

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == "login.test":
            return await self.grant(request)
        self.presented.append(request.headers["authorization"])
        refused = self.presented[-1].removeprefix("Bearer ") in self.revoked
        response = await super().__call__(request)
        return answer(401) if refused else response

    async def grant(self, request: httpx.Request) -> httpx.Response:
        assert request.headers["content-type"] == "application/x-www-form-urlencoded"
        self.forms.append({name: value for name, [value] in parse_qs(request.content.decode()).items()})
        await asyncio.sleep(self.grants_take_s)
        says = (self.grants.pop(0) if len(self.grants) > 1 else self.grants[0]) if self.grants else {}
        if isinstance(says, type):
            raise says("scripted")
        if isinstance(says, httpx.Response):
            return httpx.Response(says.status_code, headers=says.headers, content=says.content)
        return answer(json={"access_token": f"t-{next(self.numbers)}", "expires_in": self.expires_in, **says})

    def credential(self, **settings: Any) -> OAuthRefresh:
        return OAuthRefresh(token_url="https://login.test/o/token?v=2", form=FORM, tools=self.tools(), **settings)

    def signed_in(self, limits: Limits | None = None) -> Client:
        return self.client(limits, credential=self.credential())


def test_the_first_calls_share_one_token_and_later_ones_keep_it() -> None:
    vendor = Vendor(answer())

    async def story() -> None:
        client = vendor.signed_in(Limits(concurrency_max=500))
        await asyncio.gather(*(ask(client) for _ in range(300)))
        await ask(client)

    run(story())
    assert vendor.forms == [FORM]
    assert set(vendor.presented) == {"Bearer t-1"}


@pytest.mark.parametrize("repeatable", [None, False, True])
def test_a_credential_revoked_in_mid_flight_is_renewed_once_for_hundreds_of_writes(repeatable: bool | None) -> None:
    vendor = Vendor(answer(), takes_s=1)

    async def story() -> None:
        client = vendor.signed_in(Limits(concurrency_max=100))
        await ask(client)
        calls = [asyncio.create_task(ask(client, WRITE, repeatable=repeatable)) for _ in range(300)]
        await asyncio.sleep(1.5)  # a hundred are done, a hundred are under way, a hundred wait for their turn
        vendor.revoked.add("t-1")
        assert await asyncio.gather(*calls) == [STOCK] * 300
        traffic = client.traffic()["WRITE"]
        assert (traffic.failures, traffic.retries, traffic.calls) == (0, 100, 400)

    run(story())
    assert len(vendor.forms) == 2
    assert vendor.presented.count("Bearer t-2") == 100


def test_a_refusal_that_comes_late_finds_the_credential_renewed_already() -> None:
    vendor = Vendor(answer(), takes_s=5)

    async def story() -> None:
        client = vendor.signed_in(Limits(attempt_timeout_s=9))
        vendor.revoked.add("t-1")
        late = asyncio.create_task(ask(client))
        await asyncio.sleep(1)
        vendor.takes_s = 0
        await asyncio.gather(ask(client), late)

    run(story())
    assert vendor.presented == ["Bearer t-1", "Bearer t-1", "Bearer t-2", "Bearer t-2"]


def test_one_that_is_refused_even_when_new_is_not_renewed_without_end() -> None:
    vendor = Vendor(answer(401))

    async def story() -> None:
        assert isinstance(await failure_of(ask(vendor.signed_in())), AuthFailed)

    run(story())
    assert vendor.presented == ["Bearer t-1", "Bearer t-2"]


def test_a_refused_credential_is_no_failure_of_the_source() -> None:
    vendor = Vendor(answer(401))

    async def story() -> None:
        client = vendor.signed_in(Limits(breaker_failures=1))
        for _ in range(3):
            assert isinstance(await failure_of(ask(client)), AuthFailed)

    run(story())


def test_a_lost_write_stays_unknown_when_its_repetition_is_refused_and_renewal_fails() -> None:
    vendor = Vendor(LOST, answer(401), answer(401), grants=({}, answer(400, json={"error": "invalid_grant"})))

    async def story() -> None:
        assert isinstance(await failure_of(ask(vendor.signed_in(), WRITE, repeatable=True)), OutcomeUnknown)

    run(story())


def test_a_lost_write_is_settled_by_an_answer_after_renewal() -> None:
    vendor = Vendor(LOST, answer(401), answer(422))

    async def story() -> None:
        assert isinstance(await failure_of(ask(vendor.signed_in(), WRITE, repeatable=True)), Rejected)

    run(story())


def test_a_token_near_its_end_is_replaced_while_it_still_serves() -> None:
    vendor = Vendor(answer())

    async def story() -> None:
        credential = vendor.credential()
        client = vendor.client(credential=credential)
        await ask(client)
        assert credential.expires_at == BEGINNING + timedelta(seconds=3600)
        await asyncio.sleep(3600 - 60)
        began_s = now_s()
        await asyncio.gather(*(ask(client) for _ in range(50)))
        assert now_s() == began_s  # nobody waited
        await asyncio.sleep(5)
        await ask(client)
        assert credential.expires_at == BEGINNING + timedelta(seconds=began_s + 3600)

    run(story())
    assert vendor.presented == ["Bearer t-1"] * 51 + ["Bearer t-2"]


def test_a_token_endpoint_that_is_away_hurts_nobody_before_the_token_has_ended() -> None:
    vendor = Vendor(answer(), grants=({}, answer(500)))

    async def story() -> None:
        client = vendor.signed_in()
        await ask(client)
        await asyncio.sleep(3600 - 20)
        await ask(client)
        await asyncio.sleep(30)
        assert isinstance(await failure_of(ask(client, WRITE)), Transient)  # surely not done
        vendor.grants = [{}]
        await asyncio.sleep(10)
        await ask(client)

    run(story())
    assert vendor.presented == ["Bearer t-1", "Bearer t-1", "Bearer t-2"]


def test_a_short_lived_token_serves_for_most_of_its_life() -> None:
    vendor = Vendor(answer(), expires_in=30)

    async def story() -> None:
        client = vendor.signed_in()
        for _ in range(10):
            await ask(client)
            await asyncio.sleep(2.3)

    run(story())
    assert vendor.presented == ["Bearer t-1"] * 10  # asked for the next at 24 s of 30


@pytest.mark.parametrize("expires_in", [None, "3600", 1e300])
def test_how_long_a_token_lives_may_be_text_absurd_or_untold(expires_in: Any) -> None:
    vendor = Vendor(answer(), expires_in=expires_in)

    async def story() -> datetime | None:
        credential = vendor.credential()
        await credential.headers()
        return credential.expires_at

    assert (run(story()) is None) == (expires_in is None)


@pytest.mark.parametrize("expires_in", ["soon", 0, -5, "nan"])
def test_a_token_without_a_life_is_a_broken_contract_and_no_write_was_sent(expires_in: Any) -> None:
    vendor = Vendor(answer(), expires_in=expires_in)

    async def story() -> None:
        assert isinstance(await failure_of(ask(vendor.signed_in(), WRITE)), ContractBroken)

    run(story())
    assert vendor.presented == []


@pytest.mark.parametrize(
    ("grant", "error", "said"),
    [
        (answer(400, json={"error": "invalid_grant"}), AuthFailed, "no token: invalid_grant"),
        (answer(401, json={"error": "invalid_client"}), AuthFailed, "no token: invalid_client"),
        (answer(400, json={"error": "bad secret hush"}), AuthFailed, "no token: HTTP 400"),
        (answer(403, json=["<html>"]), AuthFailed, "no token: HTTP 403"),
        (answer(429, retry_after="99"), Throttled, "HTTP 429"),
        (answer(500), Transient, "HTTP 500"),
        (httpx.ReadError, Transient, "no whole answer: scripted"),
        (answer(302), ContractBroken, "HTTP 302"),
        (answer(json={"token": "hush"}), ContractBroken, "HTTP 200, but not the agreed JSON: Object missing required field"),
    ],
)
def test_a_token_that_is_not_granted_is_one_of_the_closed_errors_and_nothing_was_sent(
    grant: Any, error: type[Exception], said: str
) -> None:
    vendor = Vendor(answer(), grants=(grant,))
    vendor.grants_take_s = 0

    async def story() -> None:
        client = vendor.signed_in()
        failure = await failure_of(ask(client, WRITE))
        assert isinstance(failure, error)
        assert said in failure.detail
        assert "hush" not in str(failure)
        assert client.traffic()["WRITE"].calls == 0

    run(story())
    assert vendor.presented == []


def test_a_refresh_token_that_is_replaced_is_not_used_again() -> None:
    vendor = Vendor(answer(), grants=({"refresh_token": "r-1"}, {"refresh_token": "r-2"}, {}), expires_in=10)

    async def story() -> None:
        client = vendor.signed_in()
        for _ in range(4):
            await ask(client)
            await asyncio.sleep(20)

    run(story())
    assert [form["refresh_token"] for form in vendor.forms] == ["r-0", "r-1", "r-2", "r-2"]


def test_a_caller_who_gives_up_takes_the_token_from_nobody() -> None:
    vendor = Vendor(answer())

    async def story() -> None:
        client = vendor.signed_in()
        hasty, patient = asyncio.create_task(ask(client)), asyncio.create_task(ask(client))
        await asyncio.sleep(0.1)
        hasty.cancel()
        assert await patient == STOCK

    run(story())
    assert len(vendor.forms) == 1


def test_a_token_that_does_not_come_ends_a_write_at_its_deadline_surely_not_done() -> None:
    vendor = Vendor(answer())
    vendor.grants_take_s = 4

    async def story() -> None:
        client = vendor.signed_in(Limits(total_timeout_s=3))
        error = await failure_of(ask(client, WRITE))
        assert isinstance(error, Transient)
        assert error.detail == "no credential within 3.0 s"
        assert now_s() == 3

    run(story())


def test_closing_the_client_stops_the_renewal_too() -> None:
    vendor = Vendor(answer())

    async def story() -> None:
        client = vendor.signed_in()
        call = asyncio.create_task(ask(client))
        await asyncio.sleep(0.1)
        await client.aclose()
        await client.aclose()
        assert isinstance(await failure_of(call), Transient)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert now_s() == 0.1

    run(story())


def test_the_vendors_own_way_to_present_it_goes_over_the_clients_headers() -> None:
    vendor = Vendor(answer())

    async def story() -> None:
        credential = vendor.credential(header=lambda token: {"X-Amz-Access-Token": token, "Authorization": "LWA"})
        await ask(vendor.client(credential=credential, headers={"authorization": "none"}))

    run(story())
    assert vendor.requests[0].headers["x-amz-access-token"] == "t-1"
    assert vendor.presented == ["LWA"]


def test_a_token_that_cannot_be_a_header_is_not_quoted() -> None:
    vendor = Vendor(answer(), grants=({"access_token": "hush\r\nx: y"},))

    async def story() -> None:
        error = await failure_of(ask(vendor.signed_in()))
        assert isinstance(error, ContractBroken)
        assert "hush" not in str(error)

    run(story())
    assert vendor.presented == []


def test_the_witness_sees_answers_but_no_tokens() -> None:
    seen: list[tuple[str, bytes]] = []
    vendor = Vendor(answer())

    async def story() -> None:
        transport = httpx.MockTransport(vendor)
        tools = Tools(now=lambda: datetime.now(UTC), monotonic=now_s, transport=transport, witness=lambda *told: seen.append(told))
        credential = OAuthRefresh(token_url="https://login.test/token", form=FORM, tools=tools)
        await ask(Client(base_url="https://source.test/api", tools=tools, credential=credential))

    run(story())
    assert seen == [("POST /api/stock", b'{"A":3}')]


class Fixed:
    """A credential that somebody enters, and that may be entered anew."""

    expires_at: datetime | None = None

    def __init__(self, *values: str) -> None:
        self.values = list(values)

    async def headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.values[0]}"}

    async def renew(self, refused: Mapping[str, str]) -> bool:
        if refused == await self.headers() and len(self.values) > 1:
            self.values.pop(0)
        return refused != await self.headers()

    async def aclose(self) -> None:
        pass


@pytest.mark.parametrize(("values", "asked"), [(["old"], ["Bearer old"]), (["old", "new"], ["Bearer old", "Bearer new"])])
def test_a_credential_of_ones_own_is_asked_whether_it_has_another(values: list[str], asked: list[str]) -> None:
    vendor = Vendor(answer())
    vendor.revoked.add("old")

    async def story() -> None:
        client = vendor.client(credential=Fixed(*values))
        if len(values) > 1:
            await ask(client)
        else:
            assert isinstance(await failure_of(ask(client)), AuthFailed)

    run(story())
    assert vendor.presented == asked
