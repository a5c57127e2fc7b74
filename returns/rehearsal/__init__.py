"""The rehearsal: a whole campaign played with made-up tenants, on a made-up or on the landlord's own file.

It never reaches a real person: its campaigns have households of their own, and their messages stay in the outbox.
"""
