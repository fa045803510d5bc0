"""The engine runs one mailbox at a time through a cycle. It uses ports only and knows no connector."""
