"""What the legislator may change, as dated data: each figure and each text carries its source and its first day.

Pure. Dates: `texts` (articles, delays), `territories` (holidays), `clocks`, `penalties`, `timetable`. Amounts:
`figures`, `household`, `sls`, `alerts`. A landlord's part: `settings`. Who is surveyed: `survey_scope`.
See docs/law.md.
"""
