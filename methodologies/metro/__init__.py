"""A metro trip in place of the city's average motorised trip (Article 14)."""
