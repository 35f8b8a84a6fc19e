"""A household that uses less electricity in a day than its city, or than itself in the week before (Article 14)."""
