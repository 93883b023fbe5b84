"""Proposes a mapping from the headings that CRM, advertising and event tools export."""

import re
import unicodedata

from leads.intake.imports import fields

# heading, folded: letters and digits only
KNOWN = {
    "external_id": "recordid leadid contactid prospectid id leadnumber externalid badgeid gclid googleclickid",
    "email": "email emailaddress mail useremail leademail workemail businessemail courriel emial",
    "phone": "phone phonenumber mobile mobilephone mobiel telephone telefon telefoon tel userphone leadphone phne"
    " handy mobilenumber",
    "first_name": "firstname givenname vorname voornaam prenom forename",
    "last_name": "lastname surname familyname nachname achternaam nom name fullname leadname contactname contact nmae",
    "title": "title jobtitle position role function functie funktion poste",
    "company": "company companyname account accountname organization organisation associatedcompany entreprise bedrijf"
    " firma compny",
    "domain": "domain website companydomain companydomainname webdomain",
    "employees": "employees numberofemployees noofemployees companysize medewerkers mitarbeiter headcount",
    "industry": "industry sector branche branch",
    "country": "country countryregion land pays countrycode",
    "region": "region state stateregion stateprovince territory bundesland",
    "product": "product productinterest productofinterest",
    "source": "source leadsource originalsource leadgensource utmsource herkunft",
    "campaign": "campaign campaignname campaignid utmcampaign cycle kampagne leadorigin",
    "channel": "channel platform medium utmmedium kanal",
    "qualified_at": "qualifiedat mqldate mqlat becameanmqldate dateenteredmql assigneddate marketingqualifiedleaddate"
    " becameamarketingqualifiedleaddate",
    "owner": "owner leadowner contactowner ownerid owneralias assignedto salesrep rep juniormanager jnrsmid",
    "first_touch_at": "firsttouchat firstcontact firstcontactat firstcontactedat firstcall",
    "decision": "decision salesdecision",
    "reason": "reason rejectionreason reasoncode disqualificationreason unqualifiedreason rejectreason lossreason",
    "decided_at": "decidedat decisiondate rejectedat acceptedat dispositiondate",
    "note": "note notes comment comments notiz bemerkung",
    "outcome": "outcome dealoutcome dealstage",
    "opened_at": "openedat dealopenedat opportunitycreateddate dealcreatedate",
    "closed_at": "closedat closedate closeddate dealclosedat",
    "amount": "amount dealamount dealvalue conversionvalue",
    "currency": "currency dealcurrency currencyisocode",
    "loss_reason": "closedlostreason lostreason reasonforloss",
    "deal_product": "dealproduct productsold",
    "deal_id": "dealid opportunityid",
}
FIELD_OF = {heading: name for name, headings in KNOWN.items() for heading in headings.split()}


def fold(heading):
    """Letters and digits only, without case and accents: "E-Mail Address" → "emailaddress"."""
    plain = unicodedata.normalize("NFKD", heading).casefold()
    return re.sub(r"[\W_]+", "", "".join(letter for letter in plain if not unicodedata.combining(letter)))


def propose(header):
    """{field: column} for the headings that are known; each field once, the first column that fits."""
    columns = {}
    for column in header:
        name = FIELD_OF.get(fold(column))
        if name and name not in columns:
            columns[name] = column
    if "outcome" not in columns:
        columns = {name: column for name, column in columns.items() if name not in fields.DEAL}
    return columns


def propose_document(source):
    """A whole mapping document for a file; the encoding is named where it is not UTF-8."""
    written = {"delimiter": source.delimiter}
    if not source.encoding.startswith("utf"):
        written["encoding"] = source.encoding
    return {"format": written, "columns": propose(source.header)}


def choices():
    """[(field, label)] of what a column can become."""
    return [(name, field.label) for name, field in fields.FIELDS.items()]
