"""A kilometre by electric car, by the numbers of Wuhan's platform (Article 14)."""
