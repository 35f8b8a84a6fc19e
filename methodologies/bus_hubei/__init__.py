"""A bus ride by the points of Hubei's platform, which weighs what a person only declares (Article 14)."""
