"""Steps walked, by the points of Hubei's platform and with a cap for the day (Article 14)."""
