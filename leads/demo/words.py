"""Names and figures that the invention draws from. Lists by source follow the order of SOURCES."""

_names = str.split

SOURCES = (
    "Demo request",
    "ROI calculator",
    "Webinar",
    "Guide download",
    "Trade fair",
    "Paid search",
    "Partner referral",
)
CHANNELS = ("Website", "Website", "Events", "Content", "Events", "Paid", "Partner")
# a late month: MQLs and acceptances by source; earlier months have fewer webinars and guides
DELIVERED = (64, 78, 171, 149, 62, 56, 32)
ACCEPTED = (34, 29, 14, 10, 8, 9, 14)
# MQLs, accepted, and rejections by category of the twelve months before this one and of this one
MONTHS = (
    (512, 131, {"fit": 118, "timing": 96, "data": 62, "scoring": 88}),
    (438, 108, {"fit": 101, "timing": 92, "data": 49, "scoring": 74}),
    (529, 127, {"fit": 121, "timing": 104, "data": 60, "scoring": 99}),
    (541, 139, {"fit": 117, "timing": 101, "data": 58, "scoring": 108}),
    (566, 136, {"fit": 124, "timing": 109, "data": 63, "scoring": 115}),
    (558, 137, {"fit": 119, "timing": 107, "data": 57, "scoring": 120}),
    (573, 131, {"fit": 127, "timing": 106, "data": 55, "scoring": 134}),
    (587, 129, {"fit": 126, "timing": 108, "data": 59, "scoring": 144}),
    (561, 104, {"fit": 122, "timing": 111, "data": 53, "scoring": 150}),
    (574, 123, {"fit": 120, "timing": 103, "data": 52, "scoring": 155}),
    (594, 127, {"fit": 124, "timing": 101, "data": 54, "scoring": 164}),
    (612, 118, {"fit": 131, "timing": 104, "data": 58, "scoring": 175}),
    (604, 114, {"fit": 124, "timing": 101, "data": 56, "scoring": 184}),
)
# rejections of the late month by code and source
REASONS = {
    "11": (7, 8, 12, 9, 4, 10, 2),
    "12": (3, 3, 9, 8, 4, 5, 2),
    "13": (2, 3, 13, 12, 4, 2, 1),
    "14": (2, 1, 2, 1, 0, 1, 1),
    "21": (4, 11, 8, 6, 5, 4, 3),
    "22": (2, 4, 15, 14, 6, 4, 2),
    "23": (3, 5, 2, 2, 1, 1, 2),
    "31": (1, 1, 3, 4, 9, 3, 0),
    "32": (2, 2, 4, 2, 8, 1, 3),
    "33": (1, 1, 0, 3, 1, 3, 0),
    "34": (1, 0, 1, 1, 2, 1, 0),
    "41": (0, 2, 56, 54, 2, 5, 0),
    "42": (0, 4, 16, 12, 2, 3, 1),
    "43": (1, 2, 8, 4, 2, 1, 0),
}
CATEGORY = {"1": "fit", "2": "timing", "3": "data", "4": "scoring"}
# time to first contact: upper end in minutes, MQLs, of them accepted; the last were never contacted
SPEED = ((5, 41, 15), (60, 148, 42), (240, 137, 28), (1440, 156, 23), (4320, 97, 10), (None, 33, 0))

