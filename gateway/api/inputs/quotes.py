"""What shipping is asked about."""

from collections.abc import Sequence
from dataclasses import replace

from gateway.api.enums import Method
from gateway.api.inputs.checks import Check, LineInput
from gateway.api.inputs.purchases import AddressInput
from gateway.domain.refusals import Refusals
from gateway.services.routing import Wish


def wish_of(lines: Sequence[LineInput], to: AddressInput, method: Method) -> Wish:
    """What is to go where.

    Raises:
        Refusals: All that is wrong with it; each path begins with the argument.
    """
    check = Check()
    wanted = check.lines(lines, ("input", "lines"))
    address = to.meant(check)
    try:
        check.done()
    except Refusals as refused:  # an address speaks as part of an input object
        raise Refusals(tuple(replace(each, path=each.path[1:]) for each in refused.each)) from None
    return Wish(lines=wanted, to=address, method=method)
