"""What an editable installation maps beside the library: the parts that run from a checkout.

A wheel holds `headshots` alone, as pyproject.toml says, so that it puts nothing else at the top of anybody's
site-packages. The services, the foundry and what is generated for KEDA run in checkouts and in images, where the
installation is editable. See docs/decisions/0048.
"""

from setuptools import find_namespace_packages, setup
from setuptools.command.editable_wheel import editable_wheel

RUN_FROM_CHECKOUT = ("externalscaler*", "foundry*", "services*")


class Checkout(editable_wheel):
    """An editable installation of all that is here."""

    def run(self) -> None:
        """Make it."""
        more = find_namespace_packages(include=RUN_FROM_CHECKOUT)
        self.distribution.packages = [*(self.distribution.packages or ()), *more]
        super().run()


setup(cmdclass={"editable_wheel": Checkout})
