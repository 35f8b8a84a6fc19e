"""A household that uses less electricity than in the same month last year (Article 14)."""
