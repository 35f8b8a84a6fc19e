"""The methodologies that ship with the product, one folder each (Article 14).

A folder holds ``methodology.toml`` (fields, dated parameters with their sources,
worked cases) and ``formula.py`` (one function over exact integer expressions).
"""
