"""The commands of `syncline`, one module per subject; each turns options into a call of the desk and prints its answer.

Heavy parts (database, web server, emulator) are imported inside the commands that need them, so that
`syncline --help` is quick. Nothing here decides what is allowed or shown: the desk does.
"""
