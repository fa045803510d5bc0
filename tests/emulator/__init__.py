"""Tests of the Exchange emulator: facts over real HTTP, with exchangelib and with plain requests."""
