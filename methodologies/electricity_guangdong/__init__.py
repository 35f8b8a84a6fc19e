"""A household that uses less than in the same month last year, by Guangdong's own grid (Article 14)."""
