"""Makes the HTML pages that people look at: the portraits of a shoot, of a gallery, or of a run of the demo."""
