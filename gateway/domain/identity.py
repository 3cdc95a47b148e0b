"""What things are called: one type for each kind of id, so that none is passed for another."""

from typing import NewType

LocationId = NewType("LocationId", str)
OrderId = NewType("OrderId", str)
FulfillmentOrderId = NewType("FulfillmentOrderId", str)
ReservationId = NewType("ReservationId", str)
SourceName = NewType("SourceName", str)
