"""A year in a green building; a demonstration without a factor (Article 14)."""
