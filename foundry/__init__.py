"""Makes the synthetic portraits and trains the bundled foundation from them."""
