"""What a look promises: the portraits of a team agree in frame, backdrop and light."""
