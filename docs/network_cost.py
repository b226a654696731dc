"""What a closed network costs in a month, beside the NAT gateways that it goes without.

Pure functions of the prices in docs/network_prices.json. Everything else that a NAT gateway leads to is left out: it also
opens a way to the Internet, which is why this VPC has none.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

PRICES: Final = Path(__file__).with_name("network_prices.json")

HOURS: Final = 730
"""The hours of a month, as AWS's own calculator counts them."""


class NoPrices(Exception):
    """There are no prices for a region. The text says where they are kept, and how to add one."""


@dataclass(frozen=True, slots=True)
class Prices:
    """The list prices of one region, in US dollars.

    Attributes:
        as_of: The day of the price list.
        endpoint_hour: An interface endpoint, for each zone.
        endpoint_gb: What it carries, either way. Crossing zones on the way to it is free.
        nat_hour: A NAT gateway.
        nat_gb: What it carries, either way.
        address_hour: The public address that a NAT gateway needs.
        cross_zone_gb: What crosses zones on the way to a NAT gateway: once for leaving the one, once for entering the other.
    """

    as_of: str
    endpoint_hour: Decimal
    endpoint_gb: Decimal
    nat_hour: Decimal
    nat_gb: Decimal
    address_hour: Decimal
    cross_zone_gb: Decimal


@dataclass(frozen=True, slots=True)
class Cost:
    """What something costs: in a month if it lies idle, and for each GB that it carries."""

    fixed: Decimal
    per_gb: Decimal

    def monthly(self, gb: Decimal) -> Decimal:
        """The cost of a month with `gb` of traffic."""
        return self.fixed + self.per_gb * gb


@dataclass(frozen=True, slots=True)
class BreakEven:
    """Which of two costs is the lower, by traffic.

    Attributes:
        gb: The traffic in a month at which both cost the same; `None` if one is never dearer than the other.
        below: Which one is cheaper with less traffic: `first`, `second`, or `neither` if they are the same.
        above: Which one is cheaper with more.
    """

    gb: Decimal | None
    below: str
    above: str


def prices(region: str, table: Mapping[str, Mapping[str, str]] | None = None) -> Prices:
    """Give a region's prices.

    Raises:
        NoPrices: There are none, and no other region's would do.
    """
    known = regions() if table is None else table
    if region not in known:
        raise NoPrices(
            f"There are no prices for the region {region!r} in docs/{PRICES.name}. Prices differ by region, so those of"
            f" another would be wrong. Choose one of {', '.join(sorted(known))}, or add the region to that file with the"
            " date: its sources are named there."
        )
    entry = known[region]
    return Prices(as_of=entry["as_of"], **{name: Decimal(price) for name, price in entry.items() if name != "as_of"})


def regions() -> Mapping[str, Mapping[str, str]]:
    """Give the table of prices, by region."""
    return json.loads(PRICES.read_text(encoding="utf-8"))["regions"]  # type: ignore[no-any-return]


def endpoint(price: Prices, zones: int, *, interface: bool) -> Cost:
    """What one VPC endpoint costs. A gateway endpoint is free, by the hour and by the GB."""
    _at_least_one(zones)
    if not interface:
        return Cost(Decimal(0), Decimal(0))
    return Cost(price.endpoint_hour * zones * HOURS, price.endpoint_gb)


def endpoints(price: Prices, zones: int, interfaces: Collection[str]) -> Cost:
    """What a set of interface endpoints costs, whichever of them carries the traffic."""
    each = endpoint(price, zones, interface=True)
    return Cost(each.fixed * len(interfaces), each.per_gb if interfaces else Decimal(0))


def nat(price: Prices, zones: int, *, gateways: int) -> Cost:
    """What NAT gateways cost that carry the same traffic, spread evenly over the zones.

    With fewer gateways than zones a part of the traffic crosses zones.
    """
    _at_least_one(zones)
    if not 1 <= gateways <= zones:
        raise ValueError(
            f"{gateways} NAT gateways in {zones} zones: there is one in each zone, or fewer, and at least one"
        )
    crossing = Decimal(zones - gateways) / zones
    return Cost(
        (price.nat_hour + price.address_hour) * gateways * HOURS, price.nat_gb + 2 * price.cross_zone_gb * crossing
    )


def break_even(first: Cost, second: Cost) -> BreakEven:
    """Compare two costs for every traffic from nothing up."""
    fixed, per_gb = first.fixed - second.fixed, first.per_gb - second.per_gb
    if fixed == per_gb == 0:
        return BreakEven(None, "neither", "neither")
    if fixed <= 0 and per_gb <= 0:
        return BreakEven(None, "first", "first")
    if fixed >= 0 and per_gb >= 0:
        return BreakEven(None, "second", "second")
    gb = fixed / -per_gb
    return BreakEven(gb, "second", "first") if fixed > 0 else BreakEven(gb, "first", "second")


def _at_least_one(zones: int) -> None:
    if zones < 1:
        raise ValueError(f"{zones} zones: a network has at least one")