CAMPAIGNS = {
    "Demo request": ("Website", "Planner launch"),
    "ROI calculator": ("Downtime calculator", "Spare-parts calculator"),
    "Webinar": ("Planning without spreadsheets", "Fewer unplanned stops", "Audit-proof maintenance"),
    "Guide download": ("Maintenance planning in 12 steps", "The shutdown checklist", "Lubrication rounds"),
    "Trade fair": ("Spring plant fair", "Autumn packaging fair"),
    "Paid search": ("Search: maintenance planning", "Search: work orders"),
    "Partner referral": ("Integrators", "Machine builders"),
}
FIRST_NAMES = _names(
    "Henrike Jorun Maaike Tilde Signe Anouk Lieke Wiebke Saskia Freya Ines Marit Katrin Britta Elke Nadja Sofie "
    "Hedda Imke Ruben Joost Anders Mikkel Torben Lennart Casper Bram Niels Henning Oskar Emil Jasper Matthis "
    "Sander Rasmus Viktor Arne Kasimir Leonie Gesa Priya Amara Yusuf Ilse Malik Teodora Zofia Mirela Dario Samir "
)
LAST_NAMES = _names(
    "Solvang Brakemoor Oosterlind Fenwick Haverdal Kestrup Lindeboom Varnholt Stellmoor Quistgaard Rosenvang "
    "Teerlink Aldershof Mertenson Vossberg Halvorstad Drewenz Kolbrand Nyvelt Ravnsholt Bakkerveld Tarrensen "
    "Ulfsted Wendelmoor Isakstrup Jernholt Okkersen Pellworth Sundermark Ybema Zandvoorde Ekhammer Grotenius "
    "Holmquarn Ingelrud Marsvelt "
)
COMPANY_HEADS = _names(
    "Cor Bren Hal Ver Oster Nor Tal Mar Fjel Gran Stel Wen Ald Ros Kest Lun Vand Ekk Drem Pell Sund Zand Haver "
    "Ing Jern Kol Mold Ost Quar Rav "
)
COMPANY_TAILS = _names(
    "vane holt moor beck lund stad veld borg dal mark wick hamn berg rud fors sted gaard horst bruk sten "
)
INDUSTRIES = {  # industry: what its companies call themselves
    "Food": ("Foods", "Dairy", "Bakeries"),
    "Packaging": ("Packaging", "Carton"),
    "Automotive": ("Automotive", "Components"),
    "Logistics": ("Logistics", "Cold Chain"),
    "Manufacturing": ("Works", "Metal", "Machines"),
}
OTHER_INDUSTRIES = {
    "Retail": ("Stores",),
    "Education": ("College",),
    "Construction": ("Build",),
    "Software": ("Systems",),
}
COUNTRIES = {
    "Netherlands": "Benelux",
    "Belgium": "Benelux",
    "Germany": "DACH",
    "Denmark": "Nordics",
    "Sweden": "Nordics",
}
OTHER_COUNTRIES = {"Spain": "South", "Italy": "South", "Poland": "East", "Portugal": "South", "Greece": "South"}
DIALLING = {"Netherlands": "+31", "Belgium": "+32", "Germany": "+49", "Denmark": "+45", "Sweden": "+46"}
TITLES = (
    "Head of Operations", "Maintenance Manager", "Plant Manager", "Director Operations", "Technical Director",
    "Head of Maintenance", "COO", "Reliability Lead", "Production Manager", "VP Manufacturing",
)  # fmt: skip
OTHER_TITLES = ("Student", "Consultant", "Working student", "Buyer", "Controller", "Technician", "HR adviser")
PRODUCTS = ("Planner", "Inspect", "Spare parts")
NOTES = {
    "accepted": ("Plans a pilot in two plants.", "Demo booked for next week.", "Replaces spreadsheets this year."),
    "21": ("Budget round is in autumn.", "Investment stop until year end."),
    "22": ("Collects ideas, no project.", "Just put another system in."),
    "23": ("Contract with another vendor, asked to come back.",),
    "31": ("Number belongs to someone else.", "Mail bounced, switchboard does not know the name."),
    "41": (
        "Only read guides, was surprised by the call.",
        "Writes a thesis about maintenance, no buying interest.",
        "Watched a webinar for the certificate.",
        "Three guides in one evening, no project behind it.",
        "Wants the templates from the guides, nothing else.",
    ),
    "42": ("Active two months ago, project decided since.",),
    "43": ("One evening of downloads made the score.",),
}
