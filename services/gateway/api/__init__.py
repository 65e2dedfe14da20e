"""What the public calls of every resource have in common: names, pages, times, states."""
