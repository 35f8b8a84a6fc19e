"""From the coordinates of Chinese map services (GCJ-02) back to WGS84, in whole numbers.

Inside the country the services shift every place by 100 to 800 m with a published
sum of sines. There is no formula back: the shift at the place that was found is taken off
the given one until nothing moves, which three or four rounds do to the microdegree.

Degrees are whole 10^-9 degrees here and sines whole 10^-15, so that every machine finds the same.
"""

from math import isqrt

from carbonhui.activity.rules import cosine

_UNIT = 10**15
_NANO = 10**9
_PI = 3_141_592_653_589_793
#: The ellipsoid of Krasovsky 1940: half its longer axis in metres, and the square of its eccentricity.
_AXIS_METRES = 6_378_245
_ECCENTRICITY = 6_693_421_622_966
#: Outside this rectangle (microdegrees) the services leave the coordinates as they are.
_SOUTH, _NORTH, _WEST, _EAST = 829_300, 55_827_100, 72_004_000, 137_834_700
_MOST_ROUNDS = 10


def to_wgs84(latitude: int, longitude: int) -> tuple[int, int]:
    """Where a place stands in WGS84, in whole microdegrees, rounded to the nearest.

    >>> to_wgs84(22_532_083, 114_118_666)
    (22534770, 114113559)
    """
    if not (_SOUTH <= latitude <= _NORTH and _WEST <= longitude <= _EAST):
        return latitude, longitude
    given = latitude * 1000, longitude * 1000
    found = given
    for _ in range(_MOST_ROUNDS):
        north, east = _shift(*found)
        last, found = found, (given[0] - north, given[1] - east)
        if last == found:
            break
    return (found[0] + 500) // 1000, (found[1] + 500) // 1000


def _shift(latitude: int, longitude: int) -> tuple[int, int]:
    """How far north and east the services move a place, in 10^-9 degrees."""
    x, y = longitude - 105 * _NANO, latitude - 35 * _NANO
    sine = _sine(latitude, 1)
    flat = _UNIT - _ECCENTRICITY * sine // _UNIT * sine // _UNIT
    root = isqrt(flat * _UNIT)
    meridian = _AXIS_METRES * (_UNIT - _ECCENTRICITY) * _UNIT // flat * _UNIT // root
    parallel = _AXIS_METRES * _UNIT // root * cosine(latitude // 1000)
    half_circle = 180 * _UNIT * _UNIT
    north = _metres_north(x, y) * half_circle // (meridian * _PI)
    east = _metres_east(x, y) * half_circle // (parallel * _PI)
    return north, east


def _metres_north(x: int, y: int) -> int:
    """In 10^-9 m."""
    waves = 20 * _sine(x, 1080) + 20 * _sine(x, 360)
    waves += 20 * _sine(y, 180) + 40 * _sine(y, 60)
    waves += 160 * _sine(y, 15) + 320 * _sine(y, 6)
    plain = -100 * _NANO + 2 * x + 3 * y + (2 * y * y + x * y + 2 * _root(x)) // (10 * _NANO)
    return plain + waves * 2 // 3 // (_UNIT // _NANO)


def _metres_east(x: int, y: int) -> int:
    """In 10^-9 m."""
    waves = 20 * _sine(x, 1080) + 20 * _sine(x, 360)
    waves += 20 * _sine(x, 180) + 40 * _sine(x, 60)
    waves += 150 * _sine(x, 15) + 300 * _sine(x, 6)
    plain = 300 * _NANO + x + 2 * y + (x * x + x * y + _root(x)) // (10 * _NANO)
    return plain + waves * 2 // 3 // (_UNIT // _NANO)


def _root(x: int) -> int:
    """The square root of whole degrees, in 10^-18."""
    return isqrt(abs(x) * _NANO) * _NANO


def _sine(angle: int, times: int) -> int:
    """The sine of so many times an angle, in 10^-15."""
    microdegrees = angle * times // 1000 - 90_000_000
    return cosine((microdegrees + 180_000_000) % 360_000_000 - 180_000_000)
