"""A kilometre by Shenzhen's battery-electric bus in place of general transport (Article 14)."""
