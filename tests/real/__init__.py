"""Real calendars through the whole chain: emulator, EWS, cycle, CRM."""
