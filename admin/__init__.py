"""The administrators' web console stands at the height of the faces.

It is empty until the console's own issue: nothing here may be imported by a room.
"""
