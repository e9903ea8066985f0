"""What models cost, and what a day's limits leave of it."""
