"""A bus ride in Wuhan, by the numbers of its platform's launch (Article 14)."""
