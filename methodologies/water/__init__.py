"""A household that uses less water than in the same month last year (Article 14)."""
