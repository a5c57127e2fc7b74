"""A landlord's deposit understood: XML bytes + mapping profile + code tables → households and anomalies. Pure.

Start from `reader.read`, `profile_files.load_profile` / `parse_profile`, `code_table_files.load_code_tables`.
"""
