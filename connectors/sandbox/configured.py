"""How each sandbox is reached, as a gateway's configuration says it: demo, tests and benchmarks are configured as a user would."""

from collections.abc import Mapping
from typing import Final

from connectors.sandbox.sql import CHANGES, PLACES, SKUS, STOCK

SECRETS: Final[Mapping[str, str]] = {
    "SANDBOX_ODOO_KEY": "odoo-sandbox-key",
    "SANDBOX_SQUARE_TOKEN": "square-sandbox-token",
    "SANDBOX_SHIPBOB_TOKEN": "shipbob-sandbox-token",
    "SANDBOX_SHOPIFY_TOKEN": "shopify-sandbox-token",
    "SANDBOX_AMAZON_SECRET": "amazon-sandbox-secret",
    "SANDBOX_AMAZON_REFRESH": "Atzr|amazon-sandbox-refresh",
    "SANDBOX_MEDUSA_KEY": "sk_medusa_sandbox",
    "SANDBOX_WMS_TOKEN": "greaterwms-sandbox-token",
}
"""What has to stand in the environment of whoever reads the tables."""

TABLES: Final[Mapping[str, str]] = {
    "odoo": """
label = "Odoo (warehouses)"
url = "@"
database = "demo"
login = "gateway"
api_key = "env:SANDBOX_ODOO_KEY"
""",
    "square": """
label = "Square (stores)"
url = "@"
access_token = "env:SANDBOX_SQUARE_TOKEN"
visibility_delay_s = 0.0  # a sandbox shows at once

[[sources.square.locations]]  # stores that hand over pickups by the hour
id = "LSTOREBROOKLYN"
slot_minutes = 60
pickups_per_slot = 4

[[sources.square.locations]]
id = "LSTORECHICAGO"
slot_minutes = 60
pickups_per_slot = 4
""",
    "shipbob": """
label = "ShipBob (3PL)"
url = "@"
token = "env:SANDBOX_SHIPBOB_TOKEN"
channel_id = "1001"
shipping_method = "Standard"
rate_per_s = 1_000.0
visibility_delay_s = 0.0
""",
    "shopify": """
label = "Shopify (shops)"
url = "@"
access_token = "env:SANDBOX_SHOPIFY_TOKEN"
visibility_delay_s = 0.0
""",
    "amazon_mcf": """
label = "Amazon (FBA)"
url = "@"
token_url = "@/auth/o2/token"
client_id = "amzn1.application-oa2-client.sandbox"
client_secret = "env:SANDBOX_AMAZON_SECRET"
refresh_token = "env:SANDBOX_AMAZON_REFRESH"
marketplace_id = "ATVPDKIKX0DER"
rate_per_s = 1_000.0
fresh_for_s = 5.0
visibility_delay_s = 0.0
""",
    "medusa": """
label = "Medusa (depots)"
url = "@"
api_key = "env:SANDBOX_MEDUSA_KEY"
""",
    "http": """
label = "GreaterWMS (by configuration)"
url = "@"
preset = "greaterwms"
auth = { value = "env:SANDBOX_WMS_TOKEN" }
""",
    "flat_file": """
label = "The mill's CSV files"
folder = "@"
name_time = "%Y%m%dT%H%M%S%f"
columns = { sku = "item", location = "site", on_hand = "on_hand", available = "free", committed = "allocated" }
orders = { outbox = "orders", inbox = "answers", sent = "sent" }
list_every_s = 1.0
stock_drop = "ON_ACCEPT"
visibility_delay_s = 0.0
fresh_for_s = 5.0

[[sources.flat_file.places]]
id = "MILL-CHARLOTTE"
name = "Charlotte Mill"
city = "Charlotte"
region = "NC"
postal_code = "28203"
country_code = "US"
time_zone = "America/New_York"

[[sources.flat_file.places]]
id = "MILL-STLOUIS"
name = "St. Louis Mill"
city = "St. Louis"
region = "MO"
postal_code = "63108"
country_code = "US"
time_zone = "America/Chicago"
""",
    "sql": """
label = "The ERP's own database"
url = "env:SANDBOX_ERP_URL"
stock = '''
@STOCK'''
places_statement = '''
@PLACES'''
skus = '''
@SKUS'''
changes = '''
@CHANGES'''
""",
}
"""The keys of ``[sources.NAME]``, ``@`` in place of the address."""


def configured(addresses: Mapping[str, str]) -> str:
    """The tables of these sources."""
    return "\n".join(
        f'[sources.{system}]\nconnector = "{system}"{_filled(TABLES[system], address)}' for system, address in addresses.items()
    )


def environment(addresses: Mapping[str, str]) -> dict[str, str]:
    """What their credentials are; the address of a database is one."""
    return {**SECRETS, **({"SANDBOX_ERP_URL": addresses["sql"]} if "sql" in addresses else {})}


def _filled(table: str, address: str) -> str:
    statements = {"@STOCK": STOCK, "@PLACES": PLACES, "@SKUS": SKUS, "@CHANGES": CHANGES}
    for name, statement in statements.items():
        table = table.replace(name, statement.strip())
    return table.replace("@", address)
