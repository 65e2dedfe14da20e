"""What the UNet learns from: portraits drawn while it trains, what counts of them, and how well it knows faces."""
