package history

import (
	"encoding/json"
	"time"

	"github.com/unilb/unilb/topology"
)

// An AdminCall is one call of the Admin API by a client that makes one call at a
// time. Call and Return bound the moment at which it took effect; a call whose
// outcome is Info may take effect at any later time, or never.
type AdminCall struct {
	Seq     uint64          `json:"seq"`
	Client  topology.Ref    `json:"client"` // who called, one goroutine; "client/inet-1#2"
	Verb    string          `json:"verb"`   // "put", "get", "delete"
	Key     string          `json:"key"`    // "/routes/7"
	Object  json.RawMessage `json:"object,omitempty"`
	Call    time.Duration   `json:"call"`
	Return  time.Duration   `json:"return"`
	Outcome Outcome         `json:"outcome"`
	Status  int             `json:"status,omitempty"` // of the answer; 0: none
	// Got is the value that a get was answered with; absent when there was none.
	Got json.RawMessage `json:"got,omitempty"`
	// Rev is the revision that the answer names: of the write, or of the object read.
	Rev   int64  `json:"rev,omitempty"`
	Error string `json:"error,omitempty"`
}

// A Span is a window with a name, by which checks refer to it: from a fault to the
// moment at which a load was steady again, say.
type Span struct {
	Window
	Name string `json:"name"`
}
