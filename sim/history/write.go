package history

import (
	"encoding/json"
	"time"

	"github.com/unilb/unilb/topology"
)

// A Write is one change of the configuration. Call and Return bound the moment
// at which it took effect in the store.
type Write struct {
	Seq     uint64          `json:"seq"`
	Key     string          `json:"key"`
	Rev     int64           `json:"rev,omitempty"`
	Call    time.Duration   `json:"call"`
	Return  time.Duration   `json:"return"`
	Outcome Outcome         `json:"outcome"`
	Object  json.RawMessage `json:"object,omitempty"` // absent for a delete
	Error   string          `json:"error,omitempty"`
	// InForce is when the system under test said that the write is in force
	// everywhere; 0: it was not asked, or did not say so. The claim is judged.
	InForce time.Duration `json:"in_force,omitempty"`
	Serves  *Serves       `json:"serves,omitempty"`
	// Routes and Holds say what the write is part of: a route names its target
	// group, a group its backends. Together with the other writes they tell which
	// combinations ever existed. Both are absent when the writer does not know.
	Routes *Routes `json:"routes,omitempty"`
	Holds  *Holds  `json:"holds,omitempty"`
}

// Routes is a write of a route: requests for Host (below Prefix) go to Group; to
// nobody when Group is empty.
type Routes struct {
	Host   string `json:"host"`
	Prefix string `json:"prefix,omitempty"`
	Group  string `json:"group,omitempty"`
}

// Holds is a write of a target group; a group without backends is gone.
type Holds struct {
	Group    string         `json:"group"`
	Backends []topology.Ref `json:"backends"`
}

// Serves is what the writer says a client must see once the write is in force:
// requests for Host (and below Prefix, when set) are answered by one of
// Backends, and by nobody when Backends is empty. Checks of convergence need
// it; they cannot derive it from Object without repeating the gateway's work.
type Serves struct {
	Host     string         `json:"host"`
	Prefix   string         `json:"prefix,omitempty"`
	Backends []topology.Ref `json:"backends"`
}

// A FaultWindow is one fault, from the moment it was fully applied or began to
// apply (whichever is earlier) to the moment its revert had ended.
type FaultWindow struct {
	Window
	ID      string         `json:"id"`             // the recorder keeps the last window of an id
	Name    string         `json:"name,omitempty"` // what a scenario calls it
	Kind    string         `json:"kind"`
	Text    string         `json:"text"` // the line the timeline prints
	Targets []topology.Ref `json:"targets,omitempty"`
}

// An Event is anything else worth a line in the timeline.
type Event struct {
	Seq  uint64        `json:"seq"`
	At   time.Duration `json:"at"`
	Kind string        `json:"kind"` // "node", "process", "fault", "config", "step"
	Node topology.Ref  `json:"node,omitempty"`
	Text string        `json:"text"`
}
