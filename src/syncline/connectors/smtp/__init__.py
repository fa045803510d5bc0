"""Mail by SMTP, behind the port `Notifier`."""

from syncline.connectors.smtp.notifier import Relay, SmtpNotifier

__all__ = ["Relay", "SmtpNotifier"]
