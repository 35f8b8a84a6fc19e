"""Footprints: how much something emitted, by published factors (Article 22)."""

from typing import Any

from carbonhui import neutralisation
from carbonhui.api.fields import Choice, Day, Flag, Many, Part, Pattern, Strict, Text, Whole, page_of
from carbonhui.api.operation import Blueprint, Call, operation
from carbonhui.api.routes.acting import whole_list
from carbonhui.api.routes.refusals import NotOneOfThese, exactly_one
from carbonhui.neutralisation import Footprint

blueprint = Blueprint("footprints", __name__, description="Emission factors and footprints.")

_COUNT, _METRES = 1_000_000, 100_000_000_000
_FLIES = {"description": "Whether what flying high adds (radiative forcing) is counted, as the factors' publisher advises."}


class JourneySchema(Strict):
    mode = Choice(*neutralisation.MODES, required=True)
    metres = Whole(0, _METRES, required=True, metadata={"description": "Of one way."})
    persons = Whole(1, _COUNT, load_default=1)
    trips = Whole(1, _COUNT, load_default=1, metadata={"description": "How often each of them goes; 2 for there and back."})
    vehicles = Whole(1, _COUNT, load_default=None, metadata={"description": "Of cars and motorbikes; without it, one for each person."})


class FlightSchema(Strict):
    metres = Whole(1, 40_100_000, required=True, metadata={"description": "The great circle from airport to airport, one way."})
    cabin = Choice(*neutralisation.CABINS, load_default="economy")
    persons = Whole(1, _COUNT, load_default=1)
    trips = Whole(1, _COUNT, load_default=1)
    forcing = Flag(load_default=True, metadata=_FLIES)


class MetersEmissionSchema(Strict):
    electricity_wh = Whole(0, load_default=0, highest=10**13)
    gas_dm3 = Whole(0, load_default=0, highest=10**12)
    water_litres = Whole(0, load_default=0, highest=10**12)


class CommuteEmissionSchema(Strict):
    journeys = Many(Part(JourneySchema), fewest=1, most=50, required=True)


class FlightsEmissionSchema(Strict):
    flights = Many(Part(FlightSchema), fewest=1, most=50, required=True)


class TravelEmissionSchema(Strict):
    journeys = Many(Part(JourneySchema), most=200, load_default=list)
    flights = Many(Part(FlightSchema), most=200, load_default=list)
    room_nights = Whole(0, _COUNT, load_default=0, metadata={"description": "Rooms times nights."})
    hotel = Choice(*neutralisation.HOTELS, load_default="china")


class EventEmissionSchema(TravelEmissionSchema, MetersEmissionSchema):
    headcount = Whole(1, _COUNT, required=True, metadata={"description": "Everybody who comes; the ways of as many are told."})


class CalculationSchema(Strict):
    """Exactly one of these."""

    household_month = Part(MetersEmissionSchema, load_default=None)
    commute = Part(CommuteEmissionSchema, load_default=None)
    flight = Part(FlightsEmissionSchema, load_default=None)
    trip = Part(TravelEmissionSchema, load_default=None)
    event = Part(EventEmissionSchema, load_default=None)


class MeasuredSchema(Strict):
    mg = Whole(1, required=True, metadata={"description": "Milligrams of CO2e."})
    evidence_sha256 = Pattern(r"[0-9a-f]{64}", longest=64, required=True, metadata={"description": "Of the file that says so; keep it."})


class FootprintAsked(CalculationSchema):
    """Exactly one of these: a calculation, or a measured figure with the digest of its evidence."""

    measured = Part(MeasuredSchema, load_default=None)


