"""Profiles that institutions of the small city wrote themselves."""

TRANSIT = """
source        = "transit"
says          = "Trips of the transit operator, with the measured distance"
scheme        = "transit.card"
kind          = "trip"
demonstration = false
moved_years   = 0
earliest_day  = 2010-01-01
columns       = ["trip", "card", "mode", "begun", "ended", "metres"]
[methodologies]
metro   = ["metro_wuhan"]
bus     = ["bus_wuhan"]
bicycle = ["cycling_wuhan"]
[trip]
key         = "trip"
subject     = "card"
start       = "begun"
end         = "ended"
times       = "local"
metres      = "metres"
mode_column = "mode"
[trip.modes]
metro   = "metro"
bus     = "bus"
bicycle = "bicycle"
"""

SELF_DECLARED = (
    TRANSIT.replace('"transit"', '"check-in"')
    .replace("transit.card", "check-in.phone")
    .replace('kind          = "trip"', 'kind          = "trip"\nevidence      = "self_declared"')
    .replace('["metro_wuhan"]', '["metro_hubei"]')
    .replace('["bus_wuhan"]', '["bus_hubei"]')
)

STEPS = """
source        = "steps"
says          = "Steps of a day, as the telephone counted them"
scheme        = "steps.phone"
kind          = "count"
demonstration = false
moved_years   = 0
earliest_day  = 2010-01-01
columns       = ["phone", "day", "steps"]
[methodologies]
walking = ["walking"]
[count]
subject  = "phone"
day      = "day"
quantity = "steps"
mode     = "walking"
"""

BILLS = """
source        = "power"
says          = "Bills of the power company"
scheme        = "power.customer"
kind          = "reading"
demonstration = false
moved_years   = 0
earliest_day  = 2010-01-01
columns       = ["customer", "from", "until", "kwh", "pv", "tier"]
[methodologies]
electricity = ["electricity"]
[reading]
commodity = "electricity"
span      = "bill"
subject   = "customer"
start     = "from"
end       = "until"
use       = "kwh"
unit      = "kWh"
[[reading.flags]]
column = "pv"
value  = "yes"
code   = "own_pv"
[[reading.flags]]
column = "tier"
value  = "3"
code   = "tier_3"
"""

DAYS = """
source        = "smart-meters"
says          = "Daily readings"
scheme        = "smart-meters.customer"
kind          = "reading"
demonstration = false
moved_years   = 0
earliest_day  = 2010-01-01
columns       = ["customer", "day", "kwh"]
[methodologies]
electricity = ["electricity_daily"]
[reading]
commodity = "electricity"
span      = "day"
subject   = "customer"
at        = "day"
use       = "kwh"
unit      = "kWh"
"""

WATER = """
source        = "water-works"
says          = "Bills of which only the month is known"
scheme        = "water-works.customer"
kind          = "reading"
demonstration = false
moved_years   = 0
earliest_day  = 2010-01-01
columns       = ["customer", "month", "m3"]
[methodologies]
water = ["water"]
[reading]
commodity = "water"
span      = "billed_month"
subject   = "customer"
at        = "month"
use       = "m3"
unit      = "m3"
"""
