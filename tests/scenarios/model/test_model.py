"""A sheet of paper against the whole gateway: whatever customers, locations and sources do, both say the same after each step.

A step is an operation of the public graph, something that happens at a source, or time that passes. Sources are sandboxes that
speak their vendors' wire. One gateway on each database serves all examples, as each has goods of its own. A short run is part of
the tests; for a long one, of so many examples of so many steps on each database:

    DOM_EXAMPLES=2000 DOM_STEPS=50 pytest tests/scenarios/model
"""

import os
from typing import Final

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from structlog.testing import capture_logs

from tests.scenarios.model.merchant import Merchant
from tests.scenarios.model.world import Worlds
from tests.storages import NewStorage

EXAMPLES, STEPS = int(os.environ.get("DOM_EXAMPLES", "9")), int(os.environ.get("DOM_STEPS", "25"))
AT_ONCE_MAX: Final = 10
"""Of more, most would be others with a few things changed."""
WAY: Final = settings(
    stateful_step_count=STEPS,
    derandomize=True,
    database=None,
    deadline=None,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.too_slow],  # on a busy machine
)


@pytest.mark.timeout(0)  # making a story short takes minutes, and whatever is asked has a deadline of its own
@pytest.mark.parametrize(("new_storage", "beginning"), [("sqlite", 1), ("postgres", 2)], indirect=["new_storage"])
def test_whatever_is_asked_the_gateway_and_the_paper_say_the_same(new_storage: NewStorage, beginning: int) -> None:
    class OnThis(Merchant):
        worlds = Worlds(new_storage=new_storage)

    with capture_logs() as logs:
        try:
            for first in range(0, EXAMPLES, AT_ONCE_MAX):
                seed(f"{beginning}/{first}")(OnThis)
                run_state_machine_as_test(OnThis, settings=settings(WAY, max_examples=min(AT_ONCE_MAX, EXAMPLES - first)))
            assert OnThis.worlds.inhabited().differences() == ()
        finally:
            OnThis.worlds.close()
    assert [each for each in logs if each["log_level"] in {"error", "critical"}] == []
