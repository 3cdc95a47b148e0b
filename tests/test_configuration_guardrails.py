"""What an operator can say of what changes of policy may do."""

from pathlib import Path

import pytest

from gateway.configuration import Misconfigured, load
from gateway.domain.whatif import UNGUARDED, Guardrails
from tests.test_configuration_delivery import NEEDED, SECRETS


def written(folder: Path, text: str) -> Path:
    file = folder / "dom.toml"
    file.write_text(NEEDED.replace('schedule = "downtown"\n', "") + text, encoding="utf-8")
    return file


def test_guardrails_are_those_that_are_written_and_none_without(tmp_path: Path) -> None:
    text = "[guardrails]\ncost_percent_max = 2.5\nunfillable_max = 3\n"
    assert load(written(tmp_path, text), SECRETS).guardrails == Guardrails(cost_percent_max=2.5, unfillable_max=3)
    assert load(written(tmp_path, ""), SECRETS).guardrails == UNGUARDED


@pytest.mark.parametrize("wrong", ["orders_min = -1", "cost_percent_max = '5 %'", "cost_max = 5"])
def test_a_guardrail_that_makes_no_sense_is_a_mistake(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(Misconfigured) as told:
        load(written(tmp_path, f"[guardrails]\n{wrong}\n"), SECRETS)
    assert [mistake.key.split(".")[0] for mistake in told.value.mistakes] == ["guardrails"]
