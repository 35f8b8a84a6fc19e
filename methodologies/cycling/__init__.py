"""A ride on a shared bicycle in place of the city's usual modes (Article 14)."""
