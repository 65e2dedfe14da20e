"""What TensorRT needs beside the graphs: what its parser takes, shape profiles, and where built engines are kept."""
