"""A metro trip in place of what the rider would have used instead (Article 14)."""
