"""What left: how the source's parcels become ours, and what is known by then of its own number."""

from connectors.contract import RemoteFulfillment, RemotePackage, RemoteState, RequestLine, Sku, StockDrop
from gateway.domain.fulfillments import FulfillmentOrder, Package, Units, tally


def shows_what_left(remote: RemoteFulfillment, stock_drop: StockDrop) -> bool:
    """Whether the source's own number shows by now what left: nothing more is to come of the request, or it counts early."""
    early = remote.state is RemoteState.ACCEPTED and stock_drop is StockDrop.ON_ACCEPT
    return early or remote.state in {RemoteState.SHIPPED, RemoteState.REJECTED, RemoteState.CANCELED}


def new_packages(
    work: FulfillmentOrder, told: tuple[RemotePackage, ...], *, complete: bool, struck: tuple[RequestLine, ...] = ()
) -> tuple[Package, ...]:
    """What left that we did not know of. Of a ``complete`` request, all has left in some package but what was ``struck`` off.

    Parcels have no identity of their own: a number may come later, and a person may have said already that one left. So units are
    counted: what a source tells of is all that left, and what we know of is a part of that.
    """
    left, shipped = dict(tally(work.remaining)), work.shipped
    all_told = tally(Units(sku=line.sku, units=line.units) for remote in told for line in remote.lines)
    news = {sku: min(max(units - shipped.get(sku, 0), 0), left.get(sku, 0)) for sku, units in all_told.items()}
    found = []
    for remote in told:
        if remote.tracking_number in work.numbers:
            continue
        lines = _taken(news, tally(Units(sku=line.sku, units=line.units) for line in remote.lines))
        if lines:
            found.append(_package(remote, lines))
            left |= {line.sku: left[line.sku] - line.units for line in lines}
    stays = tally(Units(sku=line.sku, units=line.units) for line in struck)
    rest = tuple(Units(sku=sku, units=units - stays.get(sku, 0)) for sku, units in left.items() if units > stays.get(sku, 0))
    if complete and rest:
        told_of_all = next((remote for remote in told if not remote.lines), None)
        found.append(_package(told_of_all or RemotePackage(), rest))
    return tuple(found)


def _taken(left: dict[Sku, int], lines: dict[Sku, int]) -> tuple[Units, ...]:
    """These lines, as far as they are left; they no longer are after."""
    taken = []
    for sku, units in lines.items():
        count = min(units, left.get(sku, 0))
        if count:
            left[sku] -= count
            taken.append(Units(sku=sku, units=count))
    return tuple(taken)


def _package(remote: RemotePackage, lines: tuple[Units, ...]) -> Package:
    return Package(lines=lines, carrier=remote.carrier, tracking_number=remote.tracking_number, tracking_url=remote.tracking_url)
