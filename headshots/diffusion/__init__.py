"""Everything that makes images: foundations, adapters, samplers, the export and the backends of the run time.

``foundations``, ``lora``, ``sampling``, ``tensorrt``, ``package``, ``text``, ``publish`` and ``safetensors_io`` import
no torch, nor do ``backends`` but for ``backends.torch``: they are all that the generator needs at run time. ``banked``
and ``networks`` are torch modules. ``export`` imports torch only where a package is made; asking for one needs none.
"""
