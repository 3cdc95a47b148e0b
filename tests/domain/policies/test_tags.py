"""What goods are called, as an operator writes it down."""

import pytest

from connectors.contract import Sku
from gateway.domain.policies import Tags, parse_tags
from tests.domain.policies.shelves import CUP, GAS, MUG


def test_goods_have_any_number_of_tags_and_an_order_those_of_all_its_goods() -> None:
    tags = parse_tags('# ours\nsku,tag\nMUG-1,fragile\n\nMUG-1, gift \nGAS-1,hazmat\nGAS-1,hazmat\n"K""1,2",gift\n')
    assert tags.of([MUG, CUP]) == ("fragile", "gift")
    assert tags.of([GAS, MUG]) == ("fragile", "gift", "hazmat")
    assert tags.of([Sku('K"1,2')]) == ("gift",)
    assert tags.of([CUP]) == Tags().of([MUG]) == ()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "begins with sku,tag"),
        ("tag,sku\nfragile,MUG", "begins with sku,tag"),
        ("sku,tag\nMUG", "line 2 is not a SKU and a tag: 'MUG'"),
        ("# note\nsku,tag\nMUG,gift\nMUG,fragile,gift", "line 4"),
        ("sku,tag\nMUG, ", "line 2"),
        ("sku,tag\n,gift", "line 2"),
        ('sku,tag\n"MUG,gift', "line 2 is not comma-separated values"),
    ],
)
def test_a_broken_table_of_tags_is_refused_with_its_line(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        parse_tags(text)
