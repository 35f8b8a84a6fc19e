"""One year of a small city, played on real open data: ``carbonhui demo``.

The rides are Bay Area Bike Share's of 2014 (CC0), where each bicycle stands for
one resident; the electricity is the Australian Smart-Grid Smart-City trial's (CC BY
3.0 AU). All dates are moved forward by twelve years. ``data/SOURCES.md`` says what
was cut and by whom the data were made.
"""

from carbonhui.demo.city import approve_what_is_installed
from carbonhui.demo.story import play

__all__ = ["approve_what_is_installed", "play"]
