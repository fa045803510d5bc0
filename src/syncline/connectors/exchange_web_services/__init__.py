"""The calendar side over Exchange Web Services (Exchange 2013 SP1 and later, on premises).

`open_replica` gives a `ports.Replica`. Inside, the `wire` modules turn bytes into values and back, `content` says what
an item means, `failures` what a failure means, `transport` and `signing_in` talk, `batches`, `writing` and `replica`
string it together. Nothing here knows the store, the engine or another connector.
"""

from syncline.connectors.exchange_web_services.replica import ExchangeReplica, open_replica

__all__ = ["ExchangeReplica", "open_replica"]