class FootprintLineSchema(Strict):
    factor = Text(60, required=True)
    zh = Text(200, required=True)
    en = Text(200, required=True)
    quantity = Whole(0, required=True, metadata={"description": "In `quantity_unit`."})
    quantity_unit = Text(40, required=True)
    mg_per_unit = Whole(1, required=True, metadata={"description": "Milligrams of CO2e for one `unit`."})
    unit = Text(40, required=True)
    year = Whole(1990, 2099, required=True, metadata={"description": "The year that the factor is of."})
    publisher = Text(300, required=True)
    region = Text(100, required=True)
    source = Text(500, required=True)
    licence = Text(300, required=True)
    mg = Whole(1, required=True, metadata={"description": "Rounded up to the milligram, against who emitted."})


class FootprintSchema(Strict):
    calculator = Text(40, required=True)
    mg = Whole(1, required=True)
    lines = Many(Part(FootprintLineSchema), most=1000, required=True)


class FactorValueSchema(Strict):
    from_day = Day(required=True, data_key="from")
    mg_per_unit = Whole(1, required=True)
    year = Whole(1990, 2099, required=True)
    source = Text(500, required=True)


class FactorSchema(Strict):
    factor = Text(60, required=True)
    zh = Text(200, required=True)
    en = Text(200, required=True)
    unit = Text(40, required=True)
    publisher = Text(300, required=True)
    region = Text(100, required=True)
    licence = Text(300, required=True)
    values = Many(Part(FactorValueSchema), most=100, required=True)


def footprint_of(call: Call, said: dict[str, Any]) -> Footprint:
    """What a body asks for, worked out by today's factors; nothing that a caller worked out is believed.

    Raises `NotOneOfThese`, `neutralisation.FactorMissing`, `FootprintEmpty`, `FootprintTooLarge`, `HeadcountDiffers`.
    """
    given = {name: words for name, words in said.items() if words is not None}
    if len(given) != 1:
        raise exactly_one(*said)
    [(name, words)] = given.items()
    if name == "measured":
        return neutralisation.measured(mg=words["mg"], evidence=bytes.fromhex(words["evidence_sha256"]))
    journeys = [neutralisation.Journey(**row) for row in words.get("journeys", ())]
    flights = [neutralisation.Flight(**row) for row in words.get("flights", ())]
    rest = {key: value for key, value in words.items() if key not in ("journeys", "flights")}
    if name == "household_month":
        return neutralisation.household_month(on=call.today, **rest)
    if name == "commute":
        return neutralisation.commute(on=call.today, journeys=journeys)
    if name == "flight":
        return neutralisation.flight(on=call.today, flights=flights)
    verb = neutralisation.trip if name == "trip" else neutralisation.event
    return verb(on=call.today, journeys=journeys, flights=flights, **rest)


@operation(
    blueprint, "POST", "/v1/footprints", "workOutFootprint", body=CalculationSchema, answer=FootprintSchema, keyed=False,
    summary="How much something emitted, by published factors, line by line", needs_store=False,
    description="Nothing is kept. A month of a household, a commute, flights, a journey with hotel nights, or an event.",
    refuses=(
        NotOneOfThese,
        neutralisation.FactorMissing, neutralisation.FootprintEmpty, neutralisation.FootprintTooLarge, neutralisation.HeadcountDiffers,
    ),
)  # fmt: skip
def work_out_footprint(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    found = footprint_of(call, body)
    return {"calculator": found.calculator, "mg": found.mg, "lines": neutralisation.lines_of(found)}


@operation(
    blueprint, "GET", "/v1/footprints/factors", "listFactors", answer=page_of(FactorSchema), needs_store=False,
    summary="Every emission factor, with its source, publisher, year and licence",
)  # fmt: skip
def list_factors(call: Call) -> dict[str, Any]:
    return whole_list([
        {
            "factor": one.id, "zh": one.zh, "en": one.en, "unit": one.unit, "publisher": one.publisher, "region": one.region,
            "licence": one.licence,
            "values": [
                {"from_day": value.start, "mg_per_unit": value.mg, "year": value.year, "source": value.source} for value in one.values
            ],
        }
        for one in neutralisation.factors().values()
    ])  # fmt: skip
