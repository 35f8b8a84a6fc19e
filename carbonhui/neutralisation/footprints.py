"""How much was emitted: quantities times published factors, line by line (Article 22).

Whole numbers only. Each line is rounded up to the milligram, against who emitted,
so that what is retired is never too little. A footprint uses the newest factors that
were published by the day on which it is worked out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from carbonhui.core.amounts import LARGEST_AMOUNT
from carbonhui.neutralisation.factors import Factor, Value, factor
from carbonhui.neutralisation.refusals import FactorMissing, FootprintEmpty, FootprintTooLarge, HeadcountDiffers

#: Above this a flight is long-haul (the methodology paper of the UK Government's factors).
SHORT_HAUL_METRES_MAX = 3_700_000
CABINS = ("average", "economy", "premium", "business", "first")
#: Ways to travel that emit nothing of their own.
UNPOWERED = ("walk", "bicycle")
#: Whose factor is of the whole vehicle, whoever sits in it.
VEHICLES = ("car", "car_petrol", "car_diesel", "car_hybrid", "motorbike")
MODES = (*UNPOWERED, "metro", "bus", "coach", "rail", "ferry", "taxi", *VEHICLES)
HOTELS = ("china", "hong_kong")
MEASURED = "measured"


@dataclass(frozen=True)
class Line:
    """One part of a footprint: ``quantity`` small units at a factor's value."""

    factor: Factor
    value: Value
    quantity: int
    mg: int


@dataclass(frozen=True)
class Footprint:
    """What was emitted, in milligrams, and how that was worked out; measured ones rest on a file instead."""

    calculator: str
    mg: int
    lines: tuple[Line, ...] = ()
    evidence: bytes | None = None


@dataclass(frozen=True, kw_only=True)
class Journey:
    """So many people travel so many metres, ``trips`` times; in vehicles of their own, as many of those."""

    mode: str
    metres: int
    persons: int = 1
    trips: int = 1
    vehicles: int | None = None


@dataclass(frozen=True, kw_only=True)
class Flight:
    """So many people fly so many metres (the great circle), ``trips`` times.

    ``forcing`` says whether what flying high adds (radiative forcing) is counted, as the publisher advises.
    """

    metres: int
    cabin: str = "economy"
    persons: int = 1
    trips: int = 1
    forcing: bool = True


def household_month(*, on: date, electricity_wh: int = 0, gas_dm3: int = 0, water_litres: int = 0) -> Footprint:
    """A month of a household by its meters. Raises `FootprintEmpty`, `FootprintTooLarge`, `FactorMissing`."""
    return _sum("household_month", _meters(on, electricity_wh, gas_dm3, water_litres))


def commute(*, on: date, journeys: Sequence[Journey]) -> Footprint:
    """Ways to work and back. Raises as `household_month` does."""
    return _sum("commute", [line for one in journeys for line in _journey(on, one)])


def flight(*, on: date, flights: Sequence[Flight]) -> Footprint:
    """Flights by cabin and distance. Raises as `household_month` does."""
    return _sum("flight", [_flight(on, one) for one in flights])


def trip(
    *, on: date, journeys: Sequence[Journey] = (), flights: Sequence[Flight] = (), room_nights: int = 0, hotel: str = "china"
) -> Footprint:
    """Hotel nights and travel. Raises as `household_month` does."""
    return _sum("trip", _travel(on, journeys, flights, room_nights, hotel))


def event(
    *, on: date, headcount: int, journeys: Sequence[Journey] = (), flights: Sequence[Flight] = (), room_nights: int = 0,
    hotel: str = "china", electricity_wh: int = 0, gas_dm3: int = 0, water_litres: int = 0,
) -> Footprint:  # fmt: skip
    """A meeting, celebration or exhibition: its place, and everybody's way to it.

    Meals, print and waste are not in it: no factor with a source was found. Raises
    `HeadcountDiffers` and as `household_month` does.
    """
    told = sum(one.persons for one in journeys) + sum(one.persons for one in flights)
    if told != headcount:
        raise HeadcountDiffers(told=told, headcount=headcount)
    lines = [*_meters(on, electricity_wh, gas_dm3, water_litres), *_travel(on, journeys, flights, room_nights, hotel)]
    return _sum("event", lines)


def measured(*, mg: int, evidence: bytes) -> Footprint:
    """A figure that somebody measured; ``evidence`` is the SHA-256 of the file that says so."""
    assert len(evidence) == 32
    return Footprint(MEASURED, _checked(mg), evidence=evidence)


def _meters(on: date, electricity_wh: int, gas_dm3: int, water_litres: int) -> list[Line]:
    read = (("electricity", electricity_wh), ("gas", gas_dm3), ("water", water_litres))
    return [_line(on, name, quantity) for name, quantity in read if quantity]


def _travel(on: date, journeys: Sequence[Journey], flights: Sequence[Flight], room_nights: int, hotel: str) -> list[Line]:
    nights = [_line(on, f"hotel_{hotel}", room_nights)] if room_nights else []
    return [*(line for one in journeys for line in _journey(on, one)), *(_flight(on, one) for one in flights), *nights]


def _journey(on: date, journey: Journey) -> list[Line]:
    if journey.mode in UNPOWERED:
        return []
    if journey.mode not in MODES:
        raise FactorMissing(factor=ascii(journey.mode)[:40], on=on, known=", ".join(MODES))
    own = journey.mode in VEHICLES and journey.vehicles is not None
    count = journey.vehicles if own and journey.vehicles is not None else journey.persons
    return [_line(on, journey.mode, journey.metres * journey.trips * count)]


def _flight(on: date, flight: Flight) -> Line:
    haul = "short" if flight.metres <= SHORT_HAUL_METRES_MAX else "long"
    name = f"flight_{haul}_{flight.cabin}" + ("" if flight.forcing else "_no_rf")
    return _line(on, name, flight.metres * flight.trips * flight.persons)


def _line(on: date, name: str, quantity: int) -> Line:
    assert type(quantity) is int and quantity >= 0
    found = factor(name, on)
    value = found.on(on)
    # Rounded up, against who emitted.
    return Line(found, value, quantity, -(-quantity * value.mg // found.per))


def _sum(calculator: str, lines: list[Line]) -> Footprint:
    return Footprint(calculator, _checked(sum(line.mg for line in lines)), tuple(line for line in lines if line.mg))


def _checked(mg: int) -> int:
    if mg < 1:
        raise FootprintEmpty
    if mg > LARGEST_AMOUNT:
        raise FootprintTooLarge(largest=LARGEST_AMOUNT)
    return mg
