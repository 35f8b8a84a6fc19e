"""A kilometre by Wuhan's metro, by the numbers published in May 2025 (Article 14)."""
