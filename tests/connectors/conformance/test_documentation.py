"""The connector in the documentation works as it stands, and keeps the contract."""

import re
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from connectors import contract
from connectors.conformance import ConnectorContract
from connectors.contract import SourceError

PAGE = Path(__file__).parents[3] / "docs" / "connectors.md"


def run(name: str, code: str, **given: Any) -> ModuleType:
    module = ModuleType(name)
    module.__dict__.update(given)
    sys.modules[name] = module
    exec(compile(code, f"{PAGE.name}:{name}.py", "exec"), module.__dict__)  # noqa: S102  the page is ours
    return module


CONNECTOR, TESTS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
run("dom_acme", CONNECTOR)
if TYPE_CHECKING:

    class TestAcme(ConnectorContract): ...

else:
    TestAcme = run("test_acme", TESTS).TestAcme


def test_the_page_names_every_error_and_every_protocol_of_the_contract() -> None:
    page = PAGE.read_text(encoding="utf-8")
    words = {name: getattr(contract, name) for name in contract.__all__}
    errors = {name for name, word in words.items() if isinstance(word, type) and issubclass(word, SourceError)}
    protocols = {name for name, word in words.items() if getattr(word, "_is_protocol", False)}
    assert [name for name in sorted((errors | protocols) - {"SourceError", "Connector"}) if f"`{name}`" not in page] == []
