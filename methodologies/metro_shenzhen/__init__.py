"""A kilometre by Shenzhen's metro in place of general transport (Article 14)."""
