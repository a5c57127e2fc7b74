"""A landlord's deposit understood: XML bytes + mapping profile + code tables → households and anomalies. Pure.

Start from `reader.read`, `profile.load_profile` / `parse_profile`, `code_tables.load_code_tables`.
"""
