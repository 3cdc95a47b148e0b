"""All work of a source, for whoever asks the source about it."""

from dataclasses import dataclass

from sqlalchemy import select

from gateway.domain.fulfillments import FulfillmentOrder
from gateway.domain.identity import FulfillmentOrderId, SourceName
from gateway.domain.orders import Order
from gateway.storage.database import Database, question
from gateway.storage.documents import read
from gateway.storage.tables import order, work


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlWorks:
    """Every page is a snapshot of its own."""

    database: Database

    @question
    async def at(self, source: SourceName, *, after: FulfillmentOrderId | None, limit: int) -> tuple[FulfillmentOrder, ...]:
        """Work of that source, by id."""
        query = select(work.c.id, order.c.body).join(order, order.c.id == work.c.order_id).where(work.c.source == source)
        if after is not None:
            query = query.where(work.c.id > after)
        async with self.database.reading.connect() as connection:
            rows = await connection.execute(query.order_by(work.c.id).limit(limit))
            return tuple(read(row.body, Order).work(FulfillmentOrderId(row.id)) for row in rows)

    @question
    async def find(self, work_id: FulfillmentOrderId) -> FulfillmentOrder | None:
        """That work as it is now."""
        query = select(order.c.body).join(work, order.c.id == work.c.order_id).where(work.c.id == work_id)
        async with self.database.reading.connect() as connection:
            found = (await connection.execute(query)).first()
        return None if found is None else read(found.body, Order).work(work_id)
