"""The ground every room stands on: amounts, refusals, clock, settings, database.

Rooms import the modules of this package by name (``from carbonhui.core.amounts
import Credits``); it is the one package without a single door, because it holds
no matter of the regulation.
"""
