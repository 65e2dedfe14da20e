"""What says of an image that a machine made it: a watermark, metadata, and a signed manifest."""
