"""What data made from the queries alone is worth: on real piles, with mistakes made on purpose."""
