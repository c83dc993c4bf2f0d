package handover

// Variable is the environment variable that tells a process by which descriptor it
// speaks to its predecessor.
const Variable = "UNILB_HANDOVER_FD"

// A Socket is a listening socket that is handed over.
type Socket struct {
	// Name says what it is for. Several sockets may have one name.
	Name string `json:"name"`
	// FD is its descriptor in the process that has this value.
	FD int `json:"fd"`
}

// A Legacy is what a process leaves to the next.
type Legacy struct {
	Sockets []Socket `json:"sockets"`
	// TicketSecret is what sessions of TLS are sealed with.
	TicketSecret []byte `json:"ticket_secret,omitempty"`
}

// Progress is how far a process is that drains.
type Progress struct {
	PID         int `json:"pid"`
	InFlight    int `json:"in_flight"`   // requests, upgraded connections included
	Connections int `json:"connections"` // from clients
	SecondsLeft int `json:"seconds_left"`
}

// message is a line of the conversation. Unknown fields are ignored: the two are of
// different versions.
type message struct {
	Legacy   *Legacy   `json:"legacy,omitempty"`
	Ready    bool      `json:"ready,omitempty"`
	Yours    bool      `json:"yours,omitempty"`
	Progress *Progress `json:"progress,omitempty"`
}
