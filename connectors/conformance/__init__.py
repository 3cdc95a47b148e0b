"""Does a connector keep the contract? Some fifty tests, for whoever writes one: give them a connector and a fake of its source.

    from connectors.conformance import ConnectorContract

    class TestAcme(ConnectorContract):
        spec = SPEC                                   # the ConnectorSpec
        place = "store-1"                             # a place of the fake that has both SKUs
        location = RemoteLocationId("S1")             # what the source calls that place
        sku, another = Sku("SKU-0001"), Sku("SKU-0002")
        amounts = (b'"in_stock"',)                    # how the wire names what becomes a number

        def fake(self):                               # a new one each time: ``routes()``, ``set_stock(place, sku, units)``
            return AcmeSandbox()

        def settings(self, url, patience_s):          # for that fake, served at ``url``
            return AcmeSettings(url=url, token=Secret("right"), attempt_timeout_s=patience_s, total_timeout_s=patience_s)

Then ``pytest`` (or ``unittest``, with ``unittest.TestCase`` as the last base class). What the connector cannot do is skipped and
says so. Further members, for what it can do, are described in ``Subject``; a source that is not asked over HTTP overrides
``Subject.stage`` and ``Subject.absent``.
"""

from connectors.conformance.failures import Failures
from connectors.conformance.feed import Changes, Listing
from connectors.conformance.holds import Holds
from connectors.conformance.manners import Manners
from connectors.conformance.quotes import Quotes
from connectors.conformance.stage import Fake, HttpStage, Stage, TakesOrders, Wire
from connectors.conformance.stock import Stock
from connectors.conformance.subject import Subject
from connectors.conformance.webhooks import Webhooks
from connectors.conformance.work import Work

__all__ = ["ConnectorContract", "Fake", "HttpStage", "Stage", "Subject", "TakesOrders", "Wire"]


class ConnectorContract(Manners, Stock, Listing, Changes, Work, Holds, Quotes, Webhooks, Failures):
    """Everything that the gateway relies on, as tests of one connector."""
