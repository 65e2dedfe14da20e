"""What is asked of the generator, checked and prepared for the batch."""
