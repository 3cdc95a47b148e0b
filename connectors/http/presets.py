"""What is known of some sources; a configuration may say otherwise, key by key."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from connectors.http.tables import Auth, AuthType, CatalogTable, Paging, PagingType, PlacesTable, StockTable

Preset = Literal["erpnext", "greaterwms"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a preset says."""

    auth: Auth = field(default_factory=Auth)
    denied_if: tuple[str, ...] = ()
    stock: StockTable = field(default_factory=StockTable)
    catalog: CatalogTable | None = None
    places_from: PlacesTable | None = None


_ERPNEXT_PAGES: Final = Paging(type=PagingType.OFFSET, parameter="limit_start", size=500, size_parameter="limit_page_length")

# Frappe's REST API, version 1, and the doctypes Bin, Item and Warehouse of ERPNext. The value of the credential is "key:secret".
# Its instants are in the time zone of the site, which has to be said.
_ERPNEXT: Final = Known(
    auth=Auth(type=AuthType.HEADER, name="Authorization", prefix="token "),
    stock=StockTable(
        path="api/resource/Bin",
        params={
            "fields": '["item_code","warehouse","actual_qty","reserved_qty","ordered_qty","modified"]',
            "filters": '[["item_code","in",{skus|json}]]',
            "order_by": "name asc",
        },
        batch=50,
        records="data",
        paging=_ERPNEXT_PAGES,
        sku="item_code",
        location="warehouse",
        on_hand="actual_qty",
        committed="reserved_qty",
        incoming="ordered_qty",
        as_of="modified",
    ),
    catalog=CatalogTable(
        path="api/resource/Item",
        params={"fields": '["item_code"]', "filters": '[["is_stock_item","=",1],["disabled","=",0]]', "order_by": "name asc"},
        records="data",
        paging=_ERPNEXT_PAGES,
        sku="item_code",
    ),
    places_from=PlacesTable(
        path="api/resource/Warehouse",
        params={
            "fields": '["name","warehouse_name","disabled","address_line_1","city","state","pin"]',
            "filters": '[["is_group","=",0]]',
            "order_by": "name asc",
        },
        records="data",
        paging=_ERPNEXT_PAGES,
        id="name",
        name="warehouse_name",
        street="address_line_1",
        city="city",
        region="state",
        postal_code="pin",
        active_if="disabled=0",
    ),
)

# It takes one SKU at a time, and ignores a filter that it does not know. A bad token is HTTP 200. One warehouse for each token.
_GREATERWMS: Final = Known(
    auth=Auth(type=AuthType.HEADER, name="token"),
    denied_if=("detail~User Does Not Exist", "detail~To Your Request Headers"),
    stock=StockTable(
        path="stock/list/",
        params={"goods_code": "{sku}"},
        records="results",
        success_if="results",
        paging=Paging(type=PagingType.NEXT, at="next"),
        sku="goods_code",
        location="=GWMS",
        on_hand="onhand_stock",
        available="can_order_stock",
        name="goods_desc",
        as_of="update_time",
        time_zone="Asia/Shanghai",
    ),
    catalog=CatalogTable(
        path="stock/list/",
        params={"max_page": "1000"},
        records="results",
        success_if="results",
        paging=Paging(type=PagingType.NEXT, at="next"),
        sku="goods_code",
    ),
)

PRESETS: Final[Mapping[Preset, Known]] = {"erpnext": _ERPNEXT, "greaterwms": _GREATERWMS}
