"""Following a run while it goes on: its journals as they grow, and sums of what they hold."""
