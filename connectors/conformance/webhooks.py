"""Webhooks: what the source signed is read, and nothing else."""

from dataclasses import replace
from unittest import SkipTest

from connectors.conformance.stage import Stage
from connectors.conformance.subject import Subject
from connectors.contract import BadSignature, FulfillmentChanged, RawRequest, StockChanged


class Webhooks(Subject):
    """What every ``WebhookReceiver`` keeps."""

    def test_what_the_source_posts_is_read(self) -> None:
        async def story(stage: Stage) -> None:
            receiver = stage.receiver
            if (posted := self.webhook(stage.fake)) is None:
                raise SkipTest("nothing is known of what the fake posts")
            for event in receiver.receive(posted):
                assert isinstance(event, StockChanged | FulfillmentChanged)
                assert event.event_id

        self.play(story)

    def test_what_the_source_did_not_sign_is_refused(self) -> None:
        async def story(stage: Stage) -> None:
            receiver = stage.receiver
            unsigned = [RawRequest(headers={}, body=body) for body in (b"", b"{}", b"\xff\xfe", b"[" * 10_000)]
            if (posted := self.webhook(stage.fake)) is not None:
                wrong = {name: value[::-1] for name, value in posted.headers.items()}
                nonsense = dict.fromkeys(posted.headers, "wr\xf6ng")
                elsewhere = {name: f"{value}x" for name, value in posted.query.items()}
                unsigned += [replace(posted, headers=each, query=elsewhere) for each in ({}, wrong, nonsense)]
            for request in unsigned:
                try:
                    receiver.receive(request)
                except BadSignature:
                    continue
                raise AssertionError(f"a webhook was let in that nobody signed: {request}")

        self.play(story)
