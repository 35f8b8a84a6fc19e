"""A household that uses less gas than in the same month last year (Article 14)."""
