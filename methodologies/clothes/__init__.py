"""Used clothes handed in for recycling (Article 14)."""
