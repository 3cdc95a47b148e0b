"""Quotes: amounts and dates that can be compared."""

from decimal import Decimal

from connectors.conformance.stage import Stage
from connectors.conformance.subject import Subject
from connectors.contract import QuoteRequest, RequestLine, Sku


class Quotes(Subject):
    """What every ``Quoter`` keeps."""

    def quoting(self, sku: Sku) -> QuoteRequest:
        """One unit of it."""
        return QuoteRequest(lines=(RequestLine(sku=sku, units=1),), recipient=self.recipient)

    def test_quotes_come_cheapest_first_in_an_iso_currency_with_dates_that_have_an_offset(self) -> None:
        async def story(stage: Stage) -> None:
            quotes = await stage.quoter.quote(self.quoting(self.sku))
            assert quotes
            amounts = [quote.amount for quote in quotes if quote.amount is not None]
            assert amounts == sorted(amounts)
            assert all(type(amount) is Decimal for amount in amounts)
            assert all(amount.is_finite() and amount >= 0 for amount in amounts)
            for quote in quotes:
                assert quote.service
                assert len(quote.currency) == 3
                assert quote.currency.isupper()
                dates = (quote.ships_by, quote.arrives_by)
                assert all(date is None or date.utcoffset() is not None for date in dates)

        self.play(story)
