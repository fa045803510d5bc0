"""Signed messages to a program at one address, behind the port `Notifier`."""

from syncline.connectors.webhook.notifier import SIGNATURE_HEADER, Target, WebhookNotifier, signature

__all__ = ["SIGNATURE_HEADER", "Target", "WebhookNotifier", "signature"]
