"""Makes links to images that expire, and serves those that the object store cannot."""
