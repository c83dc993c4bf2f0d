package compare

import "strings"

// A Facet is one thing that a request can show.
type Facet string

// The facets. The two that end in a space are kinds: the name of a header follows,
// and without one they count heads.
const (
	facetConnection Facet = "connection"
	facetReuse      Facet = "reuse"
	facetStatus     Facet = "status"
	facetBackend    Facet = "answered by"
	facetArrivals   Facet = "arrivals"
	facetBody       Facet = "body of the answer"
	facetLine       Facet = "request line at the backend"
	facetSentBody   Facet = "body at the backend"
	answerHeader    Facet = "header of the answer: "
	requestHeader   Facet = "header at the backend: "
)

// A Meaning is what a difference is about.
type Meaning string

// The meanings.
const (
	Status     Meaning = "status"
	Header     Meaning = "header"
	Body       Meaning = "body"
	Routing    Meaning = "routing"    // who answered, and how often a request arrived
	Connection Meaning = "connection" // refused, reset, ended early, used again
	Outcome    Meaning = "verdict"    // what became of a case or a scenario
	Time       Meaning = "time"
	Resource   Meaning = "resource"
)

// Meanings are all of them, in the order of a report.
func Meanings() []Meaning {
	return []Meaning{Outcome, Status, Routing, Header, Body, Connection, Time, Resource}
}

// meaning of a facet.
func (f Facet) meaning() Meaning {
	switch f {
	case facetStatus:
		return Status
	case facetBackend, facetArrivals:
		return Routing
	case facetBody, facetSentBody:
		return Body
	case facetConnection, facetReuse:
		return Connection
	}
	return Header
}

// kind of a header's facet, for which it may be absent; "" of others.
func (f Facet) kind() Facet {
	for _, k := range []Facet{answerHeader, requestHeader} {
		if strings.HasPrefix(string(f), string(k)) {
			return k
		}
	}
	return ""
}
