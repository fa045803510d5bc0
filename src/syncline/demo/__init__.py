"""`syncline demo`: the firm Fjord Bikes with an Exchange stand-in, on this machine only.

Everything that stands there is produced by real cycles over real HTTP; nothing is written past the product. It is on
the level of wiring: it puts parts together and must hold no rule of synchronization.
"""

from syncline.demo.running import run_demo

__all__ = ["run_demo"]
