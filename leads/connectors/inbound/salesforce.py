"""Salesforce's outbound messages: SOAP, read without document types or entities, and acknowledged."""

from typing import NamedTuple
from xml.parsers import expat

from leads.connectors.inbound.message import MOST_ITEMS, NotBelieved, Unreadable, arrival, fingerprint, moment

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
OUTBOUND = "http://soap.sforce.com/2005/09/outbound"
ACKNOWLEDGED = (
    f'<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="{SOAP}"><soapenv:Body>'
    f'<notificationsResponse xmlns="{OUTBOUND}"><Ack>true</Ack></notificationsResponse>'
    "</soapenv:Body></soapenv:Envelope>"
)
DEEPEST = 12
SAME_ORGANISATION = 15  # an id of 18 characters is the one of 15 with a check behind it
TIMES = ("LastModifiedDate", "SystemModstamp", "CreatedDate")
USUAL = {
    "email": "Email", "phone": "Phone", "first_name": "FirstName", "last_name": "LastName", "title": "Title",
    "company": "Company", "domain": "Website", "employees": "NumberOfEmployees", "industry": "Industry",
    "country": "Country", "region": "State", "source": "LeadSource",
}  # fmt: skip


class Notification(NamedTuple):
    """One record as Salesforce tells it: `fields` are the texts of its elements by their local names."""

    id: str
    type: str
    fields: dict


def read(body):
    """(id of the organisation, [Notification]) of an outbound message. Raises Unreadable."""
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = reader.forbid
    parser.ExternalEntityRefHandler = parser.ProcessingInstructionHandler = reader.forbid
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    parser.CharacterDataHandler = reader.text
    try:
        parser.Parse(body, True)
    except (expat.ExpatError, ValueError, LookupError):
        raise Unreadable("The body is no XML that can be read.") from None
    return reader.organisation, reader.notifications


class _Reader:
    """Gathers what stands in an outbound message; everything else is passed over."""

    def __init__(self):
        self.organisation, self.notifications = "", []
        self._path, self._texts, self._types = [], [""], []

    def forbid(self, *_):
        raise Unreadable("The XML declares a document type, an entity or an instruction; none is taken.")

    def start(self, name, attributes):
        if len(self._path) >= DEEPEST:
            raise Unreadable("The XML is too deep.")
        local = name.rpartition(" ")[2]
        self._path.append(local)
        self._texts.append("")
        if local == "Notification":
            if len(self.notifications) >= MOST_ITEMS:
                raise Unreadable(f"The message holds more than {MOST_ITEMS} notifications.")
            self.notifications.append(Notification("", "", {}))
        if local == "sObject" and self.notifications:
            kind = next((value for key, value in attributes.items() if key.endswith(" type")), "")
            self.notifications[-1] = self.notifications[-1]._replace(type=kind.rpartition(":")[2])

    def text(self, data):
        self._texts[-1] += data

    def end(self, _):
        name, text = self._path.pop(), self._texts.pop().strip()
        above = self._path[-1] if self._path else ""
        if (above, name) == ("notifications", "OrganizationId"):
            self.organisation = text
        elif (above, name) == ("Notification", "Id"):
            self.notifications[-1] = self.notifications[-1]._replace(id=text)
        elif above == "sObject" and self.notifications and text:
            self.notifications[-1].fields[name] = text


def check(message, connection):
    """Raises NotBelieved unless the message names the connection's organisation, Unreadable where it is no XML."""
    organisation = read(message.body)[0]
    if not organisation or organisation[:SAME_ORGANISATION] != connection.organisation[:SAME_ORGANISATION]:
        raise NotBelieved("The message is of another Salesforce organisation.")


def arrivals(message, connection, zone):
    """The Arrivals of a message. Raises Unreadable."""
    return [_arrival(one, message, zone) for one in read(message.body)[1]]


def _arrival(one, message, zone):
    content = {"type": one.type, "fields": one.fields}
    happened = next(filter(None, (moment(one.fields.get(name), zone) for name in TIMES)), None)
    made = arrival(one.id or fingerprint(content), one.fields.get("Id", ""), happened, content, message.at)
    return made if one.id else made._replace(problem="The notification has no id.")


def finder(content):
    """A function name → the text of that field, or None."""
    return content["fields"].get


def actor(content):
    """The id of the user who changed it last there."""
    return content["fields"].get("LastModifiedById", "")


def passes_over(content, names):
    """Why the record is nothing to take, or ""."""
    return "" if content["type"] in ("Lead", "Contact") else "It tells of neither a lead nor a contact."
