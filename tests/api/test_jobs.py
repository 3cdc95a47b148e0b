"""What was given up, seen and taken up again in the graph."""

from pathlib import Path
from typing import Any

from sqlalchemy import event

from connectors.contract import OutcomeUnknown, SourceError, Transient
from gateway.domain.fulfillments import RequestStatus as R
from gateway.domain.identity import OrderId
from gateway.domain.principals import Role
from gateway.domain.tasks import JobKind
from gateway.settings import Work
from tests.harness import run
from tests.samples import MUG
from tests.services.shops import Place, Shop, shop

JOBS = """query ($state: JobState! = DEAD, $first: Int, $after: String) { jobs(state: $state, first: $first, after: $after) {
  nodes { id kind state attempt error runAt order { id } fulfillmentOrder { id requestStatus note supportedActions } }
  edges { cursor } pageInfo { hasNextPage hasPreviousPage endCursor } } }"""

RETRY = """mutation ($input: JobRetryInput!) { jobRetry(input: $input) {
  job { id state attempt fulfillmentOrder { requestStatus } }
  userErrors { __typename code message path ... on NotAllowedInStateError { state } } } }"""


def away(times: int) -> list[SourceError]:
    return [Transient("down")] * times


async def page(on: Shop, **variables: Any) -> dict[str, Any]:
    return dict((await on.graph(JOBS, **variables))["jobs"])


async def retried(on: Shop, job: str, key: str) -> dict[str, Any]:
    return dict((await on.graph(RETRY, input={"idempotencyKey": key, "id": job}))["jobRetry"])


async def parked(on: Shop, *, key: str) -> OrderId:
    order = await on.bought(1, key=key)
    await on.until(order, R.NEEDS_REVIEW)
    return order


def test_a_dead_job_is_seen_with_its_work_and_retried_once_under_one_key(tmp_path: Path) -> None:
    async def story() -> None:
        tries = Work().attempts_max[JobKind.SUBMIT]
        east = Place(stock={MUG: 5}, fails={"request": [OutcomeUnknown("no answer")], "find": away(tries - 1)})
        async with shop(tmp_path, {"east": east}) as on:
            order = await parked(on, key="k")
            (job,) = (await page(on))["nodes"]
            assert (job["kind"], job["state"], job["attempt"], job["error"]) == ("SUBMIT", "DEAD", tries, "TRANSIENT: down")
            assert job["fulfillmentOrder"]["requestStatus"] == "NEEDS_REVIEW"
            assert job["fulfillmentOrder"]["note"] == "TRANSIENT: down"

            first = await retried(on, job["id"], "again")
            assert first["userErrors"] == []
            assert (first["job"]["state"], first["job"]["attempt"]) == ("READY", 1)
            await on.until(order, R.SUBMITTED)
            await on.idle()
            assert len(east.known) == 1, "it was looked up before it was asked for again"
            assert (await page(on))["nodes"] == []

            again = await retried(on, job["id"], "again")
            assert (again["job"]["id"], again["job"]["state"]) == (job["id"], "READY"), "the same key has the first answer"
            (error,) = (await retried(on, job["id"], "other"))["userErrors"]
            assert (error["code"], error["path"]) == ("NOT_FOUND", ["input", "id"])
            assert ("fulfillment.resumed", "operator", "SUBMIT") in await on.events(order)

    run(story)


def test_a_job_that_is_not_dead_is_not_retried(tmp_path: Path) -> None:
    async def story() -> None:
        async with shop(tmp_path, {"east": Place(stock={MUG: 5})}) as on:
            await on.until(await on.bought(1), R.SUBMITTED)
            (reminder,) = (await page(on, state="READY"))["nodes"]
            assert reminder["kind"] == "REMIND"
            (error,) = (await retried(on, reminder["id"], "k"))["userErrors"]
            assert (error["__typename"], error["code"], error["state"]) == (
                "NotAllowedInStateError",
                "NOT_ALLOWED_IN_STATE",
                "READY",
            )

    run(story)


def test_dead_jobs_come_in_pages_oldest_first(tmp_path: Path) -> None:
    async def story() -> None:
        east = Place(stock={MUG: 5}, fails={"request": away(99), "find": away(99)})
        async with shop(tmp_path, {"east": east}) as on:
            orders = [await parked(on, key=str(number)) for number in range(3)]
            first = await page(on, first=2)
            assert (first["pageInfo"]["hasNextPage"], first["pageInfo"]["hasPreviousPage"]) == (True, False)
            rest = await page(on, first=2, after=first["pageInfo"]["endCursor"])
            assert (rest["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasPreviousPage"]) == (False, True)
            seen = [(await on.store.order_of_work(work)) for work in await _works(on, orders)]
            assert seen == orders
            assert len({job["order"]["id"] for job in first["nodes"] + rest["nodes"]}) == 3

    run(story)


def test_the_orders_of_a_page_of_jobs_are_looked_up_in_one_go(tmp_path: Path) -> None:
    async def story() -> None:
        east = Place(stock={MUG: 5}, fails={"request": away(99), "find": away(99)})
        async with shop(tmp_path, {"east": east}) as on:
            for number in range(3):
                await parked(on, key=str(number))
            asked: list[str] = []

            @event.listens_for(on.store.database.reading.sync_engine, "before_cursor_execute")
            def hear(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
                asked.append(statement)

            assert len({job["order"]["id"] for job in (await page(on))["nodes"]}) == 3
            assert len([each for each in asked if "FROM customer_order" in each]) == 1
            assert len([each for each in asked if "FROM fulfillment_order" in each]) == 1

    run(story)


async def _works(on: Shop, orders: list[OrderId]) -> list[Any]:
    return [(await on.order(order)).fulfillment_orders[0].id for order in orders]


def test_only_those_who_work_for_locations_see_jobs_and_only_with_cursors_of_ours(tmp_path: Path) -> None:
    async def story() -> None:
        async with shop(tmp_path, {"east": Place(stock={MUG: 5})}) as on:
            for role in (Role.STOREFRONT, Role.PARTNER):
                answer = (await on.graph.post({"query": "{ jobs { nodes { id } } }"}, role=role)).json()
                assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]
            for wrong in ("first: 0", "first: 101", 'after: "nonsense"'):
                answer = (await on.graph.post({"query": f"{{ jobs({wrong}) {{ nodes {{ id }} }} }}"})).json()
                assert [error["extensions"]["code"] for error in answer["errors"]] == ["BAD_USER_INPUT"], wrong
            for nothing in ("nonsense", "Sm9iH3h4"):
                assert [each["code"] for each in (await retried(on, nothing, nothing))["userErrors"]] == ["NOT_FOUND"]

    run(story)
