from random import Random

import numpy as np
import pytest

from gateway.domain.plans.postage import NO_POSTAGE, Postage
from gateway.domain.rates import US_EXPRESS, US_GROUND, CarrierService, PriceStep

SEEDS = range(60)


def some_service(random: Random, name: str) -> CarrierService:
    grams, cents, steps = 0, [200, 300, 400], []
    for _ in range(random.randint(1, 4)):
        grams += random.randint(1, 500)
        cents = [each + random.randint(0, 100) for each in cents]
        steps.append(PriceStep(grams=grams, cents=tuple(cents)))
    further = PriceStep(grams=random.randint(1, 500), cents=tuple(random.randint(0, 90) for _ in cents))
    return CarrierService(
        name=name, carrier="Carrier", steps=tuple(steps), transit_days=(1, 2, 3), further=random.choice([None, further])
    )


def some_postage(random: Random) -> Postage:
    services = tuple(some_service(random, f"{random.random()}") for _ in range(random.randint(1, 3)))
    lanes = range(4)
    return Postage(
        services=services,
        zone=np.array([random.randint(1, 3) for _ in lanes]),
        package_cents=np.array(
            [[random.choice([0.0, 25.0, np.inf]) if place else 0.0 for place in range(len(services))] for _ in lanes]
        ),
        unit_cents=np.array([[float(random.randint(0, 9)) for _ in services] for _ in lanes]),
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_each_package_costs_what_its_cheapest_service_asks(seed: int) -> None:
    random = Random(seed)
    postage = some_postage(random)
    weights = [(random.choice([1, 100, 1000, 100_000]) * random.randint(1, 9), random.randint(1, 5)) for _ in range(40)]
    cents = postage.cents(np.array([grams for grams, _ in weights]), np.array([units for _, units in weights]))
    for lane, zone in enumerate(postage.zone.tolist()):
        for index, (grams, units) in enumerate(weights):
            asked = [
                service.price_cents(zone, grams) + postage.package_cents[lane, place] + units * postage.unit_cents[lane, place]
                for place, service in enumerate(postage.services)
            ]
            assert cents[lane, index] == min(asked)
            assert postage.service(lane, grams, units) == asked.index(min(asked))


@pytest.mark.parametrize("seed", SEEDS)
def test_no_price_is_below_the_floor(seed: int) -> None:
    random = Random(seed)
    postage = some_postage(random)
    lightest = random.randint(1, 800)
    grams = np.arange(lightest, lightest + random.choice([1, 100, 30_000]) + 1)
    package, gram, unit = postage.floor(lightest, int(grams[-1]))
    floor = package[:, :, None] + gram[:, :, None] * grams + 3 * unit[:, :, None]
    cents = postage.by_service(grams, np.full(len(grams), 3))
    assert ((floor <= cents + 1e-6) | np.isinf(cents)).all()


def test_a_tariff_by_the_pound_is_its_own_floor_for_whole_pounds() -> None:
    postage = Postage(
        services=(US_GROUND, US_EXPRESS), zone=np.array([1, 8]), package_cents=np.zeros((2, 2)), unit_cents=np.zeros((2, 2))
    )
    grams = 454 * np.arange(1, 40)
    package, gram, _ = postage.floor(454, int(grams[-1]))
    floor = package[:, :, None] + gram[:, :, None] * grams
    assert np.allclose(floor, postage.by_service(grams, np.ones(len(grams), dtype=np.int64)))


def test_nobody_asks_for_what_is_picked_up() -> None:
    assert NO_POSTAGE.cents(np.array([1, 10_000]), np.array([1, 2])).tolist() == [[0.0, 0.0]]
    assert [each.tolist() for each in NO_POSTAGE.floor(1, 10_000)] == [[[0.0]]] * 3
