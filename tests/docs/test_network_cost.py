"""What the network costs is computed from a dated table, and compared for every traffic."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docs.network_cost import (
    PRICES,
    BreakEven,
    Cost,
    NoPrices,
    Prices,
    break_even,
    endpoint,
    endpoints,
    nat,
    prices,
    regions,
)

BOTH = ("sqs", "sts")
MONEY = st.decimals(min_value=0, max_value=1000, places=3, allow_nan=False)
COSTS = st.builds(Cost, fixed=MONEY, per_gb=MONEY)
PRICED = st.builds(
    Prices,
    as_of=st.just("2026-01-01"),
    **{
        name: st.decimals(min_value="0.001", max_value=1, places=3, allow_nan=False)
        for name in ("endpoint_hour", "endpoint_gb", "nat_hour", "nat_gb", "address_hour", "cross_zone_gb")
    },
)


def test_interface_endpoint_costs_by_the_hour_in_every_zone() -> None:
    """Frankfurt, by hand: 0.012 dollars for 730 hours in two zones, and a cent for each GB."""
    assert endpoint(prices("eu-central-1"), 2, interface=True) == Cost(Decimal("17.52"), Decimal("0.01"))


def test_gateway_endpoint_is_free() -> None:
    """By the hour and by the GB, in however many zones."""
    assert endpoint(prices("eu-central-1"), 3, interface=False).monthly(Decimal(10**6)) == 0


def test_endpoints_add_up_by_the_hour_and_not_by_the_gb() -> None:
    """Virginia, by hand: 2 endpoints in 2 zones at 0.01; a GB goes through one of them."""
    assert endpoints(prices("us-east-1"), 2, BOTH) == Cost(Decimal("29.20"), Decimal("0.01"))
    assert endpoints(prices("us-east-1"), 2, ()) == Cost(Decimal(0), Decimal(0))


def test_nat_gateway_costs_itself_its_address_and_what_it_carries() -> None:
    """Virginia, by hand: (0.045 + 0.005) for 730 hours in each of two zones."""
    assert nat(prices("us-east-1"), 2, gateways=2) == Cost(Decimal("73.00"), Decimal("0.045"))


def test_one_nat_gateway_makes_the_other_zones_traffic_cross() -> None:
    """Half of it in two zones, at a cent for each of the two directions."""
    assert nat(prices("us-east-1"), 2, gateways=1) == Cost(Decimal("36.50"), Decimal("0.055"))


def test_endpoints_that_cost_more_by_the_hour_pay_for_themselves_by_the_gb() -> None:
    """Virginia in three zones against one NAT gateway: 43.80 and 36.50 dollars, 0.01 and 0.045 + 2/3 of 0.02 for a GB."""
    found = break_even(endpoints(prices("us-east-1"), 3, BOTH), nat(prices("us-east-1"), 3, gateways=1))
    assert found.gb is not None
    assert round(found.gb, 3) == round(Decimal("7.30") / (Decimal("0.035") + Decimal("0.02") * 2 / 3), 3)
    assert (found.below, found.above) == ("second", "first")


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (("10", "0.01"), ("20", "0.05"), BreakEven(None, "first", "first")),
        (("20", "0.05"), ("10", "0.01"), BreakEven(None, "second", "second")),
        (("10", "0.01"), ("10", "0.05"), BreakEven(None, "first", "first")),
        (("20", "0.01"), ("10", "0.01"), BreakEven(None, "second", "second")),
        (("10", "0.01"), ("10", "0.01"), BreakEven(None, "neither", "neither")),
        (("20", "0.01"), ("10", "0.06"), BreakEven(Decimal(200), "second", "first")),
        (("10", "0.06"), ("20", "0.01"), BreakEven(Decimal(200), "first", "second")),
    ],
)
def test_break_even_is_there_only_if_one_is_dearer_idle_and_the_other_dearer_busy(
    first: tuple[str, str], second: tuple[str, str], expected: BreakEven
) -> None:
    """Every case, also those without one."""
    assert break_even(Cost(*map(Decimal, first)), Cost(*map(Decimal, second))) == expected


@given(COSTS, COSTS, MONEY)
def test_break_even_says_which_is_cheaper_at_every_traffic(first: Cost, second: Cost, gb: Decimal) -> None:
    """Below it the one, above it the other, and the same at it."""
    found = break_even(first, second)
    costs = {"first": first.monthly(gb), "second": second.monthly(gb)}
    side = found.below if found.gb is None or gb < found.gb else found.above
    if side == "neither":
        assert costs["first"] == costs["second"]
    elif found.gb is None or gb != found.gb:
        assert costs[side] == min(costs.values())
    if found.gb is not None:
        assert abs(first.monthly(found.gb) - second.monthly(found.gb)) < Decimal("1e-15")


@given(COSTS, COSTS)
def test_break_even_is_the_same_from_both_sides(first: Cost, second: Cost) -> None:
    """Who is named first does not matter."""
    swap = {"first": "second", "second": "first", "neither": "neither"}
    one, other = break_even(first, second), break_even(second, first)
    assert (one.gb, swap[one.below], swap[one.above]) == (other.gb, other.below, other.above)


@given(
    PRICED, st.integers(1, 5), st.lists(st.sampled_from(["sqs", "sts", "sns", "kms"]), min_size=1, unique=True), MONEY
)
def test_more_zones_and_more_endpoints_never_cost_less(
    price: Prices, zones: int, services: list[str], gb: Decimal
) -> None:
    """And a NAT gateway less makes more of the traffic cross zones."""
    here = endpoints(price, zones, services).monthly(gb)
    assert endpoints(price, zones + 1, services).monthly(gb) > here
    assert endpoints(price, zones, [*services, "more"]).monthly(gb) > here
    assert nat(price, zones + 1, gateways=zones + 1).fixed > nat(price, zones, gateways=zones).fixed
    by_gateways = [nat(price, zones, gateways=count).per_gb for count in range(1, zones + 1)]
    assert by_gateways == sorted(by_gateways, reverse=True)
    assert by_gateways[-1] == price.nat_gb


def test_region_without_prices_is_named_and_not_guessed() -> None:
    """What is wrong, why it matters and what to do."""
    with pytest.raises(NoPrices) as caught:
        prices("mars-north-1")
    assert "no prices for the region 'mars-north-1'" in str(caught.value)
    assert "Prices differ by region" in str(caught.value)
    assert "eu-central-1" in str(caught.value)
    assert "network_prices.json" in str(caught.value)


@pytest.mark.parametrize("zones", [0, -1])
def test_network_without_a_zone_has_no_cost(zones: int) -> None:
    """A mistake in a number is an error, not a bill of nothing."""
    with pytest.raises(ValueError, match="at least one"):
        endpoint(prices("us-east-1"), zones, interface=True)
    with pytest.raises(ValueError, match="at least one"):
        nat(prices("us-east-1"), 2, gateways=zones)


def test_every_price_is_dated_and_has_a_source() -> None:
    """Who doubts a number sees how old it is and where to look; no price is younger than the table."""
    table = json.loads(PRICES.read_text(encoding="utf-8"))
    compiled = dt.date.fromisoformat(table["compiled"])
    hosts = {source.removeprefix("https://").partition("/")[0] for source in table["sources"]}
    assert hosts == {"aws.amazon.com", "pricing.us-east-1.amazonaws.com"}
    for region in regions():
        price = prices(region)
        assert dt.date.fromisoformat(price.as_of) <= compiled
        assert Decimal("0.005") < price.endpoint_hour < price.nat_hour < Decimal("0.2")
        assert 0 < price.endpoint_gb < price.nat_gb
