"""A kilometre by bicycle in Wuhan, by the numbers published in May 2025 (Article 14)."""
