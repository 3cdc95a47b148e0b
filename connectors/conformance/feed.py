"""What a source carries, and what has moved: pages that end, cursors that lose nothing."""

from typing import Final

from connectors.conformance.stage import Stage
from connectors.conformance.subject import Subject
from connectors.contract import Cursor, Sku, SourceError, StockFeed, StockLister
from connectors.sandbox.faults import Fault, FaultKind

PAGES_MAX: Final = 1_000
FOREIGN: Final = (Cursor("from-elsewhere"), Cursor(""), Cursor("-1"), Cursor("é" * 50))


async def listed(lister: StockLister) -> list[Sku]:
    """Every page, in order. A source may tell a SKU on two of them, but not twice on one."""
    found: list[Sku] = []
    after: Cursor | None = None
    passed: set[Cursor] = set()
    for _ in range(PAGES_MAX):
        page = await lister.skus(after)
        assert len(page.skus) == len(set(page.skus)), "a SKU is listed twice"
        found += page.skus
        if page.next is None:
            return found
        assert page.next not in passed, "a page leads back to where it has been"
        passed.add(page.next)
        after = page.next
    raise AssertionError(f"no end after {PAGES_MAX} pages")


async def moved(feed: StockFeed, cursor: Cursor) -> tuple[set[Sku], Cursor]:
    """All that has moved since, and where to go on."""
    skus: set[Sku] = set()
    for _ in range(PAGES_MAX):
        told = await feed.stock_changes(cursor)
        skus |= told.skus
        cursor = told.cursor
        if not told.more:
            return skus, cursor
    raise AssertionError(f"there is always more, even after {PAGES_MAX} times")


class Listing(Subject):
    """What every ``StockLister`` keeps."""

    def test_the_pages_of_skus_end_and_hold_what_is_carried(self) -> None:
        async def story(stage: Stage) -> None:
            skus = await listed(stage.lister)
            assert {self.sku, self.another} <= set(skus)
            assert self.nowhere not in skus

        self.play(story)

    def test_what_was_listed_is_read_without_look_ups(self) -> None:
        async def story(stage: Stage) -> None:
            lister = stage.lister
            await stage.connector.locations()
            await listed(lister)
            await stage.reader.read_stock([self.sku])  # whatever a connector learns of the source once
            before = stage.requests()
            await stage.reader.read_stock([self.another])
            assert stage.requests() - before == 1

        self.play(story)

    def test_a_page_from_elsewhere_is_refused_or_answered(self) -> None:
        async def story(stage: Stage) -> None:
            for cursor in FOREIGN:
                try:
                    await stage.lister.skus(cursor)
                except SourceError as error:
                    assert str(error)  # a word to whoever has kept it

        self.play(story)


class Changes(Subject):
    """What every ``StockFeed`` keeps."""

    def test_a_feed_begins_now(self) -> None:
        async def story(stage: Stage) -> None:
            begun = await stage.feed.stock_changes(None)
            assert begun.skus == frozenset()
            assert begun.cursor

        self.play(story)

    def test_whatever_moves_is_told_again_after_a_crash(self) -> None:
        async def story(stage: Stage) -> None:
            feed = stage.feed
            begun = (await feed.stock_changes(None)).cursor
            stage.fake.set_stock(self.place, self.sku, 5)
            told, then = await moved(feed, begun)
            assert self.sku in told
            assert self.sku in (await moved(feed, begun))[0], "told once and lost in the crash that followed"
            stage.fake.set_stock(self.place, self.another, 6)
            assert self.another in (await moved(feed, then))[0]
            assert {self.sku, self.another} <= (await moved(feed, begun))[0]

        self.play(story)

    def test_what_moves_while_the_source_is_away_is_told_later(self) -> None:
        async def story(stage: Stage) -> None:
            feed = stage.feed
            begun = (await feed.stock_changes(None)).cursor
            stage.fail(Fault(kind=FaultKind.STATUS, status=500))
            stage.fake.set_stock(self.place, self.sku, 5)
            try:
                await feed.stock_changes(begun)
            except SourceError:
                stage.heal()
            else:
                raise AssertionError("a source that is away has told what moved")
            assert self.sku in (await moved(feed, begun))[0]

        self.play(story)

    def test_a_cursor_from_elsewhere_is_refused_or_answered(self) -> None:
        async def story(stage: Stage) -> None:
            for cursor in FOREIGN:
                try:
                    await stage.feed.stock_changes(cursor)
                except SourceError as error:
                    assert str(error)

        self.play(story)
