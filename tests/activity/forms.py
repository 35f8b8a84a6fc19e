"""Profiles of institutions of our own making, to be varied by the tests."""

HEAD = """source = "own"
kind = "{kind}"
says = "an institution's own"
scheme = "own.subject"
demonstration = false
moved_years = 0
columns = [{columns}]
earliest_day = 2020-01-01
"""

RIDES_HEADER = "id,card,mode,start,end,metres"
RIDES = (
    HEAD.format(kind="trip", columns='"id", "card", "mode", "start", "end", "metres"')
    + """
[methodologies]
bus = ["bus_wuhan"]
metro = ["metro"]
ev = ["ev_ride"]

[trip]
key = "id"
subject = "card"
start = "start"
end = "end"
times = "local"
metres = "metres"
mode_column = "mode"

[trip.modes]
Bus = "bus"
Metro = "metro"
Taxi = "ev"
"""
)

BILLS_HEADER = "account,from,to,use,class,note,tariff"
BILLS = (
    HEAD.format(kind="reading", columns='"account", "from", "to", "use", "class", "note", "tariff"')
    + """
[methodologies]
gas = ["gas"]

[reading]
commodity = "gas"
span = "bill"
subject = "account"
start = "from"
end = "to"
use = "use"
unit = "m3"

[reading.residential]
column = "class"
values = ["home", "flat"]

[reading.estimated]
column = "note"
values = ["E"]
contains = ["estimat"]

[[reading.flags]]
column = "tariff"
value = "3"
code = "tier_3"

[[reading.flags]]
column = "tariff"
value = "pv"
code = "own_pv"

[[reading.flags]]
column = "note"
value = "pv"
code = "own_pv"

[[reading.flags]]
column = "note"
value = "pv"
code = "tier_3"
"""
)

METERS_HEADER = "account,meter,at,use,readings"
METERS = (
    HEAD.format(kind="reading", columns='"account", "meter", "at", "use", "readings"')
    + """
[methodologies]
electricity = ["electricity"]

[reading]
commodity = "electricity"
span = "day"
subject = "account"
meter = "meter"
at = "at"
use = "use"
unit = "kWh"
readings = "readings"
readings_per_day = 96
"""
)

SWIPES_HEADER = "card,at,what,station,gate"
SWIPES = (
    HEAD.format(kind="swipe", columns='"card", "at", "what", "station", "gate"')
    + """
[methodologies]
metro = ["metro"]
bus = ["bus_wuhan"]

[swipe]
subject = "card"
at = "at"
times = "local"
kind_column = "what"
station = "station"
entry = "in"
exit = "out"
boarding = "bus"
ride_mode = "metro"
boarding_mode = "bus"
key = ["card", "at", "what", "gate"]

[stations]
id = "id"
latitude = "lat"
longitude = "lon"
datum = "WGS84"
"""
)

STEPS_HEADER = "person,day,steps"
STEPS = (
    HEAD.format(kind="count", columns='"person", "day", "steps"')
    + """
[methodologies]
walking = ["walking"]

[count]
subject = "person"
day = "day"
quantity = "steps"
mode = "walking"
"""
)

PICKUPS_HEADER = "id,phone,day,grams,sold_to"
PICKUPS = (
    HEAD.format(kind="count", columns='"id", "phone", "day", "grams", "sold_to"')
    + """
[methodologies]
clothes = ["clothes"]

[count]
key = "id"
subject = "phone"
day = "day"
quantity = "grams"
mode = "clothes"

[elsewhere]
column = "sold_to"
"""
)
