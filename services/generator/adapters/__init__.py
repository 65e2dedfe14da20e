"""Where adapters are kept between the object store and the bank's slots."""
